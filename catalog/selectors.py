"""Reads of the catalogue's pages."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.core.cache import cache
from django.core.paginator import Paginator
from django.db.models import Count, F, Max, Min, Model, Prefetch, Q, QuerySet, Window, prefetch_related_objects
from django.db.models.expressions import OrderBy
from django.db.models.functions import RowNumber
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.features import FEATURES
from catalog.genre_labels import genre_label
from catalog.identity.compilers import is_compiler
from catalog.models import Artist, Genre, Track, TrackArtist, TrackCode
from catalog.search.filters import SongFilter
from catalog.search.index import popular_first, shown_by_index

PAGE_SIZE = 30
SHOWN_VERSIONS = 20
SHOWN_ALBUM_SONGS = 100
CACHE_SECONDS = 3600
_SAMPLE_ARTISTS = 3
_MANY = 8000
_TYPICAL_SAMPLE = 2000
_POPULAR_SONGS = 200
_GenreLink = Track.genres.through

_CREDITED = Prefetch("credits", TrackArtist.objects.select_related("artist").order_by("position"))
SORTS: dict[str, Promise] = {
    "popularity": _("Most popular"),
    "title": _("Title"),
    "newest": _("Recently added"),
}
DEFAULT_SORT = "popularity"


@dataclass(frozen=True)
class GenreTile:
    """A genre with the number of its shown songs, a few of its best-known artists, and the song it is pictured by."""

    genre: Genre
    count: int
    artists: Sequence[str]
    track: Track | None


@dataclass(frozen=True)
class FoldedSong:
    """The most popular version of a song, with the number of other versions."""

    track: Track
    other_versions: int


def is_catalogue_empty() -> bool:
    """Whether no song is shown."""
    return not shown_by_index().exists()


def browse(*, wanted: SongFilter, sort: str) -> "Paginator[int]":
    """Return the pages of ids of the shown songs that fit; see :func:`tracks_in_order`.

    Pages are cut from ids alone, which the indexes hold, so that a deep page reads no more songs than the first.
    """
    orders: dict[str, Sequence[OrderBy | str]] = {
        "popularity": popular_first(),
        "title": ["search_key", "id"],
        "newest": ["-id"],
    }
    tracks = shown_by_index()
    if wanted.is_narrowed:
        # This makes the database read the index that holds the features rather than songs in another order.
        tracks = wanted.applied(tracks)
        orders["newest"] = [(F("id") + 0).desc()]
        # Of very many songs that fit, the first by title are soon met in the order of the titles themselves.
        if sort == "title" and tracks.count() < _MANY:
            tracks = Track.objects.filter(pk__in=tracks.values("pk"))
    elif wanted.genre is not None:
        tracks = wanted.applied(Track.objects.active())
    ids = tracks.order_by(*orders.get(sort, orders[DEFAULT_SORT])).values_list("pk", flat=True)
    return Paginator(ids, PAGE_SIZE)


def known_years() -> tuple[int, int] | None:
    """Return the first and the last year of release that is known, kept for a while; ``None`` where none is."""
    key = "catalog:years"
    years: tuple[int | None, int | None] | None = cache.get(key)
    if years is None:
        ends = shown_by_index().aggregate(first=Min("release_year"), last=Max("release_year"))
        years = (ends["first"], ends["last"])
        cache.set(key, years, CACHE_SECONDS)
    return None if years[0] is None or years[1] is None else (years[0], years[1])


def tracks_in_order(ids: Iterable[int]) -> list[Track]:
    """Return the shown songs of ``ids``, in that order, with their artists, which is all that a list row shows."""
    wanted = list(ids)
    tracks = Track.objects.active().prefetch_related(_CREDITED).defer("search_text").order_by().in_bulk(wanted)
    return [tracks[pk] for pk in wanted if pk in tracks]


def unknown_ids(ids: Iterable[int], rows: Iterable[Model]) -> list[int]:
    """Return those of ``ids`` that none of ``rows`` has, each once, in their order."""
    known = {row.pk for row in rows}
    return [pk for pk in dict.fromkeys(ids) if pk not in known]


def tracks_by_code(*, spotify_ids: Sequence[str], isrcs: Sequence[str], mbids: Sequence[str]) -> list[Track]:
    """Return the shown songs with these ids on Spotify or MusicBrainz or these ISRCs, the most popular first.

    They have all their codes at hand: see :func:`codes_of`.
    """
    more = TrackCode.objects.filter(value__in=[*isrcs, *mbids]).values("track")
    has_code = Q(spotify_id__in=spotify_ids) | Q(isrc__in=isrcs) | Q(mbid__in=mbids) | Q(pk__in=more)
    ids = Track.objects.active().filter(has_code).order_by("-popularity", "pk").values_list("pk", flat=True)
    tracks = tracks_in_order(ids)
    prefetch_related_objects(tracks, "codes")
    return tracks


def codes_of(track: Track) -> set[str]:
    """Return the ISRCs and MusicBrainz ids of a song: its first ones, and further ones."""
    return {track.isrc, track.mbid, *(code.value for code in track.codes.all())} - {""}


def titles_in_order(ids: Sequence[int]) -> list[Track]:
    """Return the shown songs of ``ids``, in that order, with picture, title and names of artists alone; one query."""
    columns = ("title", "artist_names", "recording_key", "features", "cover_url", "spotify_id")
    tracks = Track.objects.active().only(*columns).in_bulk(ids)
    return [tracks[pk] for pk in ids if pk in tracks]


def genre_choices() -> list[tuple[int, str]]:
    """Return id and label of all genres, by label."""
    rows = Genre.objects.order_by().values_list("pk", "name")
    return sorted(((pk, genre_label(name)) for pk, name in rows), key=lambda row: row[1].casefold())


def versions_of(track: Track) -> list[Track]:
    """Return other shown versions of the same recording, the most popular first."""
    others = Track.objects.active().filter(recording_key=track.recording_key).exclude(pk=track.pk)
    return list(others.for_list().order_by(*popular_first())[:SHOWN_VERSIONS])


def songs_of_artist(artist: Artist) -> "Paginator[tuple[int, int]]":
    """Return the pages of an artist's songs: (id of the most popular version, number of other versions)."""
    rows = Track.objects.active().filter(credits__artist=artist).order_by(*popular_first())
    keys = list(rows.values_list("pk", "recording_key"))
    versions = Counter(key for _pk, key in keys)
    first: dict[str, int] = {}
    for pk, key in keys:
        first.setdefault(key, pk)
    return Paginator([(pk, versions[key] - 1) for key, pk in first.items()], PAGE_SIZE)


