"""Spotify's errors, as listeners are told of them."""

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _


class SpotifyError(Exception):
    """A call to Spotify failed; ``message`` tells the listener why and what they can do."""

    @property
    def name(self) -> str:
        """The error's name for programs."""
        return _NAMES[type(self).__name__]

    @property
    def message(self) -> str:
        """A sentence for the listener."""
        return _("Spotify couldn't do that. Please try again.")


class NotConnected(SpotifyError):  # noqa: N818 - named for what is the case, which is what pages ask
    """The listener has not connected a Spotify account."""

    @property
    def message(self) -> str:
        return _("Connect Spotify in your profile first.")


class NeedsReconnect(SpotifyError):  # noqa: N818
    """The connection ended: revoked by the listener, or older than the six months that Spotify gives it."""

    @property
    def message(self) -> str:
        return _("Your Spotify connection has expired. Reconnect in your profile. It takes two clicks.")


class NotPermitted(SpotifyError):  # noqa: N818
    """Spotify refuses this listener, this app or this command (403). ``reason``: Spotify's code or sentence, may be
    empty; Spotify's name of all that it has no code for is UNKNOWN, and the sentence then says what it is.
    """

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def needs_premium(self) -> bool:
        """Whether the listener's subscription is what is missing."""
        return self.name == "premium"

    @property
    def name(self) -> str:
        text = self.reason.casefold()
        return next((name for words, name in _REFUSALS if words in text), "not_permitted")

    @property
    def message(self) -> str:
        return {
            "premium": _("That needs Spotify Premium."),
            "restricted": _("Spotify doesn't allow this for what is playing right now."),
            "restricted_device": _("That device can't be controlled from here. Choose another one in Spotify."),
            "not_listed": _(
                "Spotify doesn't allow this. Ask the site's operator to add you to the Spotify app's users."
            ),
            "scope": _("Spotify doesn't allow this, because you haven't agreed to it. Reconnect in your profile."),
        }.get(
            self.name,
            _(
                "Spotify doesn't allow this. Either the site's operator has to add you to the Spotify app's users, "
                "or the app itself isn't allowed to do it."
            ),
        )


# What Spotify's code or sentence holds, and what it means.
_REFUSALS = (
    ("premium", "premium"),
    ("not_controllable", "restricted_device"),
    ("remote_control_disallow", "restricted_device"),
    ("restricted device", "restricted_device"),
    ("restriction violated", "restricted"),
    ("not registered", "not_listed"),
    ("client scope", "scope"),
)


class RateLimited(SpotifyError):  # noqa: N818
    """Spotify's rate limit holds until ``until`` (an aware time)."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"until {until:%Y-%m-%d %H:%M:%S %Z}")
        self.until = until

    @property
    def message(self) -> str:
        local = timezone.localtime(self.until)
        moment = date_format(local, "TIME_FORMAT" if local.date() == timezone.localdate() else "DATETIME_FORMAT")
        return _("Spotify is limiting requests right now. Try again after %(time)s.") % {"time": moment}


class Unavailable(SpotifyError):  # noqa: N818
    """Spotify does not respond, or responds with nonsense. The reason is for the log."""

    @property
    def message(self) -> str:
        return _("Spotify isn't responding. Everything else still works. Try again in a minute.")


class Refused(SpotifyError):  # noqa: N818
    """Spotify says no for another reason: ``status`` 404 where it is not there (or no device plays), 400, ..."""

    def __init__(self, status: int, reason: str = "") -> None:
        super().__init__(f"{status} {reason}".strip())
        self.status = status
        self.reason = reason

    @property
    def name(self) -> str:
        if self.reason == "NO_ACTIVE_DEVICE":
            return "no_device"
        if self.status == HTTPStatus.NOT_FOUND:
            return "device_gone" if self.reason == "Device not found" else "not_found"
        return "refused"

    @property
    def message(self) -> str:
        if self.name == "no_device":
            return _("None of your devices is active. Open Spotify on one of them, then try again.")
        if self.name == "device_gone":
            return _("That device isn't there any more. Open Spotify on one of your devices, then try again.")
        return _("Spotify doesn't have that, or no longer does.") if self.status == 404 else super().message


_NAMES = {
    "SpotifyError": "failed",
    "NotConnected": "not_connected",
    "NeedsReconnect": "reconnect",
    "RateLimited": "busy",
    "Unavailable": "away",
}


def note_of(error: SpotifyError) -> str:
    """Return ``error`` as a short text for the database; ``message_of`` makes a sentence of it in any language."""
    detail = ""
    if isinstance(error, RateLimited):
        detail = error.until.astimezone(UTC).isoformat()
    elif isinstance(error, NotPermitted):
        detail = error.reason
    elif isinstance(error, Refused):
        detail = f"{error.status} {error.reason}"
    return f"{type(error).__name__}:{detail}"[:500]


def message_of(note: str) -> str:
    """Return the sentence for the listener; a text that ``note_of`` did not make is returned as it is."""
    name, colon, detail = note.partition(":")
    if not colon or name not in _NOTED:
        return note
    try:
        return _NOTED[name](detail).message
    except ValueError:
        return SpotifyError().message


def _refused(detail: str) -> Refused:
    status, _space, reason = detail.partition(" ")
    return Refused(int(status), reason)


_NOTED: dict[str, Callable[[str], SpotifyError]] = {
    "SpotifyError": lambda _detail: SpotifyError(),
    "NotConnected": lambda _detail: NotConnected(),
    "NeedsReconnect": lambda _detail: NeedsReconnect(),
    "NotPermitted": NotPermitted,
    "RateLimited": lambda detail: RateLimited(datetime.fromisoformat(detail)),
    "Unavailable": lambda _detail: Unavailable(),
    "Refused": _refused,
}
