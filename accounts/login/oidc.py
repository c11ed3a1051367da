"""Log-in with OpenID Connect, at the one provider that the settings name: what differs from allauth's way."""

import itertools
import logging
import secrets
from typing import Any

from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.login.notices import send_notice
from accounts.models import User
from accounts.names import look_alike_key

logger = logging.getLogger(__name__)
# Under this name allauth keeps who somebody is at the provider.
PROVIDER = "oidc"
_LONGEST_NAME = 100
# Names with a number behind them, before one by chance.
_NUMBERS = 20


def handle(request: HttpRequest, sociallogin: SocialLogin) -> None:
    """Find the account somebody means, or leave it to allauth to make one. Nothing else of them is kept.

    Raise ``ImmediateHttpResponse`` with what to answer instead.
    """
    subject = _subject(sociallogin.account.extra_data)
    sociallogin.token, sociallogin.account.extra_data = None, {}
    if sociallogin.account.pk:
        SocialAccount.objects.filter(pk=sociallogin.account.pk).update(extra_data={})
    # On MariaDB the database finds "Ann" where "ann" is asked for, who is somebody else.
    if subject is None or subject != sociallogin.account.uid:
        raise did_not_work(request)
    if sociallogin.state.get("process") == AuthProcess.CONNECT:
        raise ImmediateHttpResponse(_connect(request, sociallogin))
    if not sociallogin.is_existing:
        _find_account(request, sociallogin)


def save_new(request: HttpRequest, sociallogin: SocialLogin) -> User:
    """Save a new listener, under a name that is like the one they have at the provider."""
    user: User = sociallogin.user
    user.set_unusable_password()
    user.username = free_name(user.username or user.email)
    sociallogin.save(request)
    return user


def did_not_work(request: HttpRequest, exception: Exception | None = None) -> ImmediateHttpResponse:
    """Return what to raise where the provider's answer is no good."""
    if exception is not None:
        logger.warning("a log-in with OpenID Connect failed: %s", type(exception).__name__)
    return _refuse(request, _("Logging in with %(name)s didn't work. Please try again."))


def free_name(wanted: str) -> str:
    """Return a username like ``wanted`` that nobody has and that looks like nobody's."""
    base = _allowed(wanted) or "listener"
    numbered = (f"{base}{number}" for number in range(2, _NUMBERS))
    by_chance = (f"{base}-{secrets.token_hex(4)}" for _attempt in itertools.count())
    for name in itertools.chain([base], numbered, by_chance):
        if not User.objects.filter(look_alike=look_alike_key(name)).exists():
            return name
    raise AssertionError("chance never ends")


def _allowed(wanted: str) -> str:
    """Return what a username may hold of ``wanted``, of an address what stands before the @ sign."""
    name = User.normalize_username(wanted.strip().partition("@")[0][:_LONGEST_NAME])
    name = "".join(sign for sign in name if sign.isalnum() or sign in ".+-_")
    try:
        User._meta.get_field("username").clean(name, None)
    except ValidationError:
        return ""
    return name


def is_connected(user: User) -> bool:
    """Return whether an account at the provider logs in as the listener."""
    if not settings.OIDC_SERVER_URL:
        return False
    return bool(SocialAccount.objects.filter(user=user, provider=PROVIDER).exists())


def provider_app() -> SocialApp:
    """Return the app of the settings."""
    return SocialApp(
        provider="openid_connect",
        provider_id=PROVIDER,
        name=settings.OIDC_NAME,
        client_id=settings.OIDC_CLIENT_ID,
        secret=settings.OIDC_CLIENT_SECRET,
        settings={"server_url": settings.OIDC_SERVER_URL, "oauth_pkce_enabled": True},
    )


def _subject(data: dict[str, Any]) -> str | None:
    """Return who the provider says it is; None where its two answers name two, or one longer than we can keep.

    allauth asks for both and compares them not, as OpenID Connect Core 5.3.2 demands.
    """
    subjects = {part.get("sub") for part in (data.get("userinfo"), data.get("id_token")) if part is not None}
    subject = subjects.pop() if len(subjects) == 1 else None
    longest = SocialAccount._meta.get_field("uid").max_length or 0
    return subject if isinstance(subject, str) and 0 < len(subject) <= longest else None


def _find_account(request: HttpRequest, sociallogin: SocialLogin) -> None:
    """Link an account that has the same address, where both sides have confirmed it; else refuse what is taken.

    An address that the provider has not confirmed could be anybody's; and one that was not confirmed here could have
    been entered by somebody who waits for its owner to come. Operators' accounts are never taken by an address.
    """
    address = next((entry for entry in sociallogin.email_addresses if entry.email), None)
    if address is None or not sociallogin.user.email:
        raise _refuse(request, _("%(name)s didn't say your email address, which an account needs."))
    address.verified = address.verified is True
    user = User.objects.filter(email=address.email.lower()).first()
    if user is None:
        return
    is_confirmed = EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists()
    if not (address.verified and is_confirmed) or user.is_staff or user.is_superuser:
        text = _(
            "Your email address has an account here. Log in with its password, then connect %(name)s in your profile."
        )
        raise _refuse(request, text)
    sociallogin.user, sociallogin.account = user, _link(user, sociallogin.account.uid)


def _link(user: User, uid: str) -> SocialAccount:
    account = SocialAccount.objects.create(user=user, provider=PROVIDER, uid=uid)
    send_notice("account/email/oidc_connected", user=user, provider_name=settings.OIDC_NAME)
    return account


def _refuse(request: HttpRequest, text: str) -> ImmediateHttpResponse:
    messages.error(request, text % {"name": settings.OIDC_NAME})
    return ImmediateHttpResponse(redirect("accounts:profile" if request.user.is_authenticated else "account_login"))


def _connect(request: HttpRequest, sociallogin: SocialLogin) -> HttpResponse:
    names = {"name": settings.OIDC_NAME}
    if not isinstance(request.user, User):
        messages.error(request, _("Log in first, then connect %(name)s in your profile.") % names)
        return redirect("account_login")
    if sociallogin.is_existing and sociallogin.user != request.user:
        messages.error(request, _("That account of %(name)s is connected to another account here.") % names)
    else:
        if not sociallogin.is_existing:
            _link(request.user, sociallogin.account.uid)
        messages.success(request, _("You can log in with %(name)s now.") % names)
    return redirect("accounts:profile")
