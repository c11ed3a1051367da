"""The administration's pages of all rooms, for Django to find."""

from feedback.plays.admin import PlayAdmin
from feedback.ratings.admin import RatingAdmin

__all__ = ["PlayAdmin", "RatingAdmin"]
