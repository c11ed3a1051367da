"""System checks of the catalogue's settings."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.utils.module_loading import import_string


def check_feature_source(**_options: Any) -> list[CheckMessage]:
    """Report a wrong ``FEATURE_SOURCE`` at start rather than when the first song is added."""
    if not settings.FEATURE_SOURCE:
        return []
    try:
        source = import_string(settings.FEATURE_SOURCE)
    except ImportError as error:
        return [Error(f"setting FEATURE_SOURCE: {error}", id="catalog.E001")]
    if not callable(source):
        return [Error(f"setting FEATURE_SOURCE: {settings.FEATURE_SOURCE} isn't callable.", id="catalog.E002")]
    return []
