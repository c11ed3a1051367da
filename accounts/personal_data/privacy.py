"""The facts of the privacy page, derived from the tables and settings."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.personal_data.export import PersonalTable, personal_tables
from jobs.services import KEPT_DAYS


@dataclass(frozen=True)
class Fact:
    """Stored data: what, why and for how long."""

    tables: list[str]
    why: str
    how_long: str


@dataclass(frozen=True)
class Recipient:
    """A recipient of data: who, what and when."""

    name: str
    what: str


_sources: list[Callable[[], Iterable[Recipient]]] = []


def register_recipients(source: Callable[[], Iterable[Recipient]]) -> None:
    """Say whom an app sends something to."""
    _sources.append(source)


# Names of tables whose model gives none that a listener would understand, or none in other languages.
_NAMES: Mapping[str, str | Promise] = {
    "accounts.User": gettext_lazy("your account"),
    "accounts.User_groups": gettext_lazy("your groups"),
    "accounts.User_user_permissions": gettext_lazy("your permissions"),
    "feedback.Block": gettext_lazy("what you blocked"),
    "feedback.Playlist": gettext_lazy("playlists"),
    "mfa.Authenticator": gettext_lazy("two-factor devices"),
    "recommender.ExperimentEvent": gettext_lazy("log of experiments"),
}


def table_name(table: PersonalTable) -> str:
    """Return what a table is called on the listener's pages, in their language."""
    return str(_NAMES.get(table.label) or table.model._meta.verbose_name_plural)


def stored_facts() -> list[Fact]:
    """Return what is stored of a listener, by the app that stores it; each personal table is in one of them."""
    names: dict[str, list[str]] = {}
    for table in personal_tables():
        label = table.model._meta.app_label
        names.setdefault(label if label in _WHY else "", []).append(table_name(table))
    return [Fact(tables, _why(label), _how_long(label)) for label, tables in names.items()]


# The apps whose tables have a reason of their own.
_WHY = ("accounts", "accounts_spotify", "catalog", "feedback", "recommender", "jobs")


def _why(label: str) -> str:
    return {
        "accounts": _("To know who you are when you log in, and to set the site as you like it."),
        "accounts_spotify": _("To act for you on Spotify, because you connected it. Access tokens are encrypted."),
        "catalog": _("To delete the songs you added from Spotify, too, when you delete what came from there."),
        "feedback": _("To recommend songs to you, and to show you your own likes, plays and playlists."),
        "recommender": _("To know what was recommended and why, and to compare recommenders fairly."),
        "jobs": _("To do work for you in the background, and to show you how far it is."),
    }.get(label, _("To log you in safely and to let the site's operator administer accounts."))


def _how_long(label: str) -> str:
    if label == "recommender" and settings.RECOMMENDATIONS_KEPT_DAYS:
        text = _("%(days)d days. Weekly lists and blends until you delete your account")
        return text % {"days": settings.RECOMMENDATIONS_KEPT_DAYS}
    if label == "jobs":
        return _("%(days)d days after they ended") % {"days": KEPT_DAYS}
    if label == "accounts_spotify":
        return _("Until you disconnect Spotify or delete your account")
    return _("Until you delete it or your account")


def recipients() -> list[Recipient]:
    """Return who besides this site gets something, as the settings have it and the apps say."""
    listed = []
    if settings.SPOTIFY_CLIENT_ID:
        what = _(
            "What you search for there, the playlists you save and the songs you play, once you connected Spotify."
        )
        listed.append(Recipient("Spotify", what))
    if settings.SPOTIFY_PLAYER:
        what = _(
            "Your IP address and browser, when a cover from Spotify is shown or you press play for a song that plays "
            "there."
        )
        listed.append(Recipient("Spotify (open.spotify.com, sdk.scdn.co, i.scdn.co)", what))
    if settings.EMAIL_URL:
        listed.append(Recipient(_("This site's mail server"), _("Your email address and the emails we send you.")))
    return [*listed, *(recipient for source in _sources for recipient in source())]
