"""Periodic cleanup: records of old pages, expired sessions, abandoned uploads."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from feedback.history_import.services import delete_stray_uploads
from jobs.registry import Kind, Run
from recommender.models import Recommendation

_BATCH = 5000


def delete_old_recommendations() -> int:
    """Delete recommendations older than ``RECOMMENDATIONS_KEPT_DAYS`` (0: none), a batch at a time."""
    if not settings.RECOMMENDATIONS_KEPT_DAYS:
        return 0
    oldest_kept = timezone.now() - timedelta(days=settings.RECOMMENDATIONS_KEPT_DAYS)
    deleted = 0
    while True:
        # IDs grow with time, so the loop ends at the first rows that are recent enough.
        rows = list(Recommendation.objects.order_by("pk").values_list("pk", "created_at")[:_BATCH])
        old = [pk for pk, created_at in rows if created_at < oldest_kept]
        deleted += Recommendation.objects.filter(pk__in=old).delete()[0]
        if len(old) < _BATCH:
            return deleted


def _tidy(_run: Run) -> str:
    call_command("clearsessions")
    return (
        f"deleted {delete_old_recommendations():,} old recommendations and {delete_stray_uploads():,} orphaned uploads"
    )


TIDY = Kind(name="tidy", label=_("Clean-up"), handler=_tidy, every=lambda: timedelta(days=1), is_startable=True)
