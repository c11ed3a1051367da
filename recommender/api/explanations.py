"""Calls about why a song was recommended, the page "For you" in its sections, and what is saved at Spotify."""

from typing import Any, Literal
from uuid import UUID

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema
from pydantic import Field

from accounts.apikit.auth import LISTENER, is_asked_by_head, limits, listener_of
from accounts.apikit.problems import ProblemError, responses
from catalog.schemas import RowId, SongRef
from feedback.spotify_import.models import SpotifyPlaylist
from feedback.spotify_import.saving import save_playlist
from feedback.spotify_import.schemas import SavedOut
from recommender.api.schemas import PageId
from recommender.models import Recommendation
from recommender.pages.explanations.details import recommendation_of, reject_reason
from recommender.pages.explanations.details import why as why_of
from recommender.pages.feed import recommend_feed
from recommender.pages.for_you import recommend_for_you
from recommender.pages.shelf_titles import section_title

router = Router(tags=["recommendations"])
_LIMITS = limits("api", "feedback")
_SAVED = 50


class CauseOut(Schema):
    """One thing that raised a part of the score. `kind` and `id` identify what you can turn down or exclude."""

    words: str = Field(examples=["Because you like Nordlys (North)"])
    kind: str = Field(examples=["artist"])
    id: int | str | None = Field(examples=[12])
    stance: str = Field(
        description="What you did with it: liked, played, chosen, disliked, skipped or none.", examples=["liked"]
    )


class TermOut(Schema):
    """One part of the score."""

    label: str = Field(examples=["The song's artists"])
    value: float = Field(examples=[1.2])
    causes: list[CauseOut]


class WhyOut(Schema):
    """How a recommendation's score adds up, largest part first."""

    song: SongRef
    score: float = Field(examples=[3.21])
    terms: list[TermOut]


class RejectedOut(Schema):
    """What now counts half as much. null if the reason wasn't an artist or a genre."""

    kind: Literal["artist", "genre"] | None
    id: int | None
    name: str | None


class SectionItemOut(Schema):
    """A song of a section."""

    song: SongRef = Field(validation_alias="track")
    reason: str = Field(description="The reason in words. May be empty.")
    page: UUID | None = Field(
        description="Together with the song, identifies the recommendation. See “Why this song?”."
    )


class SectionOut(Schema):
    """A section of the For you page."""

    name: str = Field(examples=["made"])
    title: str = Field(examples=["Made for you"])
    items: list[SectionItemOut]


@router.get(
    "/recommendations/sections", summary="Get the For you page", auth=LISTENER, response=responses(list[SectionOut])
)
def sections(request: HttpRequest) -> Any:
    """The sections of your For you page. Recorded as shown to you. Empty until a model has been trained."""
    user = listener_of(request)
    home = recommend_for_you(user=user, is_recorded=not is_asked_by_head(request))
    shown = home.sections if home else []
    return [{"name": row.name, "title": section_title(row, user), "items": row.items} for row in shown]


@router.get(
    "/recommendations/{page}/songs/{song_id}",
    summary="Get the reasons for a song",
    auth=LISTENER,
    response=responses(WhyOut, 404),
)
def why(request: HttpRequest, page: PageId, song_id: RowId) -> Any:
    """Why a song was recommended to you."""
    recommendation = _found(request, page, song_id)
    explanation = why_of(recommendation)
    terms = [{"label": str(bar.label), "value": bar.value, "causes": bar.causes} for bar in explanation.bars]
    return {"song": recommendation.track, "score": explanation.total, "terms": terms}


@router.post(
    "/recommendations/{page}/songs/{song_id}/wrong-reason",
    summary="Report a wrong reason",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(RejectedOut, 404),
)
def wrong_reason(request: HttpRequest, page: PageId, song_id: RowId) -> Any:
    """Report a wrong reason. Its artist or genre then counts half as much. Undo this with `/api/user/taste/lines`."""
    line = reject_reason(user=listener_of(request), recommendation=_found(request, page, song_id))
    if line is None:
        return {"kind": None, "id": None, "name": None}
    return {"kind": line._meta.model_name, "id": line.pk, "name": line.name}


@router.put(
    "/user/spotify/playlists/for-you",
    summary="Save your recommendations to Spotify",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(SavedOut, 404, 409, 503),
    tags=["spotify"],
)
def save_for_you(request: HttpRequest) -> Any:
    """Save your current recommendations as a playlist in your Spotify account, or update it."""
    user = listener_of(request)
    feed = recommend_feed(user=user, k=_SAVED)
    if feed is None or not feed.items:
        raise ProblemError(409, _("There are no recommendations to save yet."))
    spotify_ids = [str(item.track.spotify_id) for item in feed.items if item.track.spotify_id]
    return save_playlist(user=user, kind=SpotifyPlaylist.Kind.FOR_YOU, name=_("For you"), spotify_ids=spotify_ids)


def _found(request: HttpRequest, page: UUID, song_id: int) -> Recommendation:
    recommendation = recommendation_of(listener_of(request), page, song_id)
    if recommendation is None:
        raise Http404("no such recommendation")
    return recommendation
