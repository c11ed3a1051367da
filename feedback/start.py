"""What a new listener chooses from: genres with sample artists, and a search for artists and songs."""

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from django.core.cache import cache
from django.db.models import F, Max, Window
from django.db.models.functions import RowNumber

from catalog.models import Artist, Genre, Track, TrackArtist
from catalog.search import search

SAMPLE_ARTISTS = 3
MAX_TILES = 200
MAX_RESULTS = 6
# Looked at per genre for its sample artists: enough that one artist's many hits leave room for others.
_TOP_SONGS = 12
_CACHE_SECONDS = 3600


@dataclass(frozen=True)
class GenreTile:
    """A genre with artists to know it by."""

    pk: int
    name: str
    artists: tuple[str, ...]


class _TopSong(NamedTuple):
    genre_id: int
    track_id: int
    popularity: int | None


def genre_tiles() -> list[GenreTile]:
    """Return at most ``MAX_TILES`` genres that have songs, those with the best known songs first.

    Three queries over the catalogue, kept until songs are added or for an hour.
    """
    # A new song or genre makes a new key: an import shows at once.
    newest = Track.objects.aggregate(Max("pk"))["pk__max"]
    if newest is None:
        return []
    key = f"genre-tiles-{newest}-{Genre.objects.count()}"
    tiles: list[GenreTile] | None = cache.get(key)
    if tiles is None:
        tiles = _read_tiles()
        cache.set(key, tiles, _CACHE_SECONDS)
    return tiles


def _read_tiles() -> list[GenreTile]:
    top_songs = _top_songs()
    first_artists = dict(
        TrackArtist.objects.filter(track_id__in={song.track_id for song in top_songs}, position=0).values_list(
            "track_id", "artist__name"
        )
    )
    fame: dict[int, int] = defaultdict(int)
    artists: dict[int, dict[str, None]] = defaultdict(dict)
    for song in top_songs:
        fame[song.genre_id] += song.popularity or 0
        if name := first_artists.get(song.track_id):
            artists[song.genre_id].setdefault(name)
    genres = Genre.objects.in_bulk(fame)
    ranked = sorted(genres.values(), key=lambda genre: (-fame[genre.pk], genre.name))
    return [GenreTile(genre.pk, genre.name, tuple(artists[genre.pk])[:SAMPLE_ARTISTS]) for genre in ranked[:MAX_TILES]]


def _top_songs() -> list[_TopSong]:
    """Return the best known songs of every genre, best first within each."""
    place = Window(
        RowNumber(),
        partition_by=F("genre_id"),
        order_by=[F("track__popularity").desc(nulls_last=True), F("track_id").asc()],
    )
    rows = (
        Track.genres.through.objects.filter(track__is_active=True)
        .annotate(place=place)
        .filter(place__lte=_TOP_SONGS)
        .order_by("genre_id", "place")
        .values_list("genre_id", "track_id", "track__popularity")
    )
    return [_TopSong(*row) for row in rows]


def find(query: str) -> tuple[list[Artist], list[Track]]:
    """Return at most ``MAX_RESULTS`` artists and as many songs, as the site's search finds and ranks them."""
    results = search(query)
    songs = Track.objects.active().in_bulk(results.track_ids[:MAX_RESULTS])
    return results.artists[:MAX_RESULTS], [songs[pk] for pk in results.track_ids[:MAX_RESULTS] if pk in songs]
