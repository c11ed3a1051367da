"""Joins artists whose names now have the same key. The keys improve from release to release ("IŞIK" and "ışık" have
been one name since the dotless letter is known), and an artist with an outdated key would never get another song.
"""  # noqa: RUF002

from collections.abc import Callable
from typing import NamedTuple

from django.db import IntegrityError, transaction

from catalog.identity.text import (
    TITLE_LENGTH,
    artist_key,
    exact_artist_key,
    exact_name,
    fold_name,
    is_told_by_signs,
)
from catalog.models import Artist, Track, TrackArtist

ArtistHandler = Callable[[Artist, Artist], None]
"""``handler(duplicate, keep)``: move all rows of ``duplicate`` to ``keep``; called inside the transaction."""

_handlers: list[ArtistHandler] = []


class JoinedArtist(NamedTuple):
    """The names of a joined artist and of the one who now has the songs."""

    name: str
    other: str


def register_artist_handler(handler: ArtistHandler) -> None:
    """Have ``handler(duplicate, keep)`` called for every artist that is joined with another.

    Registering the same handler again changes nothing.
    """
    if handler not in _handlers:
        _handlers.append(handler)


def join_artists() -> list[JoinedArtist]:
    """Update the keys of artists; join those whose new key another artist has.

    Return who was joined with whom, in the order of their age.
    """
    joined = []
    for pk, name, key in Artist.objects.order_by("pk").values_list("pk", "name", "key").iterator(2000):
        # The folding of other names has never changed.
        if name.isascii() or key == artist_key(name):
            continue
        is_signed = is_told_by_signs(fold_name(name), exact_name(name))
        if not (is_signed and key == exact_artist_key(name)) and (other := _renewed(pk, is_signed=is_signed)):
            joined.append(other)
    return joined


@transaction.atomic
def _renewed(pk: int, *, is_signed: bool) -> JoinedArtist | None:
    """Give one artist its key, or join it with the artist who has it."""
    artist = Artist.objects.select_for_update().filter(pk=pk).first()
    if artist is None:
        return None
    keep = Artist.objects.select_for_update().filter(key=artist_key(artist.name)).exclude(pk=pk).first()
    if keep is None:
        _rekey(artist, artist_key(artist.name))
        return None
    if exact_name(keep.name) != exact_name(artist.name):
        # Another artist, distinguished only by signs.
        _rekey(artist, exact_artist_key(artist.name) if is_signed else artist.key)
        return None
    _move_credits(artist, keep)
    for handler in _handlers:
        handler(artist, keep)
    artist.delete()
    return JoinedArtist(artist.name, keep.name)


def _rekey(artist: Artist, key: str) -> None:
    try:
        with transaction.atomic():
            Artist.objects.filter(pk=artist.pk).update(key=key)
    except IntegrityError:
        # Another process holds it; the next import tries again.
        pass


def _move_credits(duplicate: Artist, keep: Artist) -> None:
    songs = list(Track.objects.filter(credits__artist=duplicate).order_by("pk"))
    credited = set(TrackArtist.objects.filter(artist=keep).values_list("track_id", flat=True))
    for song in songs:
        credit = TrackArtist.objects.filter(track=song, artist=duplicate)
        if song.pk in credited:
            credit.delete()
        else:
            credit.update(artist=keep)
        names = song.credits.order_by("position").values_list("artist__name", flat=True)
        Track.objects.filter(pk=song.pk).update(artist_names=", ".join(names)[:TITLE_LENGTH])
