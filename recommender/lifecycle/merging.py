"""Moves recorded recommendations when the operator merges songs."""

from catalog.models import Track
from recommender.models import Recommendation


def move_recommendations(duplicate: Track, keep: Track) -> None:
    """Move the recommendations of ``duplicate`` to ``keep``; a page that showed both keeps one row."""
    pages_of_keep = list(Recommendation.objects.filter(track=keep).values_list("page", flat=True))
    moved = Recommendation.objects.filter(track=duplicate)
    moved.filter(page__in=pages_of_keep).delete()
    moved.update(track=keep)
