"""The limit on a listener's number of plays."""

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.limits.caps import UNLIMITED, CapError, room_below
from accounts.locks import lock_user
from accounts.models import User
from feedback.plays.models import Play, RemovedDouble

# Nothing is locked while the count is further from the cap than concurrent writers could add.
_FAR = 20_000


def room_for_plays(user: User) -> int:
    """Return how many more plays fit into the listener's history; call it within a transaction.

    Near the cap the listener is locked until the end of the transaction, so that concurrent writers cannot both use the
    last places.
    """
    cap = settings.LISTENER_MAX_PLAYS
    if not cap:
        return UNLIMITED
    room = room_below(cap, _stored(user))
    if room > _FAR:
        return room
    lock_user(user)
    return room_below(cap, _stored(user))


def history_full() -> CapError:
    """Return the refusal of a play for which there is no room."""
    text = _("Your listening history has %(limit)s plays, which is the limit. Remove plays or undo an import first.")
    return CapError(text % {"limit": number_format(settings.LISTENER_MAX_PLAYS, use_l10n=True, force_grouping=True)})


def _stored(user: User) -> int:
    # Removed duplicates count as well, because they can be restored.
    return Play.objects.filter(user=user).count() + RemovedDouble.objects.filter(user=user).count()
