"""Administration of likes and dislikes."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.field_labels import label_fields
from feedback.ratings.models import Rating
from feedback.web.model_admin import FeedbackAdmin

label_fields(
    Rating,
    user=_("listener"),
    track=_("song"),
    value=_("like or dislike"),
    source=_("source"),
    created_at=_("created at"),
    updated_at=_("changed"),
)


@admin.register(Rating)
class RatingAdmin(FeedbackAdmin):
    """Likes and dislikes."""

    list_display = ("user", "track", "value", "updated_at")
    list_filter = ("value",)
    date_hierarchy = "updated_at"
    readonly_fields = ("user", "track", "value", "created_at", "updated_at")
