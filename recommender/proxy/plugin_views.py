"""The addresses of the plug-in: ``/navidrome/api/...``. Always 200, because the plug-in takes 404 for a failure."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.compat import client_address
from accounts.limits.limiter import Limit, wait_seconds
from catalog.models import MusicServer
from catalog.sources.servers.services import server_of_plugin
from recommender.proxy import plugin

_WRONG_TOKENS = Limit("wrong tokens of plug-ins", 60)
_CALLS = Limit("calls of plug-ins", 600)
Answer = Callable[[HttpRequest, MusicServer], Any]


def _for_plugins(view: Answer) -> Callable[[HttpRequest], HttpResponse]:
    @csrf_exempt
    @wraps(view)
    def wrapper(request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET"})
        scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
        server = server_of_plugin(text.strip()) if scheme.lower() == "bearer" else None
        caller = f"server {server.pk}" if server else f"address {client_address(request)}"
        if seconds := wait_seconds(_CALLS if server else _WRONG_TOKENS, caller):
            return JsonResponse({"error": "Too many calls."}, status=503, headers={"Retry-After": str(seconds)})
        if server is None:
            return JsonResponse({"error": "Invalid token."}, status=401)
        return JsonResponse(view(request, server), safe=False, headers={"Cache-Control": "no-store"})

    return wrapper


@_for_plugins
def similar_tracks(request: HttpRequest, server: MusicServer) -> Any:
    """Return songs like one."""
    names = {name: _text(request, name) for name in ("item_id", "title", "artist")}
    return plugin.similar_tracks(server, n=_number(request, "n", 10), **names)


@_for_plugins
def find_path(request: HttpRequest, server: MusicServer) -> Any:
    """Return a path between two songs."""
    start, goal = (_text(request, name) for name in ("start_song_id", "end_song_id"))
    steps = _number(request, "max_steps", _number(request, "count", 25))
    return {"path": plugin.path(server, start=start, goal=goal, steps=min(steps, 100))}


@_for_plugins
def similar_artists(request: HttpRequest, server: MusicServer) -> Any:
    """Return artists like one."""
    has_songs = request.GET.get("include_component_matches", "").lower() == "true"
    artist = _text(request, "artist")
    return plugin.similar_artists(server, artist=artist, n=min(_number(request, "n", 10), 50), has_songs=has_songs)


def _text(request: HttpRequest, name: str) -> str:
    # PostgreSQL takes no NUL.
    return request.GET.get(name, "").replace("\0", "")[:500]


def _number(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name, "")
    return max(1, min(int(text), plugin.MOST)) if text.isascii() and text.isdigit() and len(text) < 10 else default
