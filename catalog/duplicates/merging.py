"""Making one song of several that are the same, without losing what listeners did with them."""

from collections.abc import Callable, Sequence

from django.db import transaction

from catalog.models import Track

MergeHandler = Callable[[Track, Track], None]
"""``handler(duplicate, keep)``: move all rows of ``duplicate`` to ``keep``; called inside the transaction."""

_handlers: list[MergeHandler] = []
# What the kept song takes over where it has nothing itself.
_FILLED = ("album", "popularity", "duration_ms", "explicit", "release_year", "preview_url", "cover_url", "isrc")


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
    """Move all that hangs on ``duplicates`` to ``keep``, which also takes over what it does not know itself.

    A duplicate with a Spotify id stays, hidden: otherwise the next import of the same file would bring it back. One
    without is deleted.

    Raises:
        MergeError: nothing to merge, or ``keep`` is among the duplicates.
    """
    if not duplicates:
        raise MergeError("at least two songs are needed")
    if keep.pk in {track.pk for track in duplicates}:
        raise MergeError("a song cannot be merged into itself")
    # One order for everybody, so that two merges at once wait for each other instead of locking each other out.
    list(Track.objects.select_for_update().filter(pk__in=[keep.pk, *(t.pk for t in duplicates)]).order_by("pk"))
    for duplicate in duplicates:
        _fill(keep, duplicate)
        for handler in _handlers:
            handler(duplicate, keep)
        if duplicate.spotify_id:
            duplicate.is_active = False
            duplicate.save(update_fields=["is_active", "updated_at"])
        else:
            duplicate.delete()
    keep.is_active = True
    names = [credit.artist.name for credit in keep.credits.select_related("artist").order_by("position")]
    keep.refresh_derived(names)
    keep.save()


def _fill(keep: Track, duplicate: Track) -> None:
    for name in _FILLED:
        if getattr(keep, name) in (None, ""):
            setattr(keep, name, getattr(duplicate, name))
    missing_or_estimated = (Track.FeaturesOrigin.NONE, Track.FeaturesOrigin.ESTIMATED)
    if duplicate.features and (not keep.features or keep.features_origin in missing_or_estimated):
        keep.features, keep.features_origin = duplicate.features, duplicate.features_origin
    keep.genres.add(*duplicate.genres.all())
