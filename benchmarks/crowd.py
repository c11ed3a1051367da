"""Invented listeners whose tastes come in clusters, so that all that is learned from others has something to learn.

Imported only after ``django.setup()``; `invent_songs` writes a catalogue for machines that have no real one.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from django.db import transaction
from django.utils import timezone
from numpy.typing import NDArray

from accounts.models import User
from catalog.models import Track
from feedback.plays.models import Play
from feedback.ratings.models import Rating

SEED = 600
GENRES_PER_LISTENER = 3
LIKES, LIKES_DEVIATION = 60.0, 0.8
"""Median and deviation of the logarithm of how many songs a listener likes."""
MOST_LIKES = 400
OWN_GENRES = 0.8
"""Share of the likes that are of the listener's genres."""
DISLIKES, PLAYS = 0.2, 3.0
"""For each like."""
POPULARITY_DOUBLING = 10.0
"""Points of popularity that make a song twice as likely to be come across."""


def invent_crowd(number: int) -> None:
    """Add `number` listeners with likes, dislikes, plays to the end and skips; always the same for the same songs."""
    rng = np.random.default_rng(SEED)
    by_genre, everything = _songs()
    users = User.objects.bulk_create(User(username=f"crowd{n}", email=f"crowd{n}@example.org") for n in range(number))
    now = timezone.now()
    with transaction.atomic():
        for user in users:
            _act(user, by_genre, everything, now, rng)


class _Songs:
    """Ids of songs (int64[n]) to be drawn, the popular ones more often."""

    def __init__(self, ids: list[int], popularity: list[int | None]) -> None:
        self._ids = np.array(ids, dtype=np.int64)
        figure = np.array([value or 0 for value in popularity], dtype=np.float64)
        self._cumulative = np.cumsum(np.exp2(figure / POPULARITY_DOUBLING))

    def draw(self, number: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return `number` ids, not distinct."""
        places = np.searchsorted(self._cumulative, rng.random(number) * self._cumulative[-1])
        return np.asarray(self._ids[places], dtype=np.int64)


def _songs() -> tuple[list[_Songs], _Songs]:
    """Return the songs of each genre that has some, and all songs."""
    pairs: dict[int, list[tuple[int, int | None]]] = {}
    active = Track.objects.active().order_by("pk")
    for pk, popularity, genre in active.values_list("pk", "popularity", "genres").order_by("genres", "pk"):
        if genre is not None:
            pairs.setdefault(genre, []).append((pk, popularity))
    of_genre = [_Songs(*map(list, zip(*songs, strict=True))) for songs in pairs.values()]
    return of_genre, _Songs(*map(list, zip(*active.values_list("pk", "popularity"), strict=True)))


def _act(user: User, by_genre: list[_Songs], everything: _Songs, now: datetime, rng: np.random.Generator) -> None:
    """Let one listener like songs mostly of neighbouring genres, and refuse songs mostly of others."""
    first = rng.integers(len(by_genre))
    own = [by_genre[(first + step) % len(by_genre)] for step in range(GENRES_PER_LISTENER)]
    number = min(int(LIKES * rng.lognormal(0.0, LIKES_DEVIATION)) + 2, MOST_LIKES)
    near = [songs.draw(int(number * OWN_GENRES / len(own)) + 1, rng) for songs in own]
    liked = np.unique(np.concatenate([*near, everything.draw(int(number * (1 - OWN_GENRES)), rng)]))
    refused = np.setdiff1d(everything.draw(int(number * DISLIKES), rng), liked)
    values = [(pk, Rating.Value.LIKE) for pk in liked] + [(pk, Rating.Value.DISLIKE) for pk in refused]
    Rating.objects.bulk_create(Rating(user=user, track_id=int(pk), value=value) for pk, value in values)
    Play.objects.bulk_create(_plays(user, liked, everything, now, rng))


def _plays(
    user: User, liked: NDArray[np.int64], everything: _Songs, now: datetime, rng: np.random.Generator
) -> Iterator[Play]:
    """Yield plays over a year: of liked songs to the end, of songs come across to the end or skipped."""
    for _ in range(int(PLAYS * len(liked))):
        is_liked = rng.random() < 0.6
        pk = rng.choice(liked) if is_liked else everything.draw(1, rng)[0]
        ended = is_liked or rng.random() < 0.3
        outcome = Play.Outcome.COMPLETED if ended else Play.Outcome.SKIPPED
        at = now - timedelta(days=365) * rng.random()
        yield Play(user=user, track_id=int(pk), played_at=at, outcome=outcome, ms_played=180_000)


def invent_songs(path: Path, number: int) -> None:
    """Write a catalogue of `number` songs that `import_tracks` reads: sizes are real, names and sound are not."""
    from benchmarks.invented import COLUMNS, N_GENRES, invent_catalogue

    rng = np.random.default_rng(SEED)
    catalogue = invent_catalogue(number, rng)
    length = rng.integers(120_000, 320_000, size=number)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["track_id", "artists", "album_name", "track_name", "popularity", "duration_ms", *COLUMNS, "track_genre"]
        )
        for row in range(number):
            sound = dict(zip(COLUMNS, catalogue.features[row].tolist(), strict=True))
            sound |= {"key": row % 12, "mode": row % 2, "loudness": -20 * sound["loudness"], "time_signature": 4}
            sound["tempo"] = 60 + 120 * sound["tempo"]
            names = [f"Artist {catalogue.artist_indices[row]}", f"Album {catalogue.album[row]}", f"Song {row}"]
            genre = catalogue.genre_indices[catalogue.genre_indptr[row]] % N_GENRES
            popularity = int(catalogue.popularity[row])
            writer.writerow([f"{row:022d}", *names, popularity, length[row], *sound.values(), f"genre {genre}"])
