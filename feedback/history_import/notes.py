"""Notes on how a file was read, as sentences."""

from django.conf import settings
from django.utils.translation import gettext as _

from feedback.history_import.capacity import is_site_full, shown
from feedback.history_import.models import HistoryImport
from feedback.history_import.reading.rows import NO_ROOM

UNREAD, ENCODING, PACKED, LOCAL_CLOCK = "unread", "encoding", "packed", "local-clock"
# With the name of the zone as third value.
ZONE = "zone"
# Notes of the import as a whole.
FULL_SONGS, FULL_PLAYS = "full-songs", "full-plays"
# With the reason, a pattern with a place for the file, as third value.
NO_HISTORY = "no-history"


def told_notes(history: HistoryImport) -> list[str]:
    """Return the notes of an import in the language in use."""
    full = [(FULL_PLAYS, history.name)] if NO_ROOM in history.skipped else []
    return [_told(*note) for note in [*(history.notes or ()), *full]]


def _told(kind: str, name: str, more: str = "") -> str:
    if kind == NO_HISTORY:
        return _(more) % {"file": name}
    if kind == ZONE:
        clock = _(
            "The times in %(name)s come from a player's clock without a time zone, so they were read in yours, "
            "%(zone)s. If the clock was set to another one, undo this import, change the time zone in your profile and "
            "import the file again."
        )
        return clock % {"name": name, "zone": more}
    if kind in (FULL_SONGS, FULL_PLAYS):
        return _told_full(kind, name)
    if kind == UNREAD:
        return _("%(name)s isn't a listening history and was skipped.") % {"name": name}
    return _told_reading(kind, name, more)


def _told_full(kind: str, name: str) -> str:
    site = settings.SITE_MAX_OWN_SONGS if kind == FULL_SONGS else settings.SITE_MAX_IMPORTED_PLAYS
    if is_site_full("songs_created" if kind == FULL_SONGS else "plays_added"):
        text = _(
            "All listeners' imports together have reached this site's limit, %(limit)s. The rest of %(name)s wasn't "
            "added."
        )
        return text % {"limit": shown(site), "name": name}
    if kind == FULL_SONGS:
        text = _(
            "You can have %(limit)s songs that aren't in the catalogue. The others of %(name)s are listed below and "
            "weren't added."
        )
        return text % {"limit": shown(settings.LISTENER_MAX_OWN_SONGS), "name": name}
    text = _(
        "Your listening history can have %(limit)s plays. The rest of %(name)s wasn't added. Remove plays or undo an "
        "import, then import the file again. What is already there isn't added twice."
    )
    return text % {"limit": shown(settings.LISTENER_MAX_PLAYS), "name": name}


def _told_reading(kind: str, name: str, more: str) -> str:
    if kind == PACKED:
        return _("%(name)s is an archive within the archive and was skipped. Unpack it and import it separately.") % {
            "name": name
        }
    if kind == LOCAL_CLOCK:
        sentence = _(
            "The times in %(name)s come from a player's clock without a time zone, so they were read as UTC. Plays "
            "that another file contains as well may be there twice."
        )
        return sentence % {"name": name}
    sentence = _("%(name)s isn't UTF-8 text, so it was read as %(encoding)s. If letters look wrong, save it as UTF-8.")
    return sentence % {"name": name, "encoding": more or "Windows-1252"}
