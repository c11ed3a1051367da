"""To Spotify and back. A connection ends where what came with it is known: in `feedback.spotify_import`."""

from typing import Any, cast

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from accounts.compat import has_recently_confirmed
from accounts.models import User
from accounts.spotify import services
from accounts.spotify.provider import SpotifyOAuth2Adapter
from accounts.spotify.reminders import set_reminder
from accounts.spotify.web_api.client import is_configured


@never_cache
@login_required
@require_POST
def start_connect(request: HttpRequest) -> HttpResponse:
    """Send the listener to Spotify, to agree."""
    _require_app()
    if settings.SPOTIFY_SIGN_IN and not has_recently_confirmed(request):
        # Whoever connects could log in with it later: the password is asked for, as for a new e-mail address.
        messages.info(request, _("Enter your password again to connect Spotify."))
        return redirect(f"{reverse('account_reauthenticate')}?next={reverse('accounts:profile')}")
    if refusal := _refuse_localhost(request):
        return refusal
    return _to_spotify(request, AuthProcess.CONNECT)


@never_cache
@require_POST
def start_sign_in(request: HttpRequest) -> HttpResponse:
    """Send a visitor to Spotify, to prove who they are. Only where the operator switched that on."""
    _require_app()
    if not settings.SPOTIFY_SIGN_IN:
        raise Http404("signing in with Spotify is off")
    return _refuse_localhost(request) or _to_spotify(request, AuthProcess.LOGIN)


@never_cache
@require_GET
@sensitive_variables()
def callback(request: HttpRequest) -> HttpResponse:
    """Take the listener back from Spotify. State and PKCE are checked by allauth."""
    _require_app()
    view: Any = OAuth2CallbackView.adapter_view(SpotifyOAuth2Adapter)
    return cast(HttpResponse, view(request))


@login_required
@require_POST
def reminder(request: HttpRequest) -> HttpResponse:
    """Turn the email before the connection expires on or off."""
    form = ReminderForm(request.POST)
    if form.is_valid():
        is_wanted = form.cleaned_data["wants_email"]
        if set_reminder(user=cast(User, request.user), is_wanted=is_wanted):
            text = _("We'll email you a month before.") if is_wanted else _("We won't email you about it.")
            messages.success(request, text)
    return redirect("accounts:profile")


class ReminderForm(forms.Form):
    """Whether the listener wants the email."""

    wants_email = forms.BooleanField(required=False)


def _require_app() -> None:
    if not is_configured():
        raise Http404("no Spotify app is configured")


def _refuse_localhost(request: HttpRequest) -> HttpResponse | None:
    """Say before the journey what Spotify would say after it, in a way that helps nobody."""
    host, _colon, port = request.get_host().partition(":")
    if host != "localhost":
        return None
    address = f"http://127.0.0.1{f':{port}' if port else ''}"
    text = _("Spotify doesn't allow “localhost”. Open this site at %(address)s and try again.")
    messages.error(request, text % {"address": address})
    return redirect("accounts:profile" if request.user.is_authenticated else "account_login")


def _to_spotify(request: HttpRequest, process: str) -> HttpResponse:
    # Nothing of the request's own parameters is passed on: allauth would add scopes that an address asks for.
    provider = get_adapter().get_provider(request, services.PROVIDER)
    return cast(HttpResponse, provider.redirect(request, process))
