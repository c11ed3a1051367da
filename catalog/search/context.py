"""Corrects words by the songs that hold the other words of a query: "smells like ten spirit" finds "teen".

A word that other songs have is no typing error to :mod:`catalog.search.words`; nor is a short one. And initials are
written with full stops and without ("B.Y.O.B.", "byob").
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, combinations, groupby, islice

from catalog.models import Track
from catalog.search.index import matching
from catalog.search.words import LONGEST, choices_of, distance, most_errors

_SHORTEST = 3
_INITIALS = range(3, 7)
_BASES = 3
# Each is a query of the index; most find nothing, which is quick.
_MOST_TRIES = 20
_READ = 500
_SHOWN = 2
_WRITTEN_OUT = {"mister": "mr", "missus": "mrs", "doctor": "dr", "saint": "st", "versus": "vs", "junior": "jr"}
_SAME = {**_WRITTEN_OUT, **{short: long for long, short in _WRITTEN_OUT.items()}}


def initials(words: Sequence[str]) -> list[str] | None:
    """Return the other spelling of a query that is initials alone: ``byob`` as ``b y o b`` and back; else ``None``."""
    if len(words) > 1 and all(len(word) == 1 and word.isalpha() for word in words):
        return ["".join(words)]
    if len(words) == 1 and words[0].isalpha() and len(words[0]) in _INITIALS:
        return list(words[0])
    return None


def initials_within(words: Sequence[str]) -> Iterator[list[str]]:
    """Yield ``words`` with initials among them spelled the other way."""
    groups = [(is_letter, list(run)) for is_letter, run in groupby(words, lambda word: len(word) == 1)]
    joined = [word for is_letter, run in groups for word in (["".join(run)] if is_letter and len(run) > 1 else run)]
    if joined != list(words):
        yield joined
    for at, word in enumerate(words):
        if word.isalpha() and len(word) in _INITIALS:
            yield [*words[:at], *word, *words[at + 1 :]]


def in_context(words: Sequence[str]) -> Iterator[list[str]]:
    """Yield corrections of one word of ``words``, then of two, the likeliest first."""
    if len(words) == 1:
        return
    choices = choices_of(words)
    unknown = {at for at, similar in enumerate(choices) if not similar}
    bases: list[list[str]] = [[]]
    for word, similar in zip(words, choices, strict=True):
        bases = [[*base, other] for base in bases for other in similar or [word]][:_BASES]
    doubtful = [at for at, word in enumerate(words) if _SHORTEST <= len(word) <= LONGEST or word in _SAME]
    unsure = {at for at, similar in enumerate(choices) if similar != [words[at]]}
    singles = ((base, (at,)) for base in bases for at in doubtful if unknown <= {at})
    pairs = ((list(words), pair) for pair in combinations(doubtful, 2) if unsure <= set(pair))
    for base, places in islice(chain(singles, pairs), _MOST_TRIES):
        yield from _corrected(base, places)


def _corrected(words: list[str], places: tuple[int, ...]) -> Iterator[list[str]]:
    """Yield ``words`` with other words at ``places``, those of most of the songs that hold the rest first."""
    rest = [word for at, word in enumerate(words) if at not in places]
    if not any(len(word) >= _SHORTEST for word in rest):
        return
    texts = Track.objects.filter(pk__in=matching(rest, _READ)).order_by().values_list("search_text", flat=True)
    counts: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        near = tuple(_nearest(words[at], text.split()) for at in places)
        if all(near):
            counts[near] += 1
    for near, _songs in counts.most_common(_SHOWN):
        corrected = list(words)
        for at, word in zip(places, near, strict=True):
            corrected[at] = word
        if corrected != words:
            yield corrected


def _nearest(word: str, others: Sequence[str]) -> str:
    """Return that of ``others`` that ``word`` most probably stands for, "" where it stands for none."""
    if _SAME.get(word) in others:
        return _SAME[word]
    most = most_errors(word)
    slips = ((distance(word, other, most), other) for other in dict.fromkeys(others))
    return min(((number, other) for number, other in slips if number <= most), default=(0, ""))[1]
