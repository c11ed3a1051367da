"""Songs known only from listeners' histories: they count for the taste and are hidden from every page."""

from collections.abc import Sequence

from catalog.features import FEATURE_NAMES
from catalog.identity.text import TITLE_LENGTH
from catalog.importing.reading.reader import SongRow
from catalog.importing.writing.plan import Plan
from catalog.importing.writing.writer import SongWriter
from catalog.models import Track

_NO_FEATURES = (None,) * len(FEATURE_NAMES)
_NAME_LENGTH = 300


def private_song(
    *, spotify_id: str, title: str, artists: Sequence[str], album: str, isrc: str, duration_ms: int | None = None
) -> SongRow:
    """Return a row with these values alone; long texts are cut."""
    return SongRow(
        line=0,
        spotify_id=spotify_id,
        title=title[:TITLE_LENGTH],
        artists=tuple(dict.fromkeys(name[:_NAME_LENGTH] for name in artists)),
        album=album[:TITLE_LENGTH],
        popularity=None,
        duration_ms=duration_ms,
        explicit=None,
        release_year=None,
        preview_url="",
        isrc=isrc,
        genres=(),
        features=_NO_FEATURES,
    )


def add_private_songs(rows: Sequence[SongRow]) -> list[int]:
    """Create hidden songs and return their ids, in order; call it within a transaction.

    Raise ``IntegrityError`` where somebody else added one of them meanwhile.
    """
    plan = Plan(created=list(rows))
    SongWriter(origin=Track.Origin.PRIVATE, features_origin=Track.FeaturesOrigin.NONE, is_active=False).write(plan)
    return list(plan.state_by_pk)
