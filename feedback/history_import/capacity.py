"""Limits on what the imports of one listener, and of all listeners, may add."""

from django.conf import settings
from django.db.models import Sum
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.limits.caps import UNLIMITED, CapError, room_below
from accounts.models import User
from feedback.history_import.models import HistoryImport
from feedback.plays.capacity import history_full, room_for_plays


def room_for_imported_plays(user: User) -> int:
    """Return how many more plays may be added; call it within the transaction that writes them."""
    return min(room_for_plays(user), _room_on_site("plays_added"))


def room_for_own_songs(user: User) -> int:
    """Return how many more songs that the catalogue lacks may be added. A listener has only one running import at a
    time."""
    mine = settings.LISTENER_MAX_OWN_SONGS
    own = room_below(mine, _sum("songs_created", user=user)) if mine else UNLIMITED
    return min(own, _room_on_site("songs_created"))


def refuse_at_cap(user: User) -> None:
    """Raise ``CapError`` where a new import could add no play."""
    imports = settings.LISTENER_MAX_IMPORTS
    if not room_below(imports, HistoryImport.objects.filter(user=user).count()):
        text = _("You already have %(limit)s imports, which is the limit. Undo one first.")
        raise CapError(text % {"limit": shown(imports)})
    if not room_for_plays(user):
        raise history_full()
    if is_site_full("plays_added"):
        text = _("All listeners' imports together have %(limit)s plays, which is this site's limit.")
        raise CapError(text % {"limit": shown(settings.SITE_MAX_IMPORTED_PLAYS)})


def shown(number: int) -> str:
    """Return a number as people read it."""
    return number_format(number, use_l10n=True, force_grouping=True)


def is_site_full(column: str) -> bool:
    """Return whether all imports together have reached the site's limit of ``plays_added`` or ``songs_created``."""
    return not _room_on_site(column)


def _room_on_site(column: str) -> int:
    caps = {"plays_added": settings.SITE_MAX_IMPORTED_PLAYS, "songs_created": settings.SITE_MAX_OWN_SONGS}
    # The sum of the records, since counting all plays would take too long.
    return room_below(caps[column], _sum(column)) if caps[column] else UNLIMITED


def _sum(column: str, **of: User) -> int:
    return HistoryImport.objects.filter(**of).aggregate(sum=Sum(column))["sum"] or 0
