"""The lists as feeds: Atom (RFC 4287) and JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/).

They hold the lists and nothing else: no name of the listener, no likes, no plays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Prefetch
from django.template.loader import render_to_string
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _

from feedback.web.exports import NO_XML
from recommender.models import WeeklyFeed, WeeklyList, WeeklySong

MAX_LISTS = 10
JSON_FEED = "https://jsonfeed.org/version/1.1"
Absolute = Callable[[str], str]
"""From an address on this site to one with scheme and host."""


@dataclass(frozen=True)
class Entry:
    """One list as an entry of a feed."""

    weekly_list: WeeklyList
    html: str

    @property
    def entry_id(self) -> str:
        """Return what feed readers know the entry by."""
        return f"urn:uuid:{self.weekly_list.page}"


def entries_of(feed: WeeklyFeed, absolute: Absolute) -> list[Entry]:
    """Return the newest lists of the feed's listener; three queries. Songs that are gone or hidden are left out."""
    songs = WeeklySong.objects.filter(track__is_active=True).select_related("track").order_by("position")
    lists = WeeklyList.objects.filter(user=feed.user).order_by("-week", "-pk")[:MAX_LISTS]
    return [_entry(row, absolute) for row in lists.prefetch_related(Prefetch("songs", songs, to_attr="shown_songs"))]


def _entry(weekly_list: WeeklyList, absolute: Absolute) -> Entry:
    songs: list[WeeklySong] = weekly_list.shown_songs  # type: ignore[attr-defined]
    lines = [(song, absolute(song.track.get_absolute_url())) for song in songs if song.track is not None]
    expected = round(sum(song.probability for song, _url in lines))
    context = {"weekly_list": weekly_list, "lines": lines, "expected": expected}
    return Entry(weekly_list, render_to_string("recommender/email/_week_songs.html", context).translate(NO_XML))


class _Atom(Atom1Feed):
    """Django's Atom; where it has no entry yet, it is dated by the feed itself and not by the request."""

    def latest_post_date(self) -> datetime:
        newest: datetime = super().latest_post_date() if self.items else self.feed["made_at"]
        return newest


def atom(feed: WeeklyFeed, entries: Sequence[Entry], *, home_url: str, self_url: str, absolute: Absolute) -> str:
    """Return the feed as Atom."""
    made = _Atom(
        title=_title(),
        link=home_url,
        description=None,
        language=feed.language,
        author_name=settings.SITE_NAME,
        feed_url=self_url,
        feed_guid=f"urn:uuid:{feed.feed_id}",
        made_at=feed.created_at,
    )
    for entry in entries:
        row = entry.weekly_list
        made.add_item(
            title=row.title,
            link=absolute(row.get_absolute_url()),
            description=entry.html,
            unique_id=entry.entry_id,
            pubdate=row.created_at,
            updateddate=row.created_at,
        )
    return made.writeString("utf-8")


def json_feed(feed: WeeklyFeed, entries: Sequence[Entry], *, home_url: str, self_url: str, absolute: Absolute) -> str:
    """Return the feed as JSON Feed."""
    content = {
        "version": JSON_FEED,
        "title": _title(),
        "home_page_url": home_url,
        "feed_url": self_url,
        "language": feed.language,
        "authors": [{"name": settings.SITE_NAME}],
        "items": [
            {
                "id": entry.entry_id,
                "url": absolute(entry.weekly_list.get_absolute_url()),
                "title": entry.weekly_list.title,
                "content_html": entry.html,
                "date_published": entry.weekly_list.created_at.isoformat(timespec="seconds"),
            }
            for entry in entries
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _title() -> str:
    return _("Your weeks on %(site)s") % {"site": settings.SITE_NAME}
