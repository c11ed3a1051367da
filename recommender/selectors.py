"""Reads of the recommender's pages."""

from catalog.models import Track

MAX_PER_ARTIST = 2


def popular_tracks(*, limit: int) -> list[Track]:
    """Return the songs with the highest popularity, one version of each and at most two per artist.

    For visitors of whom nothing is known, and until there is a model. Where no song has a popularity, the newest.
    """
    active = Track.objects.active()
    ranked = active.filter(popularity__isnull=False).order_by("-popularity", "id")
    if not ranked.exists():
        ranked = active.order_by("-id")
    chosen = _varied(list(ranked.values_list("pk", "recording_key", "artist_names")[: limit * 20]), limit)
    tracks = {track.pk: track for track in active.filter(pk__in=chosen).for_list()}
    return [tracks[pk] for pk in chosen if pk in tracks]


def _varied(rows: list[tuple[int, str, str]], limit: int) -> list[int]:
    chosen: list[int] = []
    recordings: set[str] = set()
    by_artist: dict[str, int] = {}
    for pk, recording, artist in rows:
        if recording not in recordings and by_artist.get(artist, 0) < MAX_PER_ARTIST and len(chosen) < limit:
            recordings.add(recording)
            by_artist[artist] = by_artist.get(artist, 0) + 1
            chosen.append(pk)
    return chosen
