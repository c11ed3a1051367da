"""The private parts of Django that the site's static files, messages and error answers need, in one place.

`tests/test_compat.py` names the versions it was tried with, and fails where they have changed.
"""

from typing import Any

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.http.response import HttpResponseBase
from whitenoise.storage import CompressedManifestStaticFilesStorage  # type: ignore[import-untyped]

MODULE_IMPORTS: tuple[tuple[str, str], ...] = (
    CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1]
)
"""Pairs of a pattern for an import in a script module, and the text it becomes. WhiteNoise has them from Django, which
applies them to all scripts or to none."""


class SitePathCookieStorage(CookieStorage):
    """Messages in a cookie below the site's own path, as its other cookies are."""

    def _update_cookie(self, encoded_data: Any, response: HttpResponseBase) -> None:
        super()._update_cookie(encoded_data, response)  # type: ignore[misc]
        if self.cookie_name in response.cookies:
            response.cookies[self.cookie_name]["path"] = settings.SESSION_COOKIE_PATH


def hand_over(old: HttpResponseBase, new: HttpResponseBase) -> None:
    """Have ``new`` close what ``old`` holds: closed here, it would announce the end of a request that goes on."""
    new._resource_closers.extend(old._resource_closers)  # type: ignore[attr-defined]
