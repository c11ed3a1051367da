"""What every template may use."""

from django.conf import settings
from django.http import HttpRequest


def site(_request: HttpRequest) -> dict[str, str]:
    """Return the site's display name."""
    return {"SITE_NAME": settings.SITE_NAME}
