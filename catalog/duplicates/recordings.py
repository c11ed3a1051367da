"""Telling recordings apart that share title and first artist: "Intro" on three albums is three.

The key of a recording (:func:`catalog.identity.text.recording_key`) is made of title and first artist, so that a
remaster, a live version and the original are versions of one song. Not versions of each other are songs of artists
distinguished only by signs ("Magic" and "MAGIC!"), songs whose titles end in different signs ("What?" and "What!"), and
songs with the same title on different albums with clearly different lengths. The oldest keeps that key, the others get
one of their
own.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count

from catalog.identity.lengths import differ_clearly
from catalog.identity.text import base_title, exact_name, fold_name, own_recording_key, signs_of, told_recording_key
from catalog.models import Track, TrackArtist

_BATCH = 500


class _Song(NamedTuple):
    pk: int
    key: str
    title: str
    album: str
    duration_ms: int | None
    artist_names: str


@transaction.atomic
def part_recordings(
    keys: Iterable[str] | None = None, *, track_model: Any = Track, credit_model: Any = TrackArtist
) -> int:
    """Give songs that are not versions of the oldest song with their key keys of their own; return how many.

    ``keys`` are the keys to check, by default all that several songs share. Migrations pass their historical models.
    """
    groups: defaultdict[str, list[_Song]] = defaultdict(list)
    looked_at = list(keys) if keys is not None else _shared_keys(track_model)
    for song in _songs(looked_at, track_model):
        groups[song.key].append(song)
    shared = [songs for songs in groups.values() if len(songs) > 1]
    artists = _first_artists([song for songs in shared if _may_differ(songs) for song in songs], credit_model)
    apart = [(song, is_told) for songs in shared for song, is_told in _strangers(songs, artists)]
    for start in range(0, len(apart), _BATCH):
        _give_own_keys(apart[start : start + _BATCH], track_model, credit_model)
    return len(apart)


def _shared_keys(track_model: Any) -> list[str]:
    # This reads only the index on the keys, no songs.
    counted = track_model.objects.order_by().values("recording_key").annotate(songs=Count("pk")).filter(songs__gt=1)
    return list(counted.values_list("recording_key", flat=True))


def _songs(keys: list[str], track_model: Any) -> Iterable[_Song]:
    """Yield the songs of those keys, the oldest first."""
    for start in range(0, len(keys), _BATCH):
        songs = track_model.objects.filter(recording_key__in=keys[start : start + _BATCH])
        columns = ("pk", "recording_key", "title", "album", "duration_ms", "artist_names")
        yield from map(_Song._make, songs.order_by("pk").values_list(*columns))


def _may_differ(songs: list[_Song]) -> bool:
    """Return whether the songs may have several first artists, that is, whether these are not all spelled alike."""
    return len({song.artist_names.partition(", ")[0] for song in songs}) > 1


def _first_artists(songs: list[_Song], credit_model: Any) -> dict[int, tuple[int, str]]:
    """Return id and name of each song's first artist."""
    first: dict[int, tuple[int, str]] = {}
    for start in range(0, len(songs), _BATCH):
        pks = [song.pk for song in songs[start : start + _BATCH]]
        credited = credit_model.objects.filter(track__in=pks).order_by("track", "-position")
        for track, artist, name in credited.values_list("track_id", "artist_id", "artist__name"):
            first[track] = artist, name
    return first


def _strangers(songs: list[_Song], artists: dict[int, tuple[int, str]]) -> Iterator[tuple[_Song, bool]]:
    """Yield the songs that are not versions of the oldest, and whether signs in their names distinguish them."""
    oldest, *others = songs
    bare = next(filter(_is_bare, songs), oldest)
    signs = next(filter(None, (signs_of(base_title(song.title)) for song in songs)), "")
    for song in others:
        own_signs = signs_of(base_title(song.title))
        if (own_signs and own_signs != signs) or _are_two_artists(artists.get(oldest.pk), artists.get(song.pk)):
            yield song, True
        elif song is not bare and _is_bare(song) and _is_another(song, bare):
            yield song, False


def _are_two_artists(artist: tuple[int, str] | None, other: tuple[int, str] | None) -> bool:
    if artist is None or other is None or artist[0] == other[0]:
        return False
    return exact_name(artist[1]) != exact_name(other[1])


def _is_bare(song: _Song) -> bool:
    """Return whether album and length are known and the title names no version."""
    return song.duration_ms is not None and bool(song.album) and base_title(song.title) == song.title


def _is_another(song: _Song, other: _Song) -> bool:
    """Return whether two songs are on different albums and clearly differ in length."""
    if song.duration_ms is None or other.duration_ms is None:
        return False
    return differ_clearly(song.duration_ms, other.duration_ms) and fold_name(song.album) != fold_name(other.album)


def _give_own_keys(songs: list[tuple[_Song, bool]], track_model: Any, credit_model: Any) -> None:
    first = _first_artists([song for song, _is_told in songs], credit_model)
    changed = []
    for song, is_told in songs:
        _artist, name = first.get(song.pk, (0, ""))
        key = told_recording_key(song.title, name) if is_told else own_recording_key(song.title, name, song.album)
        changed.append(track_model(pk=song.pk, recording_key=key))
    track_model.objects.bulk_update(changed, ["recording_key"])
