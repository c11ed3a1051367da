"""The forms of two-factor authentication, with our labels and protected against malformed input."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext_lazy as _

from jobs.patience import AWAY

# Passkeys answer with one or two thousand characters.
_LONGEST = 20_000


class _CodeForm(forms.Form):
    """A form that asks for a code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = self.fields["code"] = forms.CharField(
            label=_("Code"),
            max_length=32,
            widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        )
        code.widget.attrs["spellcheck"] = "false"


class AuthenticateForm(_CodeForm, base.AuthenticateForm):  # type: ignore[misc]
    """The second step of a log-in."""


class ReauthenticateForm(_CodeForm, base.ReauthenticateForm):  # type: ignore[misc]
    """The code again, before something that matters."""


class ActivateTOTPForm(_CodeForm, totp.ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an authenticator app."""


class _PasskeyField(forms.JSONField):
    """A browser's passkey response: an object of texts of limited depth."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        """Return the object. Raise ``ValidationError`` for anything else."""
        if isinstance(value, str) and len(value) > _LONGEST:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            parsed = super().to_python(value)
        except RecursionError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        if parsed is not None and not isinstance(parsed, dict):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return parsed

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return nothing, because a response is valid only once."""
        return InvalidJSONInput("")


class _PasskeyForm(forms.Form):
    """A form that takes a passkey's answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"] = _PasskeyField()


def _read(clean: Callable[[], Any]) -> Any:
    """Return what ``clean`` does; refuse input at which the passkey libraries fail, which they do in many ways."""
    try:
        return clean()
    except (ValidationError, *AWAY):
        raise
    except Exception:  # KeyError, struct.error, InvalidSignature, ...: what readers of bytes raise.
        raise get_adapter().validation_error("incorrect_code") from None


class _AnswerForm(_PasskeyForm):
    """A form with which a passkey proves that it is there."""

    def clean_credential(self) -> Any:
        """Return the passkey."""
        return _read(super().clean_credential)  # type: ignore[misc]


class AddPasskeyForm(_PasskeyForm, webauthn.AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = forms.CharField(
            label=_("Name"), max_length=60, required=False, initial=self.initial.get("name")
        )
        self.fields["passwordless"].label = _("Log in with it without my password")
        self.fields["passwordless"].help_text = _("The device then asks for its PIN or your fingerprint.")

    def clean(self) -> Any:
        """Read the new passkey."""
        return _read(super().clean)


class EditPasskeyForm(webauthn.EditWebAuthnForm):  # type: ignore[misc]
    """Another name for a passkey."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = forms.CharField(label=_("Name"), max_length=60)


class PasskeyStepForm(_AnswerForm, webauthn.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """The second step of a log-in, by a passkey."""


class PasskeyLoginForm(_AnswerForm, webauthn.LoginWebAuthnForm):  # type: ignore[misc]
    """A log-in by a passkey alone."""


class PasskeyAgainForm(_AnswerForm, webauthn.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """The passkey again, before something that matters."""
