"""What music servers get of listeners, for the privacy page."""

from django.utils.translation import gettext as _

from accounts.personal_data.privacy import Recipient
from feedback.music_servers.selectors import linkable_servers


def server_recipients() -> list[Recipient]:
    """Return the site's music servers and what they get."""
    return [Recipient(server.shown_name, _what(is_proxied=server.is_proxied)) for server in linkable_servers()]


def _what(*, is_proxied: bool) -> str:
    text = _(
        "Your log-in there, when you link your account. If you have us store it, also the playlists you put there, "
        "with name and songs. Songs that play here are fetched from it without your name."
    )
    return f"{text} {_('What your player sends through this site reaches it, too.')}" if is_proxied else text
