"""The page "For you" as the listener left it, restored from the cache and the recorded impressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from accounts.models import User
from catalog.models import Track
from catalog.selectors import tracks_in_order
from feedback.ratings.selectors import ratings_by_track
from feedback.web.feed_cache import cache_feed, read_cached_feed
from recommender.engine import ShelfName
from recommender.models import Recommendation
from recommender.pages.explanations.phrases import Names
from recommender.pages.for_you import KNOWN_SHELVES, SIZES, ForYouPage, ForYouSection, for_you_item, recommend_for_you

# If less than this share of its songs is left, the page is computed again.
ENOUGH = 0.5


@dataclass(frozen=True)
class CachedSection:
    """One section: song IDs, each with the ID of the page whose impression holds its reason."""

    name: ShelfName
    anchor_id: int | None
    stance: Any
    entries: list[tuple[int, str]]


@dataclass(frozen=True)
class CachedFeed:
    """A page; ``replaced`` maps each rated song to where it was: section, index and page.

    ``token``: what was true of the site's serving when the page was made.
    """

    amount: float
    sections: list[CachedSection]
    token: str
    replaced: dict[str, tuple[str, int, str]] = field(default_factory=dict)

    @property
    def track_ids(self) -> list[int]:
        """Return the ids of all its songs."""
        return [pk for section in self.sections for pk, _page in section.entries]


def current_page(user: User, *, is_seen: bool = True) -> ForYouPage | None:
    """Return the page as the listener left it, else a new one. Return ``None`` before the first training.

    Without ``is_seen`` the new page is neither recorded nor cached.
    """
    feed = cached_feed(user)
    home = None if feed is None else _page_of(user, feed)
    if home is not None:
        return home
    return new_page(user) if is_seen else recommend_for_you(user=user, is_recorded=False)


def new_page(user: User, *, without: Sequence[int] = ()) -> ForYouPage | None:
    """Compute the page again, without the songs ``without`` if enough others are left, and cache it."""
    home = recommend_for_you(user=user, exclude_ids=without)
    if without and home is not None and sum(len(section.items) for section in home.sections) < len(without) / 2:
        # A small catalogue has no more to offer.
        home = recommend_for_you(user=user)
    if home is not None:
        _write(user, _cached_from(home))
    return home


def shown_ids(user: User) -> list[int]:
    """Return the ids of the songs on the page as it was left."""
    feed = cached_feed(user)
    return [] if feed is None else feed.track_ids


def section_after_rating(
    user: User, feed: CachedFeed | None, name: ShelfName, track: Track, *, is_undo: bool
) -> ForYouSection | None:
    """Replace the song that was rated by another one, or restore it; return ``None`` if it is not on the page.

    ``feed`` is the page as it was before the rating, which invalidates it.
    """
    section = next((section for section in feed.sections if section.name == name), None) if feed else None
    if feed is None or section is None:
        return None
    changed = _restored(feed, section, track) if is_undo else _replaced(user, feed, section, track)
    if changed is None:
        return None
    _write(user, changed)
    shown = next(section for section in changed.sections if section.name == name)
    return _sections(replace(changed, sections=[shown]), _songs(user, changed))[0]


def _replaced(user: User, feed: CachedFeed, section: CachedSection, track: Track) -> CachedFeed | None:
    index = next((number for number, (pk, _page) in enumerate(section.entries) if pk == track.pk), None)
    if index is None:
        return None
    fresh = recommend_for_you(user=user, sizes={section.name: 1}, exclude_ids=feed.track_ids)
    if fresh is not None and fresh.token != feed.token:
        # An experiment began or ended since: the page is made anew rather than mixed.
        return None
    sections = fresh.sections if fresh else []
    # A section about another song would not match the heading.
    fits = bool(sections) and (sections[0].anchor and sections[0].anchor.pk) == section.anchor_id
    new = [(item.track.pk, item.page.hex) for item in sections[0].items[:1] if item.page] if fits else []
    entries = [*section.entries[:index], *new, *section.entries[index + 1 :]]
    replaced = {**feed.replaced, str(track.pk): (section.name, index, section.entries[index][1])}
    return _with(feed, replace(section, entries=entries), replaced)


def _restored(feed: CachedFeed, section: CachedSection, track: Track) -> CachedFeed | None:
    name, index, page = feed.replaced.get(str(track.pk), ("", 0, ""))
    if name != section.name:
        return None
    entries = [entry for number, entry in enumerate(section.entries) if number != index]
    entries.insert(index, (track.pk, page))
    replaced = {pk: where for pk, where in feed.replaced.items() if pk != str(track.pk)}
    return _with(feed, replace(section, entries=entries), replaced)


def _with(feed: CachedFeed, section: CachedSection, replaced: dict[str, tuple[str, int, str]]) -> CachedFeed:
    sections = [section if other.name == section.name else other for other in feed.sections]
    return replace(feed, sections=sections, replaced=replaced)


def _page_of(user: User, feed: CachedFeed) -> ForYouPage | None:
    """Return the page, or ``None`` where too much of it is gone: hidden, rated elsewhere, its record deleted."""
    songs = _songs(user, feed)
    if len(songs.tracks) < ENOUGH * len(feed.track_ids):
        return None
    return ForYouPage([section for section in _sections(feed, songs) if section.items], feed.amount, feed.token)


@dataclass(frozen=True)
class _Songs:
    """Songs that can still be shown, by id; the records of all; the ids of those that the listener likes."""

    tracks: Mapping[int, Track]
    records: Mapping[tuple[int, str], Recommendation]
    liked: Set[int]


def _songs(user: User, feed: CachedFeed) -> _Songs:
    pages = {UUID(page) for section in feed.sections for _pk, page in section.entries}
    rows = Recommendation.objects.filter(user=user, page__in=pages)
    records = {(row.track_id, row.page.hex): row for row in rows}
    songs = tracks_in_order(feed.track_ids)
    marks = ratings_by_track(user, songs)
    known = {pk for section in feed.sections if section.name in KNOWN_SHELVES for pk, _page in section.entries}
    liked = {pk for pk, mark in marks.items() if mark > 0}
    tracks = {track.pk: track for track in songs if track.pk not in marks or track.pk in known & liked}
    return _Songs(tracks, records, liked)


def _sections(feed: CachedFeed, songs: _Songs) -> list[ForYouSection]:
    tracks, records = songs.tracks, songs.records
    there = [
        (section, [records[entry] for entry in section.entries if entry[0] in tracks and entry in records])
        for section in feed.sections
    ]
    names = Names.of(row.reason for _section, rows in there for row in rows)
    ids = [section.anchor_id for section in feed.sections if section.anchor_id]
    anchors = Track.objects.in_bulk(ids) if ids else {}
    return [
        ForYouSection(
            section.name,
            [
                for_you_item(
                    tracks[row.track_id],
                    row.reason,
                    names,
                    row.page,
                    is_explored=row.is_explored,
                    is_liked=row.track_id in songs.liked,
                )
                for row in rows
            ],
            anchors.get(section.anchor_id or 0),
            section.stance,
        )
        for section, rows in there
    ]


def _cached_from(home: ForYouPage) -> CachedFeed:
    return CachedFeed(
        home.amount,
        [
            CachedSection(
                section.name,  # type: ignore[arg-type]
                None if section.anchor is None else section.anchor.pk,
                section.stance,
                [(item.track.pk, item.page.hex) for item in section.items if item.page is not None],
            )
            for section in home.sections
        ],
        home.token,
    )


def _setting_of(user: User) -> list[Any]:
    """Return the settings that the page depends on; after a change of them it is computed again."""
    return [user.adventure, user.explicit_allowed, user.recordings_only, user.unheard_only, user.region]


def _write(user: User, feed: CachedFeed) -> None:
    sections = [[part.name, part.anchor_id, part.stance, part.entries] for part in feed.sections]
    values = {"setting": _setting_of(user), "amount": feed.amount, "sections": sections, "replaced": feed.replaced}
    cache_feed(user.pk, values, token=feed.token)


def cached_feed(user: User) -> CachedFeed | None:
    """Return the cached page, if nothing has invalidated it."""
    values, token = read_cached_feed(user.pk)
    if values is None or values["setting"] != _setting_of(user):
        return None
    sections = [
        CachedSection(name, anchor_id, stance, [(pk, page) for pk, page in entries])
        for name, anchor_id, stance, entries in values["sections"]
        if name in SIZES
    ]
    replaced = {pk: tuple(where) for pk, where in values["replaced"].items()}
    return CachedFeed(values["amount"], sections, token, replaced)
