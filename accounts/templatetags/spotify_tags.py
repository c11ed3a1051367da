"""Template tags about the Spotify connection."""

from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from accounts.spotify.selectors import connection_of

register = template.Library()


@register.inclusion_tag("accounts/_spotify_expiry.html")
def spotify_expiry(user: User | AnonymousUser) -> dict[str, Any]:
    """Return the context of the line that every page has in the last month of a connection."""
    connection = connection_of(user)
    is_shown = connection is not None and connection.ends_soon and not connection.needs_reconnect
    return {"connection": connection if is_shown else None}