def songs_of_album(artist: Artist, album: str) -> list[Track]:
    """Return an artist's shown songs of one album by its name, as lists show them: the most popular first."""
    songs = Track.objects.active().filter(credits__artist=artist, album=album)
    return list(songs.for_list().order_by(*popular_first())[:SHOWN_ALBUM_SONGS])


def albums_of_artist(artist: Artist, limit: int) -> list[str]:
    """Return the names of the albums with the most of an artist's shown songs."""
    songs = Track.objects.active().filter(credits__artist=artist).exclude(album="").order_by()
    counted = songs.values_list("album").annotate(count=Count("pk")).order_by("-count", "album")
    return [album for album, _count in counted[:limit]]


def folded_songs(rows: Iterable[tuple[int, int]]) -> list[FoldedSong]:
    """Return the songs of one page of :func:`songs_of_artist`."""
    others = dict(rows)
    return [FoldedSong(track, others[track.pk]) for track in tracks_in_order(others)]


def genres_of_artist(artist: Artist) -> QuerySet[Genre]:
    """Return the genres of an artist's shown songs, the most frequent first, each with its ``count``."""
    tracks = Track.objects.active().filter(credits__artist=artist)
    return Genre.objects.filter(tracks__in=tracks).annotate(count=Count("pk")).order_by("-count", "name")


def popular_artists(genres: Collection[Genre], limit: int) -> list[Artist]:
    """Return the artists of the most popular songs of ``genres``, or of all songs where none is given."""
    songs = Track.objects.active().filter(genres__in=genres) if genres else shown_by_index()
    ids = songs.order_by(*popular_first()).values_list("pk", flat=True)[:_POPULAR_SONGS]
    return artists_of(list(dict.fromkeys(ids)), limit)


def artists_of(track_ids: Sequence[int], limit: int) -> list[Artist]:
    """Return the artists of ``track_ids`` by how many of them are theirs, then by the place of the first."""
    rank = {pk: number for number, pk in enumerate(track_ids)}
    counts: Counter[int] = Counter()
    first: dict[int, int] = {}
    for artist_id, track_id in TrackArtist.objects.filter(track_id__in=rank).values_list("artist_id", "track_id"):
        counts[artist_id] += 1
        first[artist_id] = min(first.get(artist_id, rank[track_id]), rank[track_id])
    ranked = sorted(counts, key=lambda artist_id: (-counts[artist_id], first[artist_id]))[: 2 * limit]
    artists = Artist.objects.in_bulk(ranked)
    # "Various Artists" cannot be liked.
    return [artists[pk] for pk in ranked if not is_compiler(artists[pk].name)][:limit]


