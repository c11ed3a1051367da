"""Where the site's rules differ from django-allauth's defaults."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Names and addresses that stay unambiguous, since a listener logs in with either."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "too_many_login_attempts": _("Too many failed attempts. Please try again in a few minutes."),
    }

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client's address; where fewer proxies than announced have spoken, the one that connected."""
        try:
            return str(super().get_client_ip(request))
        except (ImproperlyConfigured, PermissionDenied):
            # A socket has no address: then all who come through it count as one.
            return str(request.META.get("REMOTE_ADDR") or "0.0.0.0")  # noqa: S104

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Refuse a name that could be someone's e-mail address."""
        if "@" in username:
            raise ValidationError(_("A username cannot hold an @ sign."), code="at_sign")
        return str(super().clean_username(username, shallow=shallow))

    def can_delete_email(self, email_address: EmailAddress) -> bool:
        """Keep the address in use: ``User.email`` is unique and must not become empty."""
        return bool(email_address.email != email_address.user.email)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Refuse an address that another listener took between the letter and the click."""
        taken = User.objects.filter(email=email_address.email).exclude(pk=email_address.user_id)
        return not taken.exists() and bool(super().confirm_email(request, email_address))
