"""The admin of all sub-packages, for Django to find."""

from feedback.music_servers.admin import ServerAccountAdmin
from feedback.plays.admin import PlayAdmin
from feedback.ratings.admin import RatingAdmin

__all__ = ["PlayAdmin", "RatingAdmin", "ServerAccountAdmin"]
