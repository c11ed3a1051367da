"""Decides which plays of different sources are one listen: the same recording at the same time. Sources record the
start or the end of a listen, to the second or to the minute. Plays of one source are never one listen, because a short
song may be heard twice within a minute.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

MINUTE = 60
_HOUR, DAY = 3600, 86_400
# Clocks differ, a song may be paused, and some tools note the moment of sending.
TOLERANCE = 20
_SAME_MS = 1500
# Spotify's listings that record the end of a play and its listening time.
_ENDS = frozenset({"spotify", "spotify-year"})
# The one of them that tells all that was heard, to the second, and the seconds by which others differ.
PAUSING, _SLACK = "spotify", 5
# Listings with times to the minute, besides those named so.
_MINUTES = frozenset({"spotify-year"})
# Scrobbles: with the start known to some seconds, or with a time during or after the listen.
LIVE, LIVE_ABOUT = "scrobble", "scrobble-about"
# Assumed length of such a listen if it is unknown.
LENGTH_MS = 240_000
# Listings of songs heard for at least half their length, which is at least 30 seconds.
_SCROBBLES = frozenset({"lastfm", "listenbrainz", "listenbrainz-spotify", "maloja", LIVE, LIVE_ABOUT})
_SHORTEST_SCROBBLE_MS = 15_000
# An end and a start at the same second count as one listen if nothing nearer is found.
LAST = MINUTE + 1
# Spotify's API, and what others read or saved from there: the time may be the start or the end.
CONNECTION = "spotify-api"
_EITHER = frozenset({CONNECTION, "spotify-recent", "listenbrainz-spotify", "own-spotify"})
# Counts of plays by song and day: a play of that song on that day is one of them.
DAILY = "apple-day"
# Farther than a start told to the second, so that such a one is taken first.
_SAME_DAY = 37
_RANKS = {"site": 9, "spotify": 8, "own": 7, "apple": 6, "maloja": 5, "listenbrainz": 5, LIVE: 5, LIVE_ABOUT: 4,
          "rockbox": 4, "youtube": 3, "lastfm": 3, CONNECTION: 2, "spotify-recent": 2, "listenbrainz-spotify": 2,
          "own-spotify": 2, "exportify": 1, DAILY: 0}  # fmt: skip


@dataclass(eq=False, slots=True)
class Listen:
    """A play as one source records it.

    ``at``, ``start``: whole seconds since 1970; ``ms``: how long it was heard, ``None`` where unknown; ``listing``:
    the source, or the kind of file; ``number``: what the caller knows it by. Where another listing is of the same
    ``family``, it tells the same things.
    """

    recording: str
    at: int
    ms: int | None
    listing: str
    number: int
    family: str = ""
    start: int = field(init=False)
    # Since when nothing else was heard, as far as its source tells: it may have begun then, and been paused.
    earliest: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.family = self.family or self.listing.removesuffix("-min")
        self.start = self.at - (self.ms or 0) // 1000 if self.family in _ENDS else self.at

    @property
    def starts(self) -> tuple[int, ...]:
        """Return the seconds at which it may have begun: two where ``at`` may be the end."""
        if self.family not in _EITHER or self.ms is None:
            return (self.start,)
        return self.start, self.at - self.ms // 1000

    @property
    def ends(self) -> tuple[int, ...]:
        """Return the seconds at which it may have ended, as far as that is known."""
        if self.family in _ENDS or self.family in _EITHER:
            return (self.at,)
        return () if self.ms is None else (self.at + self.ms // 1000,)

    @property
    def moments(self) -> set[int]:
        """Return the seconds at which it may have begun or ended."""
        return {self.at, *self.starts, *self.ends}

    @property
    def rank(self) -> tuple[int, bool, bool]:
        """Return how detailed the source is; the richer record is kept."""
        return _RANKS.get(self.family, 4), not self.listing.endswith("-min"), self.ms is not None


def distance(listen: Listen, other: Listen) -> int | None:
    """Return the seconds between two records of one listen; ``None`` if they are two listens."""
    if _is_too_short(listen, other) or _is_too_short(other, listen):
        return None
    if DAILY in (listen.family, other.family) or LIVE_ABOUT in (listen.family, other.family):
        return _apart_loosely(listen, other)
    is_end, is_other_end = listen.family in _ENDS, other.family in _ENDS
    is_same = listen.at == other.at and (listen.ms is None or other.ms is None or listen.ms == other.ms)
    if is_same and is_end == is_other_end:
        return 0
    if is_end and is_other_end:
        if abs((listen.ms or 0) - (other.ms or 0)) > _SAME_MS:
            return None
        apart = abs(listen.at - other.at)
    else:
        apart = abs(listen.start - other.start)
        if listen.family in _EITHER or other.family in _EITHER:
            apart = _apart_either(listen, other)
    if apart <= max(_tolerance(listen, other), _tolerance(other, listen)):
        return apart
    return LAST if is_same or _is_paused(listen, other) or _is_paused(other, listen) else None


def note_pauses(listens: Iterable[Listen], ends: Iterable[int]) -> None:
    """Note for each listen that tells its end since when nothing else was heard: ``ends`` are those of its listing.

    A pause longer than what was heard leaves room for another listen of that song, so that it does not count.
    """
    ordered = sorted(ends)
    for listen in listens:
        position = bisect_right(ordered, listen.start + _SLACK) - 1
        if listen.listing == PAUSING and position >= 0:
            listen.earliest = max(ordered[position], listen.start - (listen.ms or 0) // 1000 + _SLACK)


def _is_paused(listen: Listen, other: Listen) -> bool:
    """Return whether ``other`` tells the start of what was paused before ``listen`` ended."""
    if listen.earliest is None or other.family not in _SCROBBLES:
        return False
    return listen.earliest - _SLACK <= other.start <= listen.start


def _apart_either(listen: Listen, other: Listen) -> int:
    """Return the seconds between two records where the time of one may be that of the start or of the end."""
    starts = [abs(start - other_start) for start in listen.starts for other_start in other.starts]
    ends = [abs(end - other_end) for end in listen.ends for other_end in other.ends]
    return min([*starts, *ends, abs(listen.at - other.at)])


def _apart_loosely(listen: Listen, other: Listen) -> int | None:
    is_by_day = DAILY in (listen.family, other.family)
    return _apart_by_day(listen, other) if is_by_day else _apart_about(listen, other)


def _apart_by_day(listen: Listen, other: Listen) -> int | None:
    """Return a distance by the hour where one was counted by the day, ``None`` on two days."""
    if listen.start // DAY != other.start // DAY:
        return None
    return _SAME_DAY + abs(listen.start // _HOUR - other.start // _HOUR)


def _apart_about(listen: Listen, other: Listen) -> int | None:
    """Return the same where one was told in or after the listen: not before it, and a minute after it at most."""
    apart = listen.start - other.start if listen.family == LIVE_ABOUT else other.start - listen.start
    longest = (max(listen.ms or 0, other.ms or 0) or LENGTH_MS) // 1000 + MINUTE
    first = -longest if listen.family == other.family else -TOLERANCE
    return abs(apart) if first <= apart <= longest else None


def _tolerance(listen: Listen, other: Listen) -> int:
    """Return how far the time of ``one`` may lie from that of ``other``."""
    # A time to the minute has no seconds.
    if listen.at % MINUTE or listen.family == LIVE:
        return TOLERANCE
    if listen.listing.endswith(("-min", "-before")) or listen.family in _MINUTES or other.ms is None:
        return MINUTE
    # A full minute may also be the true second: then what is over before the other begins is another listen.
    return max(TOLERANCE, min(MINUTE, other.ms // 1000))


def _is_too_short(listen: Listen, other: Listen) -> bool:
    """Return whether ``one`` was heard for too short a time to be what ``other`` tells as heard."""
    return other.family in _SCROBBLES and listen.family in _ENDS and (listen.ms or 0) < _SHORTEST_SCROBBLE_MS


def pair(new: Iterable[Listen], known: Sequence[Listen]) -> dict[int, Listen]:
    """Return, by the numbers of ``new`` listens of one listing, which of the ``known`` ones of others they are.

    Each known one is paired once, the nearest first.
    """
    by_recording = _by_recording(known)
    return nearest(
        (apart, listen, other)
        for listen in new
        for other in by_recording.get(listen.recording, ())
        if other.listing != listen.listing and (apart := distance(listen, other)) is not None
    )


def at_one_time(new: Iterable[Listen], known: Iterable[Listen]) -> list[tuple[int, Listen, Listen]]:
    """Return which ``known`` listens of other recordings and listings began or ended when ``new`` ones did.

    Each with the seconds between them. Whether both mean one song, only their names can tell.
    """
    new, known = list(new), list(known)
    return [
        (apart, listen, other)
        for listen, other in chain(_within_a_minute(new, known), _of_one_day(new, known))
        if other.listing != listen.listing
        and other.recording != listen.recording
        and (apart := distance(listen, other)) is not None
        and apart < LAST
    ]


def _within_a_minute(new: Sequence[Listen], known: Sequence[Listen]) -> Iterator[tuple[Listen, Listen]]:
    by_minute: dict[int, list[Listen]] = defaultdict(list)
    for listen in known:
        for minute in {moment // MINUTE for moment in listen.moments}:
            by_minute[minute].append(listen)
    for listen in new:
        for minute in {moment // MINUTE + step for moment in listen.moments for step in (-1, 0, 1)}:
            for other in by_minute.get(minute, ()):
                yield listen, other


def _of_one_day(new: Sequence[Listen], known: Sequence[Listen]) -> Iterator[tuple[Listen, Listen]]:
    """Yield the pairs in which one listen comes from a daily count."""
    days: dict[tuple[int, bool], list[Listen]] = defaultdict(list)
    for listen in known:
        days[listen.start // DAY, listen.family == DAILY].append(listen)
    for listen in new:
        for is_daily in (True, False):
            if is_daily != (listen.family == DAILY):
                for other in days.get((listen.start // DAY, is_daily), ()):
                    yield listen, other


def nearest(candidates: Iterable[tuple[int, Listen, Listen]]) -> dict[int, Listen]:
    """Return, by the numbers of new listens, the known ones they are, each once; ``candidates`` as of `at_one_time`."""
    pairs: dict[int, Listen] = {}
    taken: set[int] = set()
    for _apart, listen, other in sorted(candidates, key=_order):
        if listen.number not in pairs and id(other) not in taken:
            pairs[listen.number] = other
            taken.add(id(other))
    return pairs


def _order(candidate: tuple[int, Listen, Listen]) -> tuple[int, ...]:
    apart, listen, other = candidate
    if listen.family in _EITHER or other.family in _EITHER:
        # A song played twice in a row: the end of the first is the start of the second, so they are taken in order.
        return (0 if apart <= TOLERANCE else apart), listen.at, other.at, listen.number
    return apart, listen.number


def told_by_others(new: Iterable[Listen], known: Sequence[Listen], pairs: dict[int, Listen]) -> dict[int, list[Listen]]:
    """Return, by the numbers of ``new`` listens that were paired, which other ``known`` ones tell them as well.

    Two sources may tell the start of a listen so far apart that only a third, between them, shows that it is one.
    """
    if not pairs:
        return {}
    left = set(map(id, known)) - set(map(id, pairs.values()))
    by_recording = _by_recording([other for other in known if id(other) in left]) if left else {}
    others: dict[int, list[Listen]] = {}
    for listen in new:
        if listen.number not in pairs or DAILY in (listen.family, pairs[listen.number].family):
            continue
        listings = {listen.listing, pairs[listen.number].listing}
        for other in by_recording.get(listen.recording, ()):
            is_left = id(other) in left and other.listing not in listings and other.family != DAILY
            apart = distance(listen, other) if is_left else None
            if apart is not None and apart < LAST:
                listings.add(other.listing)
                left.discard(id(other))
                others.setdefault(listen.number, []).append(other)
    return others


def doubles_among(listens: Sequence[Listen]) -> Iterator[tuple[Listen, Listen]]:
    """Yield each listen that another, richer one of the same recording tells as well, with that one."""
    # Of what was counted by the day, that is left which no other play accounts for.
    for alike in _by_recording(listen for listen in listens if listen.family != DAILY).values():
        if len(alike) > 1:
            yield from _doubles_of_one_song(sorted(alike, key=lambda listen: listen.at))


def spelled_doubles(
    candidates: Iterable[tuple[int, Listen, Listen]], doubles: Iterable[tuple[Listen, Listen]]
) -> dict[Listen, Listen]:
    """Return which listens duplicate richer ones under another spelling of the song, the nearest first.

    ``candidates`` are pairs as of :func:`at_one_time` that mean one song; ``doubles`` what :func:`doubles_among` found:
    no listing tells one listen twice, whatever it calls the song.
    """
    listings_of: defaultdict[Listen, set[str]] = defaultdict(set)
    for double, listen in doubles:
        listings_of[listen].add(double.listing)
    spelled: dict[Listen, Listen] = {}
    tellers: set[Listen] = set()
    for _apart, listen, other in sorted(candidates, key=lambda pair: (pair[0], pair[1].number, pair[2].number)):
        poorer, richer = sorted((listen, other), key=lambda item: (item.rank, -item.number))
        listings = {poorer.listing} | listings_of[poorer]
        # Listens that already have a duplicate, or are one, are settled.
        is_free = poorer not in spelled and poorer not in tellers and richer not in spelled
        if is_free and not listings & ({richer.listing} | listings_of[richer]):
            spelled[poorer] = richer
            tellers.add(richer)
            listings_of[richer] |= listings
    return spelled


def _doubles_of_one_song(listens: Sequence[Listen]) -> Iterator[tuple[Listen, Listen]]:
    # A pair lies at most a minute apart, so that only neighbours can be one; times of Spotify's are ends.
    ordered = sorted(listens, key=lambda listen: (listen.rank, -listen.number), reverse=True)
    entries: dict[int, list[tuple[Listen, set[str]]]] = defaultdict(list)
    for listen in ordered:
        near = [
            (apart, number, entry)
            for minute in {moment // MINUTE + step for moment in listen.moments for step in (-1, 0, 1)}
            for number, entry in enumerate(entries.get(minute, ()))
            if listen.listing not in entry[1] and (apart := distance(listen, entry[0])) is not None
        ]
        if near:
            entry = min(near, key=lambda item: item[:2])[2]
            entry[1].add(listen.listing)
            yield listen, entry[0]
        else:
            entry = (listen, {listen.listing})
            for minute in {moment // MINUTE for moment in listen.moments}:
                entries[minute].append(entry)


def _by_recording(listens: Iterable[Listen]) -> dict[str, list[Listen]]:
    grouped: dict[str, list[Listen]] = defaultdict(list)
    for listen in listens:
        grouped[listen.recording].append(listen)
    return grouped
