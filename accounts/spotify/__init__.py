"""The Spotify connection: the only place that knows how to talk to Spotify.

Everyone else uses ``accounts.spotify.web_api.client.client_for(user)`` and catches :class:`SpotifyError`.
"""

from accounts.spotify.errors import (
    NeedsReconnect,
    NotConnected,
    NotPermitted,
    RateLimited,
    Refused,
    SpotifyError,
    Unavailable,
)

__all__ = ["NeedsReconnect", "NotConnected", "NotPermitted", "RateLimited", "Refused", "SpotifyError", "Unavailable"]
