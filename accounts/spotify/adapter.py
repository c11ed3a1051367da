"""Where connecting and signing in with Spotify differ from django-allauth's way."""

from datetime import timedelta
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError, AuthProcess
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.spotify import services
from accounts.spotify.errors import NotPermitted, SpotifyError, Unavailable
from accounts.spotify.web_api.oauth import HandshakeError


class SpotifyAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Connects listeners who are logged in; makes no accounts, and finds none by e-mail address."""

    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        """Return the operator's app, from the settings alone."""
        if not settings.SPOTIFY_CLIENT_ID or provider not in (None, services.PROVIDER):
            return []
        app = SocialApp(provider=services.PROVIDER, name="Spotify", client_id=settings.SPOTIFY_CLIENT_ID)
        return [app]

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Refuse: a sign-up that waits for its form would keep the tokens in the session."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Connect; or let a listener in who connected earlier. The tokens go no further than this."""
        tokens: dict[str, Any] = sociallogin.token
        sociallogin.token = None
        name = sociallogin.account.extra_data.pop("display_name", "")
        sociallogin.account.extra_data = {}
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            raise ImmediateHttpResponse(_connect(request, sociallogin.account.uid, name, tokens))
        if not settings.SPOTIFY_SIGN_IN or not sociallogin.is_existing:
            messages.error(
                request,
                _(
                    "That Spotify account isn't connected to an account here. Log in first, then connect it in "
                    "your profile."
                ),
            )
            raise ImmediateHttpResponse(redirect("account_login"))
        _store(sociallogin.user, sociallogin.account.uid, name, tokens)

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Say what happened on a page of ours, in place of allauth's."""
        level, text = _explanation(error, exception)
        messages.add_message(request, level, text)
        raise ImmediateHttpResponse(redirect("accounts:profile" if request.user.is_authenticated else "account_login"))


def _connect(request: HttpRequest, account_id: str, name: str, tokens: dict[str, Any]) -> HttpResponse:
    if not isinstance(request.user, User):
        messages.error(request, _("Log in first, then connect Spotify from your profile."))
        return redirect("account_login")
    try:
        _store(request.user, account_id, name, tokens)
    except services.AccountTakenError:
        messages.error(request, _("That Spotify account is already connected to another account here."))
    else:
        messages.success(request, _("Spotify is connected."))
    return redirect("accounts:profile")


def _store(user: User, account_id: str, name: str, tokens: dict[str, Any]) -> None:
    services.connect(
        user=user,
        account_id=account_id,
        display_name=name,
        access_token=tokens["access_token"],
        refresh_token=tokens["refresh_token"],
        expires_at=timezone.now() + timedelta(seconds=tokens["expires_in"]),
        scopes=tokens["scopes"],
    )


def _explanation(error: str | None, exception: Exception | None) -> tuple[int, str]:
    if error == AuthError.CANCELLED:
        return messages.INFO, _("Spotify isn't connected, because you declined on Spotify's page.")
    if isinstance(exception, HandshakeError):
        if isinstance(exception.error, SpotifyError):
            return messages.ERROR, exception.error.message
        if exception.kind == "not_permitted":
            return messages.ERROR, NotPermitted().message
        if exception.kind == "unavailable":
            return messages.ERROR, Unavailable().message
    return messages.ERROR, _("We couldn't connect Spotify because it sent an unexpected reply. Please try again.")
