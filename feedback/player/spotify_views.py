"""The player's requests to Spotify on the listener's behalf: a token for the Web Playback SDK, and control of
devices."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.limits.limiter import limited
from accounts.spotify.errors import SpotifyError
from accounts.spotify.web_api.client import SpotifyClient, client_for
from catalog.models import Track
from feedback.player.views import for_player, listener, refused

_DAY_MS = 24 * 3600 * 1000
View = Callable[..., HttpResponse]


class CommandForm(forms.Form):
    """A command for a device; ``start`` needs the song. Without a device the active one is meant."""

    action = forms.ChoiceField(choices=[(name, name) for name in ("start", "pause", "resume", "seek", "transfer")])
    device = forms.RegexField(r"^[\w-]{1,100}$", required=False)
    track = forms.ModelChoiceField(Track.objects.active().exclude(spotify_id=None), required=False)
    position_ms = forms.IntegerField(min_value=0, max_value=_DAY_MS, required=False)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for action, field in (("start", "track"), ("transfer", "device")):
            if data.get("action") == action and not data.get(field) and field not in self.errors:
                self.add_error(field, "needed")
        return data


def _for_spotify(view: View) -> Callable[..., HttpResponseBase]:
    """Answer what Spotify refuses with 409 and its reason; without Spotify's players there is nothing here."""

    @require_POST
    @limited("feedback")
    @for_player
    @wraps(view)
    def wrapper(request: HttpRequest) -> HttpResponse:
        if not settings.SPOTIFY_PLAYER:
            raise Http404("Spotify's players are off")
        try:
            return view(request)
        except SpotifyError as error:
            return JsonResponse({"error": error.message, "reason": error.name}, status=409)

    return wrapper


@_for_spotify
def token(request: HttpRequest) -> HttpResponse:
    """Hand the listener's own browser a short-lived access token, as the SDK needs one; never the refresh token."""
    access = client_for(listener(request)).access_token()
    left = (access.expires_at - timezone.now()).total_seconds()
    return JsonResponse({"token": str(access.value), "expires_in": max(0, int(left))})


@_for_spotify
def devices(request: HttpRequest) -> HttpResponse:
    """List the listener's devices."""
    usable = client_for(listener(request)).devices()
    rows = [{"id": device.id, "name": device.name, "is_active": device.is_active} for device in usable]
    return JsonResponse({"devices": rows})


@_for_spotify
def now(request: HttpRequest) -> HttpResponse:
    """Tell what plays on the active device: the listener may have paused or gone on there."""
    state = client_for(listener(request)).player_state()
    return JsonResponse(
        {
            "device": state.device.id if state and state.device else "",
            "is_playing": state is not None and state.is_playing,
            "position_ms": state.position_ms if state else 0,
            "track": state.track.id if state and state.track else "",
            "played_as": state.track.played_as if state and state.track else "",
            "title": state.track.title if state and state.track else "",
            "artists": ", ".join(state.track.artists) if state and state.track else "",
        }
    )


@_for_spotify
def command(request: HttpRequest) -> HttpResponse:
    """Have a device start a song, pause, go on, go to a position, or become the active one."""
    form = CommandForm(request.POST)
    if not form.is_valid():
        return refused(form)
    _give(client_for(listener(request)), form.cleaned_data)
    return HttpResponse(status=204)


def _give(client: SpotifyClient, data: dict[str, Any]) -> None:
    device, position_ms = data["device"] or None, data["position_ms"] or 0
    match data["action"]:
        case "start":
            client.start_playback(device, f"spotify:track:{data['track'].spotify_id}", position_ms)
        case "pause":
            client.pause(device)
        case "resume":
            client.resume(device)
        case "seek":
            client.seek(position_ms, device)
        case _:
            client.transfer(device or "", play=False)
