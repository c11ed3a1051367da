"""The record of impressions: which songs a listener was shown, where, and why."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from accounts.models import User
from jobs.patience import AWAY, impatient, reason_of_absence, reconnect_if_lost
from recommender.adapters.loaded import LoadedModel
from recommender.engine import PageItem
from recommender.models import Recommendation
from recommender.pages.explanations.phrases import StoredReason

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Impression:
    """One song on a page. ``section`` is empty on a page without sections."""

    item: PageItem
    policy: str
    reason: StoredReason
    section: str = ""


def record_impressions(
    user: User, loaded: LoadedModel, impressions: Sequence[Impression], arm_id: int | None = None
) -> uuid.UUID:
    """Record the songs of one page, in the order in which they are shown, and return the page's id.

    ``arm_id``: the arm of the experiment whose setting made the page.

    Where nothing can be written just now, the page is made all the same: it is read, not written.
    """
    page = uuid.uuid4()
    try:
        with impatient():
            write_impressions(page, user, loaded, impressions, arm_id=arm_id)
    except AWAY as error:
        if connection.in_atomic_block:
            raise
        logger.warning("what was shown isn't recorded: %s", reason_of_absence(error))
        reconnect_if_lost()
    return page


@transaction.atomic
def write_impressions(
    page: uuid.UUID,
    user: User,
    loaded: LoadedModel,
    impressions: Sequence[Impression],
    *,
    is_shown: bool = True,
    arm_id: int | None = None,
) -> None:
    """Record the songs of ``page``, in the order in which they are shown, or will be where they aren't yet."""
    Recommendation.objects.bulk_create(
        Recommendation(
            user=user,
            track_id=impression.item.track_id,
            model_version=loaded.version,
            arm_id=arm_id,
            page=page,
            position=position,
            section=impression.section,
            score=impression.item.score,
            policy=impression.policy,
            propensity=impression.item.propensity,
            is_explored=impression.item.explored,
            is_shown=is_shown,
            reason=impression.reason,
        )
        for position, impression in enumerate(impressions)
    )
