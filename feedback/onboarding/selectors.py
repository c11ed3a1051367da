"""What a new listener chooses from: genres with sample artists, and a search for artists and songs."""

from collections.abc import Sequence

from django.core.cache import cache
from django.db.models import Count, Max

from catalog import selectors as catalog
from catalog.identity.compilers import is_compiler
from catalog.identity.text import fold
from catalog.models import Artist, Genre, Track
from catalog.search.index import popular_first, shown_by_index
from catalog.search.selectors import search
from catalog.selectors import GenreTile

MAX_TILES = 200
MAX_RESULTS = 6
# Number of most popular songs that count as well known.
_WELL_KNOWN = 2000


def genre_tiles() -> list[GenreTile]:
    """Return at most ``MAX_TILES`` genres that have shown songs, those with the most well-known songs first.

    Kept until a song is added, or for an hour.
    """
    newest = Track.objects.aggregate(newest=Max("pk"))["newest"]
    key = f"feedback:start-tiles:{newest}:{Genre.objects.count()}"
    tiles: list[GenreTile] | None = cache.get(key)
    if tiles is None:
        known = _well_known_songs()
        tiles = sorted(catalog.genre_tiles(), key=lambda tile: (-known.get(tile.genre.pk, 0), tile.genre.name))
        cache.set(key, tiles[:MAX_TILES], catalog.CACHE_SECONDS)
    return tiles[:MAX_TILES]


def matching_tiles(tiles: Sequence[GenreTile], query: str) -> list[GenreTile]:
    """Return the genres whose name, as pages or as catalogues write it, holds every word of ``query``."""
    words = fold(query).split()
    return [tile for tile in tiles if all(word in fold(f"{tile.genre.label} {tile.genre.name}") for word in words)]


def _well_known_songs() -> dict[int, int]:
    """Return the number of well-known songs per genre id."""
    popular = shown_by_index().exclude(popularity=None).order_by(*popular_first())
    last = popular.values_list("popularity", flat=True)[_WELL_KNOWN : _WELL_KNOWN + 1].first()
    links = Track.genres.through.objects.filter(track__is_active=True, track__popularity__gte=last or 1)
    return dict(links.order_by().values_list("genre_id").annotate(Count("pk")))


def find(query: str) -> tuple[list[Artist], list[Track]]:
    """Return at most ``MAX_RESULTS`` artists and as many songs, as the site's search finds and ranks them."""
    results = search(query)
    songs = Track.objects.active().in_bulk(results.track_ids[:MAX_RESULTS])
    artists = [artist for artist in results.artists if not is_compiler(artist.name)]
    return artists[:MAX_RESULTS], [songs[pk] for pk in results.track_ids[:MAX_RESULTS] if pk in songs]
