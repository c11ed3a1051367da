r"""Artists parted by commas in one field, where names hold commas as well.

Some tools write a comma within a name as ``\,``; others name the artists' ids beside them, so that it is known how
many there are.
"""

import re
from collections.abc import Callable, Sequence
from itertools import combinations

_COMMA = re.compile(r"(?<!\\),\s*")
_END_OF_NAME = re.compile(r"(?:jr|sr|and|the)\b|&\s|.* (?:&|and|y|e|und|et|och) ", re.IGNORECASE)
# A list of more has too many ways to be put together.
_MOST_PARTS = 12


def has_escapes(text: str) -> bool:
    """Return whether ``text`` writes a comma within a name with a backslash."""
    return "\\," in text


def plain(name: str) -> str:
    """Return a name without the backslash before its commas."""
    return name.replace("\\,", ",").strip()


def parts_of(text: str) -> list[str]:
    """Return what the commas part that no backslash stands before."""
    return [part for part in map(plain, _COMMA.split(text)) if part]


def joined_parts(text: str, ends: Sequence[int]) -> list[str]:
    """Return the parts of ``text``, joined as it writes them up to each of ``ends`` (numbers of parts)."""
    places = [0]
    starts = []
    for comma in _COMMA.finditer(text):
        starts.append(comma.start())
        places.append(comma.end())
    starts.append(len(text))
    return [plain(text[places[first] : starts[end - 1]]) for first, end in zip((0, *ends), ends, strict=False)]


def in_so_many(text: str, number: int, is_name: Callable[[str], bool] = lambda _name: False) -> list[str]:
    """Return the ``number`` names in ``text``: all of its parts, or some of them joined again.

    Joined are those that make a name by ``is_name`` or read like one ("Tyler, The Creator"), and those with a blank
    behind their comma where the others have none. More names than there are parts are all parts.
    """
    parts = parts_of(text)
    if number >= len(parts) or number < 1 or len(_COMMA.findall(text)) != len(parts) - 1:
        return parts
    if number == 1:
        return [plain(text)]
    if len(parts) > _MOST_PARTS:
        return parts
    bare = [comma == "," for comma in _COMMA.findall(text)]
    ways = [(*ends, len(parts)) for ends in combinations(range(1, len(parts)), number - 1)]
    return max((joined_parts(text, ends) for ends in ways), key=lambda names: _likelihood(names, bare, is_name))


def _likelihood(names: Sequence[str], bare: Sequence[bool], is_name: Callable[[str], bool]) -> int:
    total = 0
    at = 0
    for name in names:
        parts = parts_of(name)
        at += len(parts)
        if is_name(name):
            total += 3 * len(parts)
        elif len(parts) > 1:
            total += 2 if _END_OF_NAME.match(parts[-1]) else -1
        if at <= len(bare) and any(bare) and not all(bare):
            total += 4 if bare[at - 1] else -4
    return total


def number_of_ids(text: str) -> int:
    """Return how many ids a field names, 0 for none."""
    return len([part for part in re.split(r"[,;|\s]+", text.strip(" []()'\"")) if part.strip("'\"")])
