"""Times in the listener's own zone: the one of the profile, else the one the browser says it is in."""

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

Answer = Callable[[HttpRequest], HttpResponseBase]
# Set by the page's script.
COOKIE = "time_zone"
_LONGEST = 64


def listeners_time_zone(get_response: Answer) -> Answer:
    """Use the listener's zone while the request is answered."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        zone = _zone_of(request)
        if zone is None:
            return get_response(request)
        with timezone.override(zone):
            return get_response(request)

    return middleware


def _zone_of(request: HttpRequest) -> zoneinfo.ZoneInfo | None:
    from_browser = request.COOKIES.get(COOKIE, "")
    # The session is read only where one was sent: pages for everybody need no database for this.
    own = getattr(request.user, "time_zone", "") if request.user.is_authenticated else ""
    return find_zone(own) or find_zone(from_browser)


def find_zone(name: str) -> zoneinfo.ZoneInfo | None:
    """Return the zone of that name, ``None`` where there is none."""
    if not name or len(name) > _LONGEST:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None
