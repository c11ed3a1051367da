"""Compares the songs of a chunk with the database: what is new, what changes, what stays.

The rules of an update: a known value of the file replaces the stored one, an unknown one never erases it; genres are
added, never taken away; ``is_active`` is the operator's; audio features entered by an operator stay as they are;
estimated ones give way to the file's.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from catalog.features import FEATURE_NAMES
from catalog.importing.reading.reader import SongRow
from catalog.importing.writing.merge import CREATED, FEATURE_BIT, SEEN, UPDATED, VALUE_FIELDS, ImportState, known_fields
from catalog.models import Track

_PLAIN = tuple((bit, name) for bit, name in enumerate(VALUE_FIELDS) if name != "artists")
_ARTISTS_BIT = 1 << VALUE_FIELDS.index("artists")


class StoredSong(NamedTuple):
    """A song as the database holds it; ``artists`` are names in credit order, ``artist_keys`` their keys."""

    pk: int
    values: dict[str, Any]
    features: dict[str, float | int]
    features_origin: str
    artists: tuple[str, ...]
    artist_keys: tuple[str, ...]
    genres: frozenset[str]


@dataclass(slots=True)
class Change:
    """The values to be written for a stored song."""

    song: StoredSong
    values: dict[str, Any] = field(default_factory=dict)
    artists: tuple[str, ...] | None = None
    genres: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.values or self.artists is not None or self.genres)


@dataclass(slots=True)
class Plan:
    """What a chunk does, and the counts and states that hold once it is done."""

    created: list[SongRow] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    state_by_pk: dict[int, int] = field(default_factory=dict)
    updated: int = 0
    unchanged: int = 0


@dataclass(frozen=True)
class Rules:
    """How songs of one file are compared with the database's.

    ``artist_key`` gives the key of an artist of the file; ``joins_artists``: each row names one artist of its song.
    """

    features_origin: Track.FeaturesOrigin
    artist_key: Callable[[str], str]
    joins_artists: bool = False


def make_plan(
    songs: Mapping[Hashable, SongRow], stored: Mapping[Hashable, StoredSong], state: ImportState, rules: Rules
) -> Plan:
    """Compare ``songs`` with ``stored`` (same keys) and return what to do; nothing is written."""
    plan = Plan()
    for key, row in songs.items():
        song = stored.get(key)
        if song is None:
            plan.created.append(row)
            continue
        bits = plan.state_by_pk.get(song.pk, state[song.pk])
        known = known_fields(row)
        change = _change(row, song, known & ~bits, rules)
        if rules.joins_artists and known & bits & _ARTISTS_BIT:
            change.artists = _joined(row, song, rules)
        plan.unchanged += not bits
        if change:
            plan.changes.append(change)
            if not bits & (CREATED | UPDATED):
                plan.updated += 1
                plan.unchanged -= 1
                bits |= UPDATED
        plan.state_by_pk[song.pk] = bits | known | SEEN
    return plan


def _joined(row: SongRow, song: StoredSong, rules: Rules) -> tuple[str, ...] | None:
    """Return the artists of a song of which this run has taken some already and ``row`` names others."""
    new = [name for name in row.artists if name not in song.artists and rules.artist_key(name) not in song.artist_keys]
    return (*song.artists, *new) if new else None


def _change(row: SongRow, song: StoredSong, taken: int, rules: Rules) -> Change:
    """Return how ``row`` changes ``song``; ``taken`` are the bits of the values that count."""
    change = Change(song)
    for bit, name in _PLAIN:
        if taken >> bit & 1 and getattr(row, name) != song.values[name]:
            change.values[name] = getattr(row, name)
    if taken & _ARTISTS_BIT and row.artists != song.artists:
        # Another spelling is still the same artist.
        new = tuple(dict.fromkeys(map(rules.artist_key, row.artists)))
        is_known = rules.joins_artists and set(new) <= set(song.artist_keys)
        change.artists = row.artists if new != song.artist_keys and not is_known else None
    if row.genres and not song.genres.issuperset(row.genres):
        change.genres = tuple(genre for genre in row.genres if genre not in song.genres)
    if taken >> FEATURE_BIT and song.features_origin != Track.FeaturesOrigin.OPERATOR:
        change.values.update(_changed_features(row, song, taken >> FEATURE_BIT, rules.features_origin))
    return change


def _changed_features(
    row: SongRow, song: StoredSong, taken: int, features_origin: Track.FeaturesOrigin
) -> dict[str, Any]:
    known = {
        name: value
        for bit, (name, value) in enumerate(zip(FEATURE_NAMES, row.features, strict=True))
        if taken >> bit & 1
    }
    if not known:
        return {}
    # Values of two sources do not mix: the origin is one for all.
    is_replaced = song.features_origin in (Track.FeaturesOrigin.ESTIMATED, Track.FeaturesOrigin.MEASURED)
    features = known if is_replaced else {**song.features, **known}
    if features == song.features and not is_replaced:
        return {}
    return {"features": features, "features_origin": features_origin}
