"""Manual changes of the catalogue; files are imported by :mod:`catalog.importing`."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from catalog.duplicates.recordings import part_recordings
from catalog.features import SOUND_COLUMNS, check_features
from catalog.models import Artist, Track, TrackArtist
from catalog.search.words import note_words

_BATCH = 500
_DERIVED = ("artist_names", "recording_key", "search_key", "search_text")


@transaction.atomic
def set_shown(*, tracks: QuerySet[Track], is_active: bool) -> int:
    """Show or hide songs; return how many were not so already."""
    return tracks.exclude(is_active=is_active).order_by().update(is_active=is_active, updated_at=timezone.now())


@transaction.atomic
def refresh_derived(*, tracks: QuerySet[Track]) -> int:
    """Bring the derived columns of ``tracks`` in line with titles, albums and credits; return how many changed."""
    credited = tracks.order_by("pk").prefetch_related("credits__artist")
    changed = 0
    for batch in _batches(credited):
        stale = [track for track in batch if _refresh(track)]
        Track.objects.bulk_update(stale, _DERIVED)
        note_words(track.search_text for track in stale)
        part_recordings({track.recording_key for track in stale})
        changed += len(stale)
    return changed


@transaction.atomic
def set_credits(*, track: Track, artists: Sequence[Artist]) -> None:
    """Credit ``artists``, in this order, and bring the derived columns up to date.

    Raises:
        ValueError: an artist is named twice.
    """
    if len({artist.pk for artist in artists}) != len(artists):
        raise ValueError("an artist is named twice")
    track.credits.all().delete()
    TrackArtist.objects.bulk_create(
        TrackArtist(track=track, artist=artist, position=position) for position, artist in enumerate(artists)
    )
    refresh_derived(tracks=Track.objects.filter(pk=track.pk))


@transaction.atomic
def set_features(*, track: Track, features: dict[str, float | int]) -> None:
    """Replace a song's audio features by the operator's values.

    Raises:
        FeatureError: a value does not fit the schema.
    """
    track.features = check_features(features)
    track.features_origin = Track.FeaturesOrigin.OPERATOR if track.features else Track.FeaturesOrigin.NONE
    track.save(update_fields=["features", "features_origin", "updated_at"])


@transaction.atomic
def set_estimated_features(*, estimates: Mapping[int, dict[str, float | int]]) -> int:
    """Give songs without measured features the estimated ones, by song id; return how many changed.

    ``updated_at`` does not change, because an estimate is no new information and must not cause a retrain.
    """
    changed = 0
    unmeasured = Track.objects.filter(features_origin__in=[Track.FeaturesOrigin.NONE, Track.FeaturesOrigin.ESTIMATED])
    for ids in _id_batches(list(estimates)):
        # Locked, so that what is measured meanwhile is not overwritten.
        rows = unmeasured.filter(pk__in=ids).order_by("pk").select_for_update()
        tracks = [track for track in rows if track.features != estimates[track.pk]]
        for track in tracks:
            track.features = estimates[track.pk]
            track.features_origin = Track.FeaturesOrigin.ESTIMATED
            for name in SOUND_COLUMNS:
                setattr(track, name, track.features.get(name))
        Track.objects.bulk_update(tracks, ["features", "features_origin", *SOUND_COLUMNS])
        changed += len(tracks)
    return changed


def _id_batches(ids: list[int]) -> Iterable[list[int]]:
    return (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))


def rename_artist(*, artist: Artist) -> int:
    """Save an artist whose name was changed, and all songs that show it; return how many songs changed."""
    artist.save()
    return refresh_derived(tracks=Track.objects.filter(credits__artist=artist))


def _refresh(track: Track) -> bool:
    before = [getattr(track, name) for name in _DERIVED]
    shown = sorted(track.credits.all(), key=lambda credit: credit.position)
    track.refresh_derived([credit.artist.name for credit in shown])
    return before != [getattr(track, name) for name in _DERIVED]


def _batches(tracks: QuerySet[Track]) -> Iterable[list[Track]]:
    rows = tracks.iterator(chunk_size=_BATCH)
    while batch := list(islice(rows, _BATCH)):
        yield batch
