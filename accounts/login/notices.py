"""Notification e-mails about the account. Without a mail server none are sent."""

import logging
from functools import partial
from smtplib import SMTPException
from typing import Any

from allauth.core import context as current
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import User

logger = logging.getLogger(__name__)
# Notices that a listener may turn off. The others are warnings about the account's security.
OPTIONAL = frozenset({"account/email/new_device", "account/email/token_created"})


def send_notice(template: str, *, user: User, to: str = "", **details: Any) -> None:
    """Send the email ``template`` once the transaction is through: to the listener, or to the address they had.

    It contains neither IP address nor browser. A failure of the mail server is only logged.
    """
    # An account that a proxy made has no address yet: no mail server takes mail for one like that (RFC 2606).
    if (
        not settings.EMAIL_URL
        or (to or user.email).endswith(".invalid")
        or (template in OPTIONAL and not user.wants_security_emails)
    ):
        return
    now = timezone.localtime()
    context = {
        "username": user.username,
        "SITE_NAME": settings.SITE_NAME,
        "when": f"{date_format(now, 'DATETIME_FORMAT')} {now:%Z}",
        "reset_url": _address_of("account_reset_password"),
        "profile_url": _address_of("accounts:profile"),
        **details,
    }
    subject = " ".join(render_to_string(f"{template}_subject.txt", context).split())
    text = render_to_string(f"{template}_message.txt", context).strip() + "\n"
    transaction.on_commit(
        partial(_send, settings.ACCOUNT_EMAIL_SUBJECT_PREFIX + subject, text, to or user.email, user.pk)
    )


def _send(subject: str, text: str, to: str, user_id: int) -> None:
    try:
        send_mail(subject, text, None, [to])
    except (SMTPException, OSError) as error:
        logger.warning("no security email for listener %s: %s", user_id, type(error).__name__)


def _address_of(route: str) -> str:
    request: HttpRequest | None = current.request
    return request.build_absolute_uri(reverse(route)) if request is not None else ""
