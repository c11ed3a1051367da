"""What is counted, in words."""

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from catalog.models import Artist, Genre, Track, display_name


def name_of(thing: Track | Artist | Genre) -> str:
    """Return the name of a song, an artist or a genre as a heading has it."""
    name = display_name(thing)
    return capfirst(name) if isinstance(thing, Genre) else name


def hour_text(hour: int) -> str:
    """Return an hour of the day, 0..23."""
    return _("%(hour)d:00 to %(next)d:00") % {"hour": hour, "next": hour + 1}
