"""Share a year by a link, and end that."""

from datetime import timedelta

from django.core import signing
from django.utils import timezone

from accounts.models import User
from feedback.year_review.models import YearShare

_SIGNER = signing.Signer(salt="feedback.year_review")
# Longer ones are none of ours.
_LONGEST_TOKEN = 200


def share_year(*, user: User, year: int, days: int) -> YearShare:
    """Share a year for so many days. Sharing it again ends the link of before."""
    now = timezone.now()
    # The link holds the end, so that one of before leads nowhere.
    values = {"created_at": now, "ends_at": now + timedelta(days=days)}
    return YearShare.objects.update_or_create(user=user, year=year, defaults=values)[0]


def stop_sharing(*, user: User, year: int) -> None:
    """End the link to a year."""
    YearShare.objects.filter(user=user, year=year).delete()


def token_of(share: YearShare) -> str:
    """Return the part of the link that names the share, signed so that nobody can guess it."""
    return _SIGNER.sign_object([share.pk, int(share.ends_at.timestamp())])


def shared_year(token: str) -> YearShare | None:
    """Return the share of a link that works, with its listener; None for any other text; one query."""
    if len(token) > _LONGEST_TOKEN:
        return None
    try:
        pk, end = _SIGNER.unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    live = YearShare.objects.filter(ends_at__gt=timezone.now(), user__is_active=True).select_related("user")
    share = live.filter(pk=pk).first()
    # A row that got the number of a deleted one is another share.
    return share if share is not None and int(share.ends_at.timestamp()) == end else None
