"""Spotify for django-allauth.

The stock provider sends the token in an address, takes the wrong id for who someone is and fails with a 500 where
Spotify refuses a listener; so this one stands in its place.
"""

from typing import Any

from allauth.socialaccount.providers.base import ProviderAccount, ProviderException
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter
from django.conf import settings
from django.http import HttpRequest

from accounts.spotify.fields import Secret
from accounts.spotify.services import PROVIDER
from accounts.spotify.web_api.oauth import exchange_code, profile_of

# Scopes that the site uses; the player needs the last five.
SCOPES = (
    "user-top-read",
    "user-library-read",
    "user-follow-read",
    "user-read-recently-played",
    "playlist-read-private",
    "playlist-modify-private",
    "streaming",
    "user-read-email",
    "user-read-private",
    "user-read-playback-state",
    "user-modify-playback-state",
)


class SpotifyOAuth2Adapter(OAuth2Adapter):  # type: ignore[misc]
    """Exchanges a code for tokens, and tokens for a person."""

    provider_id = PROVIDER

    @property
    def authorize_url(self) -> str:
        """Where the listener is asked."""
        return f"{settings.SPOTIFY_ACCOUNTS_URL}/authorize"

    # allauth's base class wants it, though `get_access_token_data` does not use it.
    access_token_url = ""

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        """Return the checked answer. Raise ``requests.RequestException`` and ``ProviderException``."""
        return exchange_code(request.GET["code"], Secret(pkce_code_verifier or ""), client.callback_url)

    def parse_token(self, data: dict[str, Any]) -> dict[str, Any]:
        """Pass the tokens on unchanged, because allauth's model would display them."""
        return data

    def complete_login(self, request: HttpRequest, app: Any, token: dict[str, Any], **_kwargs: Any) -> Any:
        """Return who it is. Raise ``requests.RequestException`` and ``ProviderException``."""
        return self.get_provider().sociallogin_from_response(request, profile_of(token["access_token"]))


class SpotifyProvider(OAuth2Provider):  # type: ignore[misc]
    """Spotify."""

    id = PROVIDER
    name = "Spotify"
    account_class = ProviderAccount
    oauth2_adapter_class = SpotifyOAuth2Adapter
    pkce_enabled_default = True

    def get_scope(self) -> list[str]:
        return list(SCOPES)

    def extract_uid(self, data: dict[str, Any]) -> str:
        """Return the stable id of a person, which since May 2026 is not ``id``."""
        uid = data.get("account_id")
        if not isinstance(uid, str) or not 0 < len(uid) <= 128:
            raise ProviderException("Spotify names no account")
        return uid

    def extract_common_fields(self, _data: dict[str, Any]) -> dict[str, str]:
        """Return nothing: no account is made or found by what Spotify says of a person."""
        return {}

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the name, for the profile; `services.connect` keeps no more than that."""
        name = data.get("display_name")
        return {"display_name": name if isinstance(name, str) else ""}


provider_classes = [SpotifyProvider]
