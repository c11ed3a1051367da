"""What every template may use."""

from django.conf import settings
from django.http import HttpRequest


def site(_request: HttpRequest) -> dict[str, str | bool]:
    """Return the site's display name, whether one may log in with Spotify or elsewhere, and whether one may sign up."""
    signs_in = bool(settings.SPOTIFY_CLIENT_ID and settings.SPOTIFY_SIGN_IN)
    return {
        "SITE_NAME": settings.SITE_NAME,
        "SPOTIFY_SIGN_IN": signs_in,
        "OIDC_NAME": settings.OIDC_NAME if settings.OIDC_SERVER_URL else "",
        "SIGN_UP_IS_OPEN": not settings.TRUSTED_PROXY_AUTH_HEADER,
    }
