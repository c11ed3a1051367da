"""Chooses the songs of a group: the least pleased member is pleased as much as possible, then all of them together.

Scores of different listeners have different scales, so each listener's are standardised over the candidates. Songs are
then chosen one after the other, each so that the smallest of the members' sums so far becomes as large as it can, and
of equals the one with the largest sum over the members. The first is "least misery" of Masthoff (2011, "Group
Recommender Systems: Combining Individual Models", Recommender Systems Handbook), taken over the list rather than each
song; the greedy way is that of Xiao et al. (2017, "Fairness-Aware Group Recommendation with Pareto-Efficiency",
RecSys). After that single songs are exchanged for others as long as the least pleased, or of equals all together, gain
by it: no exchange of one song makes the list better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

PER_ARTIST = 2
LARGEST = 2.0
FOR_FROM = 0.5
"""A song is for whoever's score of it lies so many deviations above their mean."""
MAX_EXCHANGES = 500
GAIN = 1e-9
"""Less is no gain: sums of the same numbers differ by so much by the order they were added in."""

Scores = NDArray[np.float64]


def standardise(scores: Scores) -> Scores:
    """Return each listener's scores, float64[listeners, songs], with mean 0 and deviation 1; 0 where all are equal.

    What lies further than LARGEST deviations from the mean is first brought to there: else two great favourites would
    stand for a whole list, and hide by their size which of the other songs fits better.
    """
    return _standard(np.clip(_standard(scores), -LARGEST, LARGEST))


def _standard(scores: Scores) -> Scores:
    centred = scores - scores.mean(axis=1, keepdims=True)
    deviation = scores.std(axis=1, keepdims=True)
    return np.asarray(np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-9))


def choose(standard: Scores, n: int, artists: Sequence[Collection[int]]) -> list[int]:
    """Return the columns of up to ``n`` songs; each next one is for whoever had least so far.

    ``standard``: what :func:`standardise` returns. ``artists``: those of each song; none is in more than two songs.
    """
    chosen = _greedy(standard, n, list(range(standard.shape[1])), artists)
    chosen = _exchanged(standard, chosen, artists)
    return _greedy(standard, n, sorted(chosen), artists)


def _greedy(standard: Scores, n: int, columns: list[int], artists: Sequence[Collection[int]]) -> list[int]:
    pleased, together = np.zeros(len(standard)), standard.sum(axis=0)
    of_artist: Counter[int] = Counter()
    left = np.array(columns, dtype=np.intp)
    chosen: list[int] = []
    while len(chosen) < n and len(left):
        # Rounded, so that equal sums are equal whatever order they were added in.
        least = (pleased[:, None] + standard[:, left]).min(axis=0).round(9)
        best = int(left[np.lexsort((-together[left].round(9), -least))[0]])
        left = left[left != best]
        if all(of_artist[artist] < PER_ARTIST for artist in artists[best]):
            chosen.append(best)
            pleased += standard[:, best]
            of_artist.update(artists[best])
    return chosen


def _exchanged(standard: Scores, chosen: list[int], artists: Sequence[Collection[int]]) -> list[int]:
    """Return the chosen columns after exchanges of one song, each of which makes the list better."""
    columns = list(chosen)
    for _exchange in range(MAX_EXCHANGES):
        exchange = next(_gains(standard, columns, artists), None)
        if exchange is None:
            break
        gone, new = exchange
        columns[columns.index(gone)] = new
    return columns


def _gains(standard: Scores, chosen: Sequence[int], artists: Sequence[Collection[int]]) -> Iterator[tuple[int, int]]:
    """Yield exchanges (a chosen column, another one) that make the list better and keep the artists' limit."""
    total = standard[:, list(chosen)].sum(axis=1)
    before = (total.min(), total.sum())
    of_artist = Counter(artist for column in chosen for artist in artists[column])
    others = np.setdiff1d(np.arange(standard.shape[1]), chosen)
    for gone in chosen:
        after = (total - standard[:, gone])[:, None] + standard[:, others]
        least, together = after.min(axis=0), after.sum(axis=0)
        is_better = (least > before[0] + GAIN) | ((least > before[0] - GAIN) & (together > before[1] + GAIN))
        for position in np.lexsort((-together, -least)):
            if not is_better[position]:
                continue
            new = int(others[position])
            if all(of_artist[artist] - (artist in artists[gone]) < PER_ARTIST for artist in artists[new]):
                yield gone, new


def for_whom(scores: Sequence[float]) -> list[int]:
    """Return the numbers of the listeners whom a song is for by its standard scores; at least the most pleased."""
    return [number for number, score in enumerate(scores) if score >= min(FOR_FROM, max(scores))]
