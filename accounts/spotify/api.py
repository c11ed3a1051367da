"""Calls that start and end the Spotify connection: a browser's business, so with its session alone."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from ninja import Router

from accounts.apikit.auth import SESSION_ONLY, refuse_other_sites
from accounts.apikit.problems import answers
from accounts.spotify.client import is_configured
from accounts.spotify.views import start_connect

router = Router(tags=["spotify"])


@router.get("/auth/spotify", auth=SESSION_ONLY, response=answers(None, 404, status=302))
def start(request: HttpRequest) -> HttpResponse:
    """Send the browser to Spotify, to agree; a 404 where the operator has set up no app."""
    refuse_other_sites(request)
    if not is_configured():
        raise Http404("no Spotify app")
    # The page's button is a POST with a CSRF token; here the check of the sender stands in for it.
    request.method = "POST"
    return start_connect(request)


@router.get("/auth/spotify/callback", auth=SESSION_ONLY, response=answers(None, 404, status=302))
def callback(request: HttpRequest) -> Any:
    """Hand what Spotify answered (`code` and `state`) on to the page that checks it and keeps the connection."""
    if not is_configured():
        raise Http404("no Spotify app")
    return HttpResponseRedirect(f"{reverse('spotify_callback')}?{request.META.get('QUERY_STRING', '')}")
