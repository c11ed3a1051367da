"""Emails a month before a connection expires, to listeners who said yes to them."""

import logging
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.spotify.models import SpotifyAccount
from jobs.registry import Kind, Run

logger = logging.getLogger(__name__)


def set_reminder(*, user: User, is_wanted: bool) -> bool:
    """Note whether the listener wants the email; return whether there is a connection."""
    return SpotifyAccount.objects.filter(user=user).update(wants_email=is_wanted) == 1


def due() -> QuerySet[SpotifyAccount]:
    """Return the connections that expire within a month and whose listeners have had no email about it yet."""
    accounts = SpotifyAccount.objects.filter(wants_email=True, emailed_at=None, needs_reconnect=False)
    return accounts.filter(authorised_at__lt=SpotifyAccount.authorised_before(), user__is_active=True)


def send_reminders(run: Run) -> str:
    """Send each listener one email; what cannot be sent today is tried tomorrow."""
    sent = failed = 0
    for account in due().select_related("user").defer("access_token", "refresh_token"):
        # Marked before sending, because no e-mail is better than two.
        if not due().filter(pk=account.pk).update(emailed_at=timezone.now()):
            continue
        try:
            _send(account)
            sent += 1
        except (SMTPException, OSError) as error:
            logger.warning("no reminder for listener %s: %s", account.user_id, type(error).__name__)
            SpotifyAccount.objects.filter(pk=account.pk).update(emailed_at=None)
            failed += 1
        run.report(f"{sent} sent", 0.5)
    return f"{sent} sent, {failed} failed"


def _send(account: SpotifyAccount) -> None:
    day = date_format(timezone.localtime(account.ends_at), "DATE_FORMAT")
    text = _(
        "Your Spotify connection on %(site)s expires around %(day)s, because Spotify ends every connection after six "
        "months. Reconnect in your profile. It takes two clicks. You can turn this email off there, too."
    )
    send_mail(
        _("Your Spotify connection expires soon"),
        text % {"site": settings.SITE_NAME, "day": day},
        None,
        [account.user.email],
    )


KIND = Kind(
    "spotify-reminders",
    gettext_lazy("emails about expiring Spotify connections"),
    send_reminders,
    every=lambda: timedelta(days=1) if settings.SPOTIFY_CLIENT_ID else None,
)
