"""The log-in at a music server, and the list to put there."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.sources.servers.forms import excuse_missing_username
from feedback.music_servers.models import USERNAME_LENGTH, PushedPlaylist, ServerAccount
from feedback.music_servers.selectors import accounts_of
from feedback.playlists.models import Playlist


class LinkForm(forms.Form):
    """A username and password, or an API key. There is no address: the operator says where the servers are."""

    # A browser can't know that an API key needs no username.
    use_required_attribute = False
    username = forms.CharField(
        label=_("Username there"),
        max_length=USERNAME_LENGTH,
        help_text=_("Not needed with an API key."),
        error_messages={"required": _("Enter your username on that server.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    secret = forms.CharField(
        label=_("Password there"),
        max_length=500,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "required": True}),
    )
    is_api_key = forms.BooleanField(
        label=_("This is an API key"), required=False, help_text=_("The server then says whose key it is.")
    )
    is_secret_kept = forms.BooleanField(
        label=_("Store it, encrypted"),
        required=False,
        help_text=_("Needed to put playlists on the server, and to read your stars. Not needed to play there."),
    )
    are_marks_read = forms.BooleanField(
        label=_("Read my stars, ratings and last plays"),
        required=False,
        help_text=_(
            "Stars and four or five points become likes here, one or two points dislikes. When you last played a song "
            "there counts as a play."
        ),
    )

    def clean(self) -> dict[str, Any]:
        """Demand a username unless it is an API key, and a stored log-in where stars are read."""
        data: dict[str, Any] = super().clean() or {}
        excuse_missing_username(self, data)
        if data.get("are_marks_read") and not data.get("is_secret_kept"):
            self.add_error("are_marks_read", _("For this the log-in has to be stored."))
        return data


class PushForm(forms.Form):
    """Which list to put on which of the listener's servers, and whether to renew it from then on."""

    account = forms.ModelChoiceField(ServerAccount.objects.none())
    kind = forms.ChoiceField(choices=PushedPlaylist.Kind.choices)
    playlist = forms.ModelChoiceField(Playlist.objects.none(), required=False)
    is_renewed = forms.BooleanField(required=False)

    def __init__(self, data: Mapping[str, Any], *, user: User) -> None:
        super().__init__(data)
        accounts = accounts_of(user).filter(server__is_active=True)
        cast(forms.ModelChoiceField[Any], self.fields["account"]).queryset = accounts
        cast(forms.ModelChoiceField[Any], self.fields["playlist"]).queryset = Playlist.objects.filter(owner=user)

    def clean(self) -> dict[str, Any]:
        """Demand a playlist for the kind that is one, and a stored log-in."""
        data: dict[str, Any] = super().clean() or {}
        if (data.get("kind") == PushedPlaylist.Kind.PLAYLIST) != (data.get("playlist") is not None):
            self.add_error("playlist", "kind and playlist do not fit each other")
        if data.get("account") and not data["account"].secret:
            self.add_error("account", "the log-in is not stored")
        return data
