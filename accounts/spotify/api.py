"""Calls that connect and disconnect Spotify; they need a browser and its session."""

import math
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Router

from accounts.apikit.auth import SESSION_ONLY, require_own_page
from accounts.apikit.problems import problem, responses
from accounts.spotify import RateLimited, Refused, SpotifyError, Unavailable
from accounts.spotify.views import start_connect
from accounts.spotify.web_api.client import is_configured

router = Router(tags=["spotify"])


def add_spotify_handler(api: NinjaAPI) -> None:
    """Have what Spotify refuses answered with a problem: not connected 409, not there 404, not now 503."""
    api.add_exception_handler(SpotifyError, _on_spotify_error)


def _on_spotify_error(_request: HttpRequest, error: Any) -> HttpResponse:
    if isinstance(error, RateLimited):
        seconds = max(1, math.ceil((error.until - timezone.now()).total_seconds()))
        return problem(503, error.message, headers={"Retry-After": str(seconds)})
    if isinstance(error, Unavailable):
        return problem(503, error.message)
    is_missing = isinstance(error, Refused) and error.status == HTTPStatus.NOT_FOUND
    return problem(404 if is_missing else 409, error.message)


@router.get("/auth/spotify", summary="Connect Spotify", auth=SESSION_ONLY, response=responses(None, 404, status=302))
def start(request: HttpRequest) -> HttpResponse:
    """Send the browser to Spotify to give consent. Returns 404 if the site's operator hasn't set up a Spotify app.

    Needs a session, and a request that the browser says is of our own page. Access tokens aren't accepted.
    """
    advice = _("Connect Spotify from a page of this site: nothing proves that this request comes from one.")
    require_own_page(request, advice=advice)
    if not is_configured():
        raise Http404("no Spotify app")
    # The page's button is a POST with a CSRF token; here the check of the sender stands in for it.
    request.method = "POST"
    return start_connect(request)


@router.get(
    "/auth/spotify/callback", summary="Spotify callback", auth=SESSION_ONLY, response=responses(None, 404, status=302)
)
def callback(request: HttpRequest) -> Any:
    """Pass Spotify's response (`code` and `state`) to the page that checks it and stores the connection."""
    if not is_configured():
        raise Http404("no Spotify app")
    return HttpResponseRedirect(f"{reverse('spotify_callback')}?{request.META.get('QUERY_STRING', '')}")
