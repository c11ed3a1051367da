"""The one adapter by which allauth asks about other sites' accounts: Spotify's, and OpenID Connect's beside it."""

from typing import Any

from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.http import HttpRequest

from accounts.login import oidc
from accounts.models import User
from accounts.spotify.adapter import SpotifyAdapter


class SocialAdapter(SpotifyAdapter):
    """OpenID Connect makes accounts, Spotify makes none."""

    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        """Return the apps of the settings."""
        apps = super().list_apps(request, provider, client_id)
        if settings.OIDC_SERVER_URL and provider in (None, oidc.PROVIDER, "openid_connect"):
            apps.append(oidc.provider_app())
        return apps

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Let OpenID Connect make accounts; allauth's form never opens, as there is an address then."""
        return bool(sociallogin.account.provider == oidc.PROVIDER)

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find out whom the other site means."""
        if sociallogin.account.provider == oidc.PROVIDER:
            oidc.handle(request, sociallogin)
        else:
            super().pre_social_login(request, sociallogin)

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """Save a new listener."""
        return oidc.save_new(request, sociallogin)

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Say what happened on a page of ours."""
        if getattr(provider, "id", "") == "openid_connect":
            raise oidc.did_not_work(request, exception)
        super().on_authentication_error(request, provider, error, exception, extra_context)
