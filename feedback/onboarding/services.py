"""Writes of the onboarding."""

from collections.abc import Collection

from django.db import transaction

from accounts.models import User
from catalog.models import Artist, Track
from feedback.preferences.services import set_artists
from feedback.ratings.models import Rating
from feedback.ratings.services import rate


@transaction.atomic
def save_onboarding(*, user: User, artists: Collection[Artist], tracks: Collection[Track]) -> None:
    """Save a new listener's choices: the preferred artists, and a like for each song."""
    set_artists(user=user, artists=artists)
    for track in tracks:
        rate(user=user, track=track, value=Rating.Value.LIKE)
