"""Background job after each import that matches waiting listens again."""

from django.utils.translation import gettext_lazy as _

from feedback.scrobbling.models import ScrobbledSong
from jobs.registry import Kind, Run
from jobs.services import enqueue

MATCH_AGAIN = "scrobbles-match"


def match_after_import() -> None:
    """Request that waiting listens are matched again; the catalogue calls it after songs were added."""
    if ScrobbledSong.objects.filter(track__isnull=True).exists():
        enqueue(kind=MATCH_AGAIN, subject=MATCH_AGAIN)


def _match_all(run: Run) -> str:
    from feedback.scrobbling.waiting import match_all

    return f"{match_all(run):,} plays added"


KIND = Kind(name=MATCH_AGAIN, label=_("Matching of scrobbles"), handler=_match_all)
