"""Administration of plays."""

from django.contrib import admin

from feedback.plays.models import Play
from feedback.web.model_admin import FeedbackAdmin


@admin.register(Play)
class PlayAdmin(FeedbackAdmin):
    """Plays; whether one counts in its listener's taste may be changed."""

    list_display = ("user", "track", "played_at", "outcome", "source", "is_counted")
    list_filter = ("outcome", "source", "is_counted")
    date_hierarchy = "played_at"
    readonly_fields = ("user", "track", "played_at", "ms_played", "outcome", "source", "token")
