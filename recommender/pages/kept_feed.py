"""The page "For you" as it was left: read back from its record, song by song, until something changes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from accounts.models import User
from catalog.models import Track
from catalog.selectors import tracks_in_order
from feedback.ratings.selectors import ratings_by_track
from feedback.web.kept_feed import keep_feed, read_kept_feed
from recommender.engine import ShelfName
from recommender.models import Recommendation
from recommender.pages.explanations.phrases import Names
from recommender.pages.for_you import SIZES, Home, HomeSection, home_item, recommend_home

# With fewer of its songs left than this share the page is made anew.
ENOUGH = 0.5


@dataclass(frozen=True)
class KeptSection:
    """One section: its songs, each with the page whose record tells why it is there."""

    name: ShelfName
    anchor_id: int | None
    stance: Any
    entries: list[tuple[int, str]]


@dataclass(frozen=True)
class KeptFeed:
    """A page; ``replaced`` tells where each answered song was: section, place and page."""

    amount: float
    sections: list[KeptSection]
    replaced: dict[str, tuple[str, int, str]] = field(default_factory=dict)

    @property
    def track_ids(self) -> list[int]:
        """Return the ids of all its songs."""
        return [pk for section in self.sections for pk, _page in section.entries]


def current_home(user: User) -> Home | None:
    """Return the page as the listener left it, else a new one; ``None`` before the first retrain."""
    feed = kept_feed(user)
    home = None if feed is None else _home_of(user, feed)
    return home or new_home(user)


def new_home(user: User, *, without: Sequence[int] = ()) -> Home | None:
    """Make the page anew, if it can be with other songs than ``without``, and keep it."""
    home = recommend_home(user=user, exclude_ids=without)
    if without and home is not None and sum(len(section.items) for section in home.sections) < len(without) / 2:
        # A small catalogue has no more to offer.
        home = recommend_home(user=user)
    if home is not None:
        _write(user, _kept(home))
    return home


def shown_ids(user: User) -> list[int]:
    """Return the ids of the songs on the page as it was left."""
    feed = kept_feed(user)
    return [] if feed is None else feed.track_ids


def answered_section(
    user: User, feed: KeptFeed | None, name: ShelfName, track: Track, *, is_undo: bool
) -> HomeSection | None:
    """Put another song in the place of the one that was answered, or that one back; ``None`` if it is not on the page.

    ``feed`` is the page as it was before the answer, which lets go of it.
    """
    section = next((section for section in feed.sections if section.name == name), None) if feed else None
    if feed is None or section is None:
        return None
    changed = _put_back(feed, section, track) if is_undo else _replaced(user, feed, section, track)
    if changed is None:
        return None
    _write(user, changed)
    shown = next(section for section in changed.sections if section.name == name)
    tracks, records = _songs(user, changed)
    return _sections(replace(changed, sections=[shown]), tracks, records)[0]


def _replaced(user: User, feed: KeptFeed, section: KeptSection, track: Track) -> KeptFeed | None:
    index = next((number for number, (pk, _page) in enumerate(section.entries) if pk == track.pk), None)
    if index is None:
        return None
    fresh = recommend_home(user=user, sizes={section.name: 1}, exclude_ids=feed.track_ids)
    sections = fresh.sections if fresh else []
    # Another song would stand under a heading that is not its own.
    fits = bool(sections) and (sections[0].anchor and sections[0].anchor.pk) == section.anchor_id
    new = [(item.track.pk, item.page.hex) for item in sections[0].items[:1] if item.page] if fits else []
    entries = [*section.entries[:index], *new, *section.entries[index + 1 :]]
    replaced = {**feed.replaced, str(track.pk): (section.name, index, section.entries[index][1])}
    return _with(feed, replace(section, entries=entries), replaced)


def _put_back(feed: KeptFeed, section: KeptSection, track: Track) -> KeptFeed | None:
    name, index, page = feed.replaced.get(str(track.pk), ("", 0, ""))
    if name != section.name:
        return None
    entries = [entry for number, entry in enumerate(section.entries) if number != index]
    entries.insert(index, (track.pk, page))
    replaced = {pk: where for pk, where in feed.replaced.items() if pk != str(track.pk)}
    return _with(feed, replace(section, entries=entries), replaced)


def _with(feed: KeptFeed, section: KeptSection, replaced: dict[str, tuple[str, int, str]]) -> KeptFeed:
    sections = [section if other.name == section.name else other for other in feed.sections]
    return replace(feed, sections=sections, replaced=replaced)


def _home_of(user: User, feed: KeptFeed) -> Home | None:
    """Return the page, or ``None`` where too much of it is gone: hidden, rated elsewhere, its record deleted."""
    tracks, records = _songs(user, feed)
    if len(tracks) < ENOUGH * len(feed.track_ids):
        return None
    return Home([section for section in _sections(feed, tracks, records) if section.items], feed.amount)


def _songs(user: User, feed: KeptFeed) -> tuple[dict[int, Track], dict[tuple[int, str], Recommendation]]:
    """Return the songs that can still be shown, by id, and the records of all."""
    pages = {UUID(page) for section in feed.sections for _pk, page in section.entries}
    rows = Recommendation.objects.filter(user=user, page__in=pages)
    records = {(row.track_id, row.page.hex): row for row in rows}
    songs = tracks_in_order(feed.track_ids)
    marks = ratings_by_track(user, songs)
    return {track.pk: track for track in songs if track.pk not in marks}, records


def _sections(
    feed: KeptFeed, tracks: Mapping[int, Track], records: Mapping[tuple[int, str], Recommendation]
) -> list[HomeSection]:
    there = [
        (section, [records[entry] for entry in section.entries if entry[0] in tracks and entry in records])
        for section in feed.sections
    ]
    names = Names.of(row.reason for _section, rows in there for row in rows)
    ids = [section.anchor_id for section in feed.sections if section.anchor_id]
    anchors = Track.objects.in_bulk(ids) if ids else {}
    return [
        HomeSection(
            section.name,
            [home_item(tracks[row.track_id], row.reason, names, row.page, is_explored=row.is_explored) for row in rows],
            anchors.get(section.anchor_id or 0),
            section.stance,
        )
        for section, rows in there
    ]


def _kept(home: Home) -> KeptFeed:
    return KeptFeed(
        home.amount,
        [
            KeptSection(
                section.name,  # type: ignore[arg-type]
                None if section.anchor is None else section.anchor.pk,
                section.stance,
                [(item.track.pk, item.page.hex) for item in section.items if item.page is not None],
            )
            for section in home.sections
        ],
    )


def _setting_of(user: User) -> list[Any]:
    """Return what else the page follows from: with another setting another page is due."""
    return [user.adventure, user.explicit_allowed, user.region]


def _write(user: User, feed: KeptFeed) -> None:
    sections = [[part.name, part.anchor_id, part.stance, part.entries] for part in feed.sections]
    values = {"setting": _setting_of(user), "amount": feed.amount, "sections": sections, "replaced": feed.replaced}
    keep_feed(user.pk, values)


def kept_feed(user: User) -> KeptFeed | None:
    """Return the page as it was left, if nothing has changed it."""
    values = read_kept_feed(user.pk)
    if values is None or values["setting"] != _setting_of(user):
        return None
    sections = [
        KeptSection(name, anchor_id, stance, [(pk, page) for pk, page in entries])
        for name, anchor_id, stance, entries in values["sections"]
        if name in SIZES
    ]
    return KeptFeed(values["amount"], sections, {pk: tuple(where) for pk, where in values["replaced"].items()})
