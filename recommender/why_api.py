"""Calls about why a song was recommended, the page "For you" in its sections, and what is saved at Spotify."""

from typing import Any, Literal
from uuid import UUID

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema
from pydantic import Field

from accounts.apikit.auth import LISTENER, limits, listener_of
from accounts.apikit.problems import ProblemError, answers
from catalog.schemas import RowId, SongRef
from feedback import spotify_services
from feedback.spotify_models import SpotifyPlaylist
from feedback.spotify_schemas import SavedOut
from recommender.home import recommend_home
from recommender.models import Recommendation
from recommender.schemas import PageId
from recommender.section_titles import section_title
from recommender.services import recommend_feed
from recommender.why import recommendation_of, reject_reason
from recommender.why import why as why_of

router = Router(tags=["recommendations"])
_LIMITS = limits("api", "feedback")
_SAVED = 50


class CauseOut(Schema):
    """One thing that raised a term; `kind` and `id` name what can be turned down or taken out."""

    words: str = Field(examples=["Nordlys"])
    kind: str = Field(examples=["artist"])
    id: int | str | None = Field(examples=[12])


class TermOut(Schema):
    """One term's part of the score."""

    label: str = Field(examples=["Artists you like"])
    value: float = Field(examples=[1.2])
    causes: list[CauseOut]


class WhyOut(Schema):
    """The arithmetic of a recommendation, the largest part first."""

    song: SongRef
    score: float = Field(examples=[3.21])
    terms: list[TermOut]


class RejectedOut(Schema):
    """What counts half from now on; null where the reason was no artist and no genre."""

    kind: Literal["artist", "genre"] | None
    id: int | None
    name: str | None


class SectionItemOut(Schema):
    """A song of a section."""

    song: SongRef = Field(validation_alias="track")
    reason: str = Field(description="In words; may be empty.")
    page: UUID | None = Field(description="With the song, names the record: see why.")


class SectionOut(Schema):
    """A section of the page "For you"."""

    name: str = Field(examples=["made"])
    title: str = Field(examples=["Made for you"])
    items: list[SectionItemOut]


@router.get("/recommendations/sections", auth=LISTENER, response=answers(list[SectionOut]))
def sections(request: HttpRequest) -> Any:
    """The page "For you" in its sections; noted as shown to you. Empty before anything was learned."""
    user = listener_of(request)
    home = recommend_home(user=user)
    found = home.sections if home else []
    return [{"name": row.name, "title": section_title(row, user), "items": row.items} for row in found]


@router.get("/recommendations/{page}/songs/{song_id}", auth=LISTENER, response=answers(WhyOut, 404))
def why(request: HttpRequest, page: PageId, song_id: RowId) -> Any:
    """Why a song was recommended to you, as it was recorded."""
    recommendation = _found(request, page, song_id)
    told = why_of(recommendation)
    terms = [{"label": str(bar.label), "value": bar.value, "causes": bar.causes} for bar in told.bars]
    return {"song": recommendation.track, "score": told.total, "terms": terms}


@router.post(
    "/recommendations/{page}/songs/{song_id}/wrong-reason",
    auth=LISTENER,
    throttle=_LIMITS,
    response=answers(RejectedOut, 404),
)
def wrong_reason(request: HttpRequest, page: PageId, song_id: RowId) -> Any:
    """Say that the reason is wrong: its artist or genre counts half from now on (back: `/api/user/taste/lines`)."""
    line = reject_reason(user=listener_of(request), recommendation=_found(request, page, song_id))
    if line is None:
        return {"kind": None, "id": None, "name": None}
    return {"kind": line._meta.model_name, "id": line.pk, "name": line.name}


@router.put(
    "/user/spotify/playlists/for-you",
    auth=LISTENER,
    throttle=_LIMITS,
    response=answers(SavedOut, 404, 409, 503),
    tags=["spotify"],
)
def save_for_you(request: HttpRequest) -> Any:
    """Save what would be recommended now as a playlist in your Spotify account, or bring it up to date."""
    user = listener_of(request)
    feed = recommend_feed(user=user, k=_SAVED)
    if feed is None or not feed.items:
        raise ProblemError(409, "There are no recommendations to save yet.")
    tracks = [item.track for item in feed.items]
    return spotify_services.save_playlist(
        user=user, kind=SpotifyPlaylist.Kind.FOR_YOU, name=_("For you"), tracks=tracks
    )


def _found(request: HttpRequest, page: UUID, song_id: int) -> Recommendation:
    recommendation = recommendation_of(listener_of(request), page, song_id)
    if recommendation is None:
        raise Http404("no such recommendation")
    return recommendation
