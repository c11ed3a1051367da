"""What is worth knowing of how a file was read, as sentences."""

from django.utils.translation import gettext as _

from feedback.history_import.models import HistoryImport

UNREAD, ENCODING, PACKED, LOCAL_CLOCK = "unread", "encoding", "packed", "local-clock"
# With the name of the zone as third value.
ZONE = "zone"
# With the reason, a pattern with a place for the file, as third value.
NO_HISTORY = "no-history"


def told_notes(history: HistoryImport) -> list[str]:
    """Return the notes of an import in the language in use."""
    return [_told(*note) for note in history.notes or ()]


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
    if kind == UNREAD:
        return _("%(name)s isn't a listening history and was skipped.") % {"name": name}
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
    sentence = _("%(name)s isn't UTF-8 text, so it was read as Windows-1252. If letters look wrong, save it as UTF-8.")
    return sentence % {"name": name}