def genre_tiles() -> list[GenreTile]:
    """Return all genres that have shown songs, by name."""
    counts = _genre_counts()
    samples = _samples(sum(counts.values()))
    pictured = Track.objects.only("recording_key", "features", "cover_url")
    tracks = pictured.in_bulk([song for song, _artists in samples.values()])
    nothing: tuple[int, list[str]] = (0, [])
    tiles = []
    for genre in Genre.objects.order_by("name"):
        if counts[genre.pk] > 0:
            song, artists = samples.get(genre.pk, nothing)
            tiles.append(GenreTile(genre, counts[genre.pk], artists, tracks.get(song)))
    return tiles


def _genre_counts() -> "Counter[int]":
    """Count shown songs: all of a genre, from the index alone, less the few that are hidden."""
    links = _GenreLink.objects.order_by()
    counts = Counter(dict(links.values_list("genre_id").annotate(Count("pk"))))
    hidden = links.filter(track__is_active__in=[False])  # an index finds the hidden songs
    counts.subtract(dict(hidden.values_list("genre_id").annotate(Count("pk"))))
    return counts


def _samples(song_count: int) -> dict[int, tuple[int, list[str]]]:
    """Return the best-known song and names of artists per genre id; kept for a while: it reads the whole catalogue."""
    newest = Track.objects.aggregate(newest=Max("pk"))["newest"]
    key = f"catalog:genre-samples:{newest}:{song_count}"
    samples: dict[int, tuple[int, list[str]]] | None = cache.get(key)
    if samples is None:
        samples = _read_samples()
        cache.set(key, samples, CACHE_SECONDS)
    return samples


def _read_samples() -> dict[int, tuple[int, list[str]]]:
    rank = Window(
        RowNumber(),
        partition_by="genre_id",
        order_by=[F("track__popularity").desc(nulls_last=True), "track_id"],
    )
    links = _GenreLink.objects.filter(track__is_active=True).annotate(rank=rank)
    best = list(links.filter(rank__lte=3 * _SAMPLE_ARTISTS).order_by("rank").values_list("genre_id", "track_id"))
    main = TrackArtist.objects.filter(track_id__in={track_id for _genre_id, track_id in best}, position=0)
    names = dict(main.values_list("track_id", "artist__name"))
    pictures = _pictures(best)
    samples: dict[int, tuple[int, list[str]]] = {}
    for genre_id, track_id in best:
        _song, known = samples.setdefault(genre_id, (pictures[genre_id], []))
        name = names.get(track_id)
        if name and name not in known and len(known) < _SAMPLE_ARTISTS:
            known.append(name)
    return samples


def _pictures(best: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Return the song that stands for each genre: the best known that stands for no other, else its best known."""
    pictures: dict[int, int] = {}
    shown: set[int] = set()
    for genre_id, track_id in best:
        if genre_id not in pictures and track_id not in shown:
            pictures[genre_id] = track_id
            shown.add(track_id)
    return dict(reversed(best)) | pictures


def typical_features() -> dict[str, tuple[float, float]]:
    """Return, per feature of the 0..1 kind, between which values eight songs of ten lie; empty when few are known.

    Read from an even sample of the catalogue and kept for a while.
    """
    key = "catalog:typical-features"
    typical: dict[str, tuple[float, float]] | None = cache.get(key)
    if typical is None:
        typical = _read_typical_features()
        if typical:
            cache.set(key, typical, CACHE_SECONDS)
    return typical


def _read_typical_features() -> dict[str, tuple[float, float]]:
    ends = Track.objects.aggregate(oldest=Min("pk"), newest=Max("pk"))
    oldest, newest = ends["oldest"] or 0, ends["newest"] or 0
    ids = range(oldest, newest + 1, (newest - oldest) // _TYPICAL_SAMPLE + 1)
    measured = Track.objects.active().filter(pk__in=list(ids)).exclude(features_origin=Track.FeaturesOrigin.ESTIMATED)
    rows = list(measured.order_by().values_list("features", flat=True))
    typical = {}
    for spec in FEATURES.values():
        values = sorted(row[spec.name] for row in rows if spec.name in row)
        if (spec.low, spec.high) == (0.0, 1.0) and not spec.is_integer and len(values) >= 50:
            typical[spec.name] = (values[len(values) // 10], values[len(values) * 9 // 10])
    return typical
