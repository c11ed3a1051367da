"""Forms of the listener's account."""

import zoneinfo
from typing import Any, ClassVar

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.forms import AddEmailForm
from allauth.account.forms import ChangePasswordForm as BaseChangePasswordForm
from allauth.account.forms import LoginForm as BaseLoginForm
from allauth.account.forms import SignupForm as BaseSignupForm
from allauth.account.models import EmailAddress
from django import forms
from django.contrib import messages
from django.db import IntegrityError
from django.forms.utils import flatatt
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts import services
from accounts.compat import sign_up_context
from accounts.models import ApiToken, User
from accounts.regions import region_choices
from jobs.races import retry_conflicts


def _mark_as_login_name(field: forms.Field) -> None:
    """Keep phones from changing what is typed into a name field."""
    field.widget.attrs.update({"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"})


def _drop_placeholders(form: forms.Form) -> None:
    """Leave the visible label as the one name of a field: a placeholder repeats it and vanishes when typing."""
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)


class LongSelect(forms.Select):
    """A choice of hundreds, written out at once: Django's own widget renders a template for each option."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """Return the list with what is chosen."""
        chosen = {str(choice) for choice in self.format_value(value)}
        options = ((key, mark_safe(" selected") if str(key) in chosen else "", label) for key, label in self.choices)
        written = flatatt(self.build_attrs(self.attrs, attrs))
        listed = format_html_join("", '<option value="{}"{}>{}</option>', options)
        return format_html('<select name="{}"{}>{}</select>', name, written, listed)


class SignupForm(BaseSignupForm):  # type: ignore[misc]
    """Username, e-mail, password and region, on one page."""

    region = forms.ChoiceField(
        label=_("Region"),
        required=False,
        choices=lambda: [("", _("Prefer not to say")), *region_choices()],
        help_text=_("We'll start with songs that are popular there."),
        widget=LongSelect(attrs={"autocomplete": "country"}),
    )
    field_order: ClassVar[list[str]] = ["username", "email", "password1", "password2", "region"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _drop_placeholders(self)
        _mark_as_login_name(self.fields["username"])
        self.fields["username"].help_text = _("Letters, digits and . + - _ only")
        self.fields["email"].label = _("Email address")
        # Shorter than the list of all rules; what breaks one of them is told which.
        self.fields["password1"].help_text = _("At least 8 characters. Not just digits, and not a common password.")

    def signup(self, request: HttpRequest, user: User) -> None:
        """Keep the region with the new listener."""
        user.region = self.cleaned_data["region"]
        user.save(update_fields=["region"])

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Save; when someone took the name or the address since the check, show the form with that error."""
        if self.account_already_exists:
            # Nothing is kept, but the answer takes as long as for a new address: most of it is the password's hash.
            User().set_password(self.cleaned_data["password1"])
        return retry_conflicts(lambda: self._save(request), reset=self.full_clean)

    def _save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        if self.is_valid():
            return super().try_save(request)  # type: ignore[no-any-return]
        context = {"form": self, **sign_up_context(request)}
        return None, render(request, "account/signup.html", context)


class LoginForm(BaseLoginForm):  # type: ignore[misc]
    """Log-in with the username or the e-mail address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _drop_placeholders(self)
        self.fields["login"].label = pgettext_lazy("log-in", "Username or email")
        self.fields["remember"].label = _("Keep me logged in")
        _mark_as_login_name(self.fields["login"])

    def user_credentials(self) -> dict[str, str]:
        """Return what was typed as one or the other: no username holds an @ sign.

        As both, a wrong password would be hashed twice where the address has an account, and once where it has none.
        """
        credentials: dict[str, str] = super().user_credentials()
        if "email" in credentials:
            credentials.pop("username", None)
        if "username" in credentials:
            credentials["username"] = User.normalize_username(credentials["username"])
        return credentials


class ChangePasswordForm(BaseChangePasswordForm):  # type: ignore[misc]
    """Change the password. Access tokens end with the old one, unless they are to stay."""

    keep_tokens = forms.BooleanField(
        label=_("Keep my access tokens"),
        required=False,
        help_text=_("Otherwise they're revoked, and programs that use them stop working."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not ApiToken.objects.filter(user=self.user).exists():
            del self.fields["keep_tokens"]

    def save(self) -> None:
        """Set the new password."""
        self.user.keeps_tokens = bool(self.cleaned_data.get("keep_tokens"))
        super().save()


def _sends_letters() -> bool:
    return bool(app_settings.EMAIL_VERIFICATION != app_settings.EmailVerificationMethod.NONE)


class ChangeEmailForm(AddEmailForm):  # type: ignore[misc]
    """Change the e-mail address: after a confirmation letter, or at once where addresses are not verified."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _drop_placeholders(self)
        self.fields["email"].label = _("New email address")

    def clean_email(self) -> str:
        """Refuse an address of another listener where no letter can be sent: ``User.email`` is unique.

        Where letters are sent, this form says the same of a free address and of one that has an account: whose it is
        gets a letter. A pending change to the same address may be asked for again: that sends a new letter.
        """
        email = str(self.cleaned_data["email"]).lower()
        if email == self.user.email:
            raise get_adapter().validation_error("duplicate_email")
        if not _sends_letters() and User.objects.filter(email=email).exists():
            raise get_adapter().validation_error("email_taken")
        return email

    def save(self, request: HttpRequest) -> EmailAddress:
        """Start the change, or make it where no letter can be sent."""
        email = self.cleaned_data["email"]
        if not _sends_letters():
            return self._change_at_once(request, email)
        address = services.start_email_change(user=self.user, email=email)
        if User.objects.filter(email=email).exists():
            get_adapter().send_account_already_exists_mail(email)
        else:
            address.send_confirmation(request)
        messages.info(
            request, _("We've emailed %(email)s. Follow the link in that email to finish.") % {"email": email}
        )
        return address

    def _change_at_once(self, request: HttpRequest, email: str) -> EmailAddress:
        try:
            address = services.change_email(user=self.user, email=email)
        except IntegrityError:
            messages.error(request, get_adapter().error_messages["email_taken"])
            return EmailAddress(user=self.user, email=email)
        messages.success(request, _("Your email address is now %(email)s.") % {"email": email})
        return address


