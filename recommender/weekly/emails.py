"""Each new list by email, to listeners who said yes to it."""

from __future__ import annotations

import logging
from datetime import date
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import Exists, OuterRef, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from jobs.registry import Run
from recommender.models import WeeklyList
from recommender.weekly.selectors import songs_of
from recommender.weekly.services import end_token

logger = logging.getLogger(__name__)


def due_emails(monday: date) -> QuerySet[WeeklyList]:
    """Return the lists of a week that wait to be sent: to listeners who want them, at an address they confirmed."""
    confirmed = EmailAddress.objects.filter(
        user_id=OuterRef("user_id"), email__iexact=OuterRef("user__email"), verified=True
    )
    lists = WeeklyList.objects.filter(week=monday, emailed_at=None, user__weekly_email__isnull=False)
    return lists.filter(Exists(confirmed), user__is_active=True).order_by("pk")


def send_emails(monday: date, run: Run) -> int:
    """Send each listener the list of the week, at most once; return how many were sent.

    A list is marked as sent before it is handed to the mail server: where the job or the server dies in between, that
    listener gets no email this week, and nobody gets two. Where no connection can be made, nothing is marked, and the
    next night tries again.
    """
    if not settings.EMAIL_URL:
        return 0
    ids = list(due_emails(monday).values_list("pk", flat=True))
    if not ids:
        return 0
    connection = get_connection()
    try:
        connection.open()
    except (SMTPException, OSError) as error:
        logger.warning("no weekly emails: %s", type(error).__name__)
        return 0
    try:
        return _send_all(ids, monday, connection, run)
    finally:
        _close(connection)


def _send_all(ids: list[int], monday: date, connection: BaseEmailBackend, run: Run) -> int:
    sent = 0
    for number, pk in enumerate(ids):
        run.report(f"{sent} emails sent", number / len(ids))
        # Asked anew: the listener may have ended the emails meanwhile.
        row = due_emails(monday).filter(pk=pk).select_related("user__weekly_email").first()
        if row is None or not WeeklyList.objects.filter(pk=pk, emailed_at=None).update(emailed_at=timezone.now()):
            continue
        try:
            message_of(row, connection).send()
            sent += 1
        except (SMTPRecipientsRefused, SMTPDataError, UnicodeError) as error:
            # UnicodeError: a domain that passed as an address, but is too long once it is written in ASCII.
            logger.warning("no weekly email for listener %s: %s", row.user_id, type(error).__name__)
        except OSError as error:
            # The connection or the site's own address, as it would be for all. SMTPException is an OSError, too.
            logger.warning("weekly emails ended early: %s", type(error).__name__)
            break
    return sent


def _close(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except (SMTPException, OSError):
        logger.info("the mail server was gone before the connection was closed")


def message_of(weekly_list: WeeklyList, connection: BaseEmailBackend | None = None) -> EmailMultiAlternatives:
    """Return the email of a list, in the listener's language, with the link that ends these emails (RFC 8058)."""
    wish = weekly_list.user.weekly_email
    end_url = wish.origin + reverse("recommender:week_email_end", args=[end_token(weekly_list.user_id)])
    with translation.override(wish.language):
        songs = [song for song in songs_of(weekly_list) if song.track is not None and song.track.is_active]
        context = {
            "weekly_list": weekly_list,
            "songs": songs,
            "song_count": len(songs),
            "expected": round(sum(song.probability for song in songs)),
            "origin": wish.origin,
            "list_url": wish.origin + weekly_list.get_absolute_url(),
            "end_url": end_url,
            "SITE_NAME": settings.SITE_NAME,
            "language": wish.language,
        }
        text = render_to_string("recommender/email/week.txt", context).strip() + "\n"
        html = render_to_string("recommender/email/week.html", context)
        subject = settings.ACCOUNT_EMAIL_SUBJECT_PREFIX + weekly_list.title
    message = EmailMultiAlternatives(
        subject,
        text,
        None,
        [weekly_list.user.email],
        headers={"List-Unsubscribe": f"<{end_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        connection=connection,
    )
    message.attach_alternative(html, "text/html")
    return message
