"""Administration of likes and dislikes."""

from django.contrib import admin

from feedback.ratings.models import Rating
from feedback.web.model_admin import FeedbackAdmin


@admin.register(Rating)
class RatingAdmin(FeedbackAdmin):
    """Likes and dislikes."""

    list_display = ("user", "track", "value", "updated_at")
    list_filter = ("value",)
    date_hierarchy = "updated_at"
    readonly_fields = ("user", "track", "value", "created_at", "updated_at")
