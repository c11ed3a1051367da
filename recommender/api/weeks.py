"""Calls about the listener's weekly lists."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router

from accounts.apikit.auth import LISTENER, is_asked_by_head, listener_of
from accounts.apikit.paging import PageQuery, newest_page
from accounts.apikit.problems import responses
from catalog.schemas import RowId
from recommender.api.schemas import WeekPage, WeekSongs
from recommender.weekly.selectors import WeekLine, lists_of, songs_of, with_results
from recommender.weekly.services import mark_seen

router = Router(tags=["recommendations"])


@router.get("/user/weeks", summary="List your weekly lists", auth=LISTENER, response=responses(WeekPage))
def weeks(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Your weekly lists, latest first, with what was expected of each and how it went."""
    items, more = newest_page(lists_of(listener_of(request)), name="weeks", by="created_at", page=page)
    return {"items": [_week(line) for line in with_results(items)], "next": more}


@router.get("/user/weeks/{week_id}", summary="Get a weekly list", auth=LISTENER, response=responses(WeekSongs, 404))
def week(request: HttpRequest, week_id: RowId) -> Any:
    """One weekly list with its songs in order. Its songs count as shown to you."""
    shown = get_object_or_404(lists_of(listener_of(request)), pk=week_id)
    if not is_asked_by_head(request):
        mark_seen(weekly_list=shown)
    items = [
        {
            "song": song.track if song.track is not None and song.track.is_active else None,
            "title": song.name,
            "artists": song.artists,
            "probability": song.probability,
        }
        for song in songs_of(shown)
    ]
    return {"week": _week(with_results([shown])[0]), "items": items}


def _week(line: WeekLine) -> dict[str, Any]:
    row = line.weekly_list
    return {
        "id": row.pk,
        "title": row.title,
        "week": row.week,
        "day": row.day,
        "created_at": row.created_at,
        "song_count": line.song_count,
        "expected": row.expected,
        "basis": row.basis,
        "answers": row.answers,
        "heard": line.result.heard,
        "expected_of_heard": line.result.expected,
        "succeeded": line.result.succeeded,
    }
