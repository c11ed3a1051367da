"""Where the site's rules differ from django-allauth's defaults."""

from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.translation import gettext_lazy as _

from accounts.compat import LoginAttemptsAdapter
from accounts.login.devices import note_log_in
from accounts.login.notices import send_notice
from accounts.models import ApiToken, User
from accounts.names import LOOKS_TAKEN, look_alike_key


class AccountAdapter(LoginAttemptsAdapter):
    """Names and addresses that stay unambiguous, since a listener logs in with either."""

    error_messages = {
        **LoginAttemptsAdapter.error_messages,
        "too_many_login_attempts": _("Too many failed attempts. Please try again in a few minutes."),
    }

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client's address; where fewer proxies than announced have spoken, the one that connected."""
        try:
            return str(super().get_client_ip(request))
        except (ImproperlyConfigured, PermissionDenied):
            # A socket has no address: then all who come through it count as one.
            return str(request.META.get("REMOTE_ADDR") or "0.0.0.0")  # noqa: S104

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Let nobody sign up where a proxy says who there is: they could take the name of who comes later."""
        return not settings.TRUSTED_PROXY_AUTH_HEADER

    def post_login(
        self, request: HttpRequest, user: User, *, signup: bool = False, redirect_url: str | None = None, **rest: Any
    ) -> HttpResponse:
        """Redirect to the previous page, and new listeners always through the onboarding."""
        note_log_in(request, user, is_new_account=signup)
        if signup:
            redirect_url = resolve_url(settings.ACCOUNT_SIGNUP_REDIRECT_URL)
        answer: HttpResponse = super().post_login(request, user, signup=signup, redirect_url=redirect_url, **rest)
        return answer

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Refuse a name that could be someone's e-mail address, or be taken for someone else's name."""
        username = User.normalize_username(username)
        if "@" in username:
            raise ValidationError(_("Usernames can't contain an @ sign."), code="at_sign")
        name = str(super().clean_username(username, shallow=shallow))
        if not shallow and User.objects.filter(look_alike=look_alike_key(name)).exists():
            raise ValidationError(LOOKS_TAKEN, code="looks_taken")
        return name

    def login_attempts_key(self, credentials: dict[str, Any]) -> str | None:
        """Count log-in attempts per account, whichever of its names is used."""
        login = str(credentials.get("email") or credentials.get("username") or "").lower()
        field = "email" if "@" in login else "username"
        account = User.objects.filter(**{field: login}).values_list("pk", flat=True).first() if login else None
        return None if account is None else f"account {account}"

    def set_password(self, user: User, password: str) -> None:
        """Set it; access tokens end with the old one, unless ``ChangePasswordForm`` keeps them."""
        with transaction.atomic():
            super().set_password(user, password)
            if not getattr(user, "keeps_tokens", False):
                ApiToken.objects.filter(user=user).delete()

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Send allauth's e-mails about the account as our own: without IP address and browser, and without failing the
        request."""
        if template_prefix != "account/email/email_deleted":  # The address was never confirmed as the listener's.
            send_notice(template_prefix, user=user, to=email or "", **(context or {}))

    def can_delete_email(self, email_address: EmailAddress) -> bool:
        """Keep the address in use: ``User.email`` is unique and must not become empty."""
        return bool(email_address.email != email_address.user.email)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Refuse an address that another listener took between the letter and the click."""
        taken = User.objects.filter(email=email_address.email).exclude(pk=email_address.user_id)
        return not taken.exists() and bool(super().confirm_email(request, email_address))
