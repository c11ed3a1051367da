"""Merging duplicate songs without losing the feedback on them."""

from collections.abc import Callable, Sequence

from django.db import transaction

from catalog.models import ServerSong, Track, TrackCode

MergeHandler = Callable[[Track, Track], None]
"""``handler(duplicate, keep)``: move all rows of ``duplicate`` to ``keep``; called inside the transaction."""

_handlers: list[MergeHandler] = []
# Fields that the kept song takes over if its own are empty.
_FILLED = (
    "album", "popularity", "duration_ms", "explicit", "release_year", "preview_url", "cover_url", "isrc", "mbid",
)  # fmt: skip


class MergeError(ValueError):
    """These songs cannot be merged; the message says why."""


def register_merge_handler(handler: MergeHandler) -> None:
    """Have ``handler(duplicate, keep)`` called for every duplicate; apps above call this in ``AppConfig.ready``.

    Registering the same handler again changes nothing.
    """
    if handler not in _handlers:
        _handlers.append(handler)


@transaction.atomic
def merge_tracks(*, keep: Track, duplicates: Sequence[Track]) -> None:
    """Move everything that refers to ``duplicates`` to ``keep``, which also takes over values that it lacks. A
    duplicate with a Spotify id stays, hidden, because the next import of the same file would bring it back. A duplicate
    without one is deleted.

    Raises:
        MergeError: nothing to merge, or ``keep`` is among the duplicates.
    """
    if not duplicates:
        raise MergeError("at least two songs are needed")
    if keep.pk in {track.pk for track in duplicates}:
        raise MergeError("a song cannot be merged into itself")
    # Locked in one order, so that two concurrent merges wait for each other instead of deadlocking.
    list(Track.objects.select_for_update().filter(pk__in=[keep.pk, *(t.pk for t in duplicates)]).order_by("pk"))
    for duplicate in duplicates:
        _fill(keep, duplicate)
        _move_files(keep, duplicate)
        for handler in _handlers:
            handler(duplicate, keep)
        if duplicate.spotify_id:
            duplicate.is_active = False
            duplicate.save(update_fields=["is_active", "has_file", "updated_at"])
        else:
            duplicate.delete()
    keep.is_active = True
    names = [credit.artist.name for credit in keep.credits.select_related("artist").order_by("position")]
    keep.refresh_derived(names)
    keep.save()


def _move_files(keep: Track, duplicate: Track) -> None:
    """Have what music servers have of ``duplicate`` be ``keep``'s, and its codes, the first of them among these."""
    ServerSong.objects.filter(track=duplicate).update(track=keep)
    keep.has_file, duplicate.has_file = keep.has_file or duplicate.has_file, False
    codes = set(duplicate.codes.values_list("scheme", "value"))
    codes |= {(TrackCode.Scheme.ISRC, duplicate.isrc), (TrackCode.Scheme.MBID, duplicate.mbid)}
    known = {("isrc", keep.isrc), ("mbid", keep.mbid), ("isrc", ""), ("mbid", "")}
    codes = {(str(scheme), value) for scheme, value in codes} - known
    rows = [TrackCode(track=keep, scheme=scheme, value=value) for scheme, value in sorted(codes)]
    TrackCode.objects.bulk_create(rows, ignore_conflicts=True)
    duplicate.codes.all().delete()


def _worth(track: Track) -> int:
    """Return the rank of a song's features: what was estimated or measured here gives way to what was imported."""
    origins = (Track.FeaturesOrigin.NONE, Track.FeaturesOrigin.ESTIMATED, Track.FeaturesOrigin.MEASURED)
    return origins.index(track.features_origin) if track.features_origin in origins else len(origins)


def _fill(keep: Track, duplicate: Track) -> None:
    for name in _FILLED:
        if getattr(keep, name) in (None, ""):
            setattr(keep, name, getattr(duplicate, name))
    if duplicate.features and (not keep.features or _worth(duplicate) > _worth(keep)):
        keep.features, keep.features_origin = duplicate.features, duplicate.features_origin
    keep.genres.add(*duplicate.genres.all())
