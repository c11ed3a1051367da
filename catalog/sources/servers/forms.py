"""The log-in at a music server, as the operator enters it."""

from typing import Any

from django import forms
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from catalog.models import MusicServer
from catalog.sources.servers.services import LibraryError, clean_address, connect_server
from catalog.sources.subsonic.client import SubsonicError


def excuse_missing_username(form: forms.BaseForm, data: dict[str, Any]) -> None:
    """Accept a log-in without a username where it is an API key: the server says whose it is."""
    if data.get("is_api_key") and form.has_error("username", "required"):
        del form.errors["username"]
        data["username"] = ""


class ServerForm(forms.ModelForm):  # type: ignore[type-arg]
    """A server's address and log-in; the password is never shown again."""

    password = forms.CharField(label=_("Password or API key"), widget=forms.PasswordInput, strip=False, max_length=500)

    class Meta:
        model = MusicServer
        fields = ("name", "address", "username", "is_api_key")
        help_texts = {"username": _("Not needed with an API key.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Who may only look at it has no fields.
        if "username" in self.fields:
            self.fields["username"].required = True

    def clean_address(self) -> str:
        """Return the address as it is kept."""
        try:
            return clean_address(self.cleaned_data["address"])
        except LibraryError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        """Log in to the server and connect it; a refusal is an error of the form."""
        data: dict[str, Any] = super().clean() or {}
        excuse_missing_username(self, data)
        if not self.errors:
            try:
                connected = connect_server(
                    address=data["address"],
                    username=data["username"],
                    secret=data["password"],
                    is_api_key=data["is_api_key"],
                    name=data["name"] or None,
                )
            except (LibraryError, SubsonicError, ImproperlyConfigured) as error:
                raise forms.ValidationError(str(error)) from error
            self.instance = connected
        return data

    def _post_clean(self) -> None:
        """Skip the checks of the model, because the service has written it."""
