"""Export of the listening history."""

from collections.abc import Iterator, Sequence

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from catalog.models import Track
from feedback.plays.models import Play
from feedback.web.exports import TRACK_COLUMNS, Address, csv_download, track_cells

_HISTORY_COLUMNS = ("played_at", "outcome", "ms_played", "source", *TRACK_COLUMNS, "own_song")


def history_csv(plays: QuerySet[Play], page: Address) -> StreamingHttpResponse:
    """Return plays as a CSV file to save; times are UTC."""
    return csv_download(_HISTORY_COLUMNS, _history_rows(plays, page), name="history")


def _history_rows(plays: QuerySet[Play], page: Address) -> Iterator[Sequence[object]]:
    for play in plays.iterator(chunk_size=500):
        at = play.played_at.isoformat(timespec="seconds")
        # Songs that the catalogue lacks have no page.
        cells = track_cells(play.track, page if play.track.is_active else _no_page)
        yield (at, play.outcome, play.ms_played, play.source, *cells, "" if play.track.is_active else "yes")


def _no_page(_track: Track) -> str:
    return ""