class AdventureInput(forms.NumberInput):
    """A slider."""

    input_type = "range"


class AdventureForm(forms.ModelForm):  # type: ignore[type-arg]
    """The adventure dial by itself."""

    class Meta:
        model = User
        fields = ("adventure",)
        labels: ClassVar[dict[str, Any]] = {"adventure": _("Adventurousness")}
        widgets: ClassVar[dict[str, Any]] = {
            "adventure": AdventureInput(attrs={"min": "0", "max": "1", "step": "0.05", "class": "form-range"})
        }


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the listener says about how to recommend."""

    class Meta:
        model = User
        fields = ("region", "time_zone", "explicit_allowed", "adventure")
        labels: ClassVar[dict[str, Any]] = {
            "explicit_allowed": _("Include songs with explicit lyrics"),
            "adventure": _("How adventurous should your recommendations be?"),
        }
        help_texts: ClassVar[dict[str, Any]] = {
            "region": _("We'll start with songs that are popular there."),
            "time_zone": _("Used to show dates and times."),
            "explicit_allowed": "",
            "adventure": _("Left: safe choices. Right: mostly music you don't know yet."),
        }
        widgets: ClassVar[dict[str, Any]] = {
            "region": LongSelect(attrs={"autocomplete": "country"}),
            "adventure": AdventureInput(attrs={"min": "0", "max": "1", "step": "0.05", "class": "form-range"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        region = self.fields["region"]
        assert isinstance(region, forms.ChoiceField)
        region.choices = [("", _("Prefer not to say")), *region_choices()]
        zones = [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones()) if "/" in name]
        self.fields["time_zone"] = forms.ChoiceField(
            label=_("Time zone"),
            choices=[("", _("Same as my browser")), *zones],
            required=False,
            help_text=_("Used to show dates and times."),
            widget=LongSelect,
        )


class SecurityEmailsForm(forms.ModelForm):  # type: ignore[type-arg]
    """Whether the listener wants the emails that can be turned off."""

    class Meta:
        model = User
        fields = ("wants_security_emails",)


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new personal token."""

    days = forms.TypedChoiceField(
        label=_("Expires"),
        choices=(
            ("", _("never")),
            (7, _("in a week")),
            (30, _("in 30 days")),
            (90, _("in 90 days")),
            (365, _("in a year")),
        ),
        required=False,
        coerce=int,
        empty_value=None,
    )

    class Meta:
        model = ApiToken
        fields = ("name", "scope")
        widgets: ClassVar[dict[str, Any]] = {"scope": forms.RadioSelect}


class DeleteAccountForm(forms.Form):
    """The password, typed again before everything goes; the username where others log the listener in."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        if not user.has_usable_password():
            self.fields = {"username": forms.CharField(label=_("Your username"))}

    def clean_username(self) -> str:
        """Check that the listener means this account."""
        name = User.normalize_username(self.cleaned_data["username"])
        if name != self.user.username:
            raise forms.ValidationError(_("That isn't your username."), code="wrong_username")
        return name

    def clean_password(self) -> str:
        """Check the password against the listener's."""
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise forms.ValidationError(_("That password isn't right. Please try again."), code="wrong_password")
        return password
