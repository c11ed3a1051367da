"""Template tags of music servers."""

from django import template
from django.http import HttpRequest

from feedback.music_servers.models import PushedPlaylist, ServerAccount
from feedback.music_servers.selectors import push_choices
from feedback.playlists.models import Playlist

register = template.Library()


@register.simple_tag(takes_context=True)
def server_lists(
    context: template.Context, kind: str, playlist: Playlist | None = None
) -> list[tuple[ServerAccount, PushedPlaylist | None]]:
    """Return the listener's accounts that lists can be put on, each with what is there of this list; two queries."""
    request: HttpRequest = context["request"]
    return push_choices(request.user, kind, playlist) if request.user.is_authenticated else []
