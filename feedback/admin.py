"""Administration of feedback: to look at and to remove, not to invent."""

from django.contrib import admin
from django.http import HttpRequest

from feedback.models import Play, Rating


class _FeedbackAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_select_related = ("user", "track")
    search_fields = ("user__username", "track__title", "track__artist_names")
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Feedback comes from listeners alone."""
        return False


@admin.register(Rating)
class RatingAdmin(_FeedbackAdmin):
    """Likes and dislikes."""

    list_display = ("user", "track", "value", "updated_at")
    list_filter = ("value",)
    date_hierarchy = "updated_at"
    readonly_fields = ("user", "track", "value", "created_at", "updated_at")


@admin.register(Play)
class PlayAdmin(_FeedbackAdmin):
    """Plays; whether one counts in its listener's taste may be changed."""

    list_display = ("user", "track", "played_at", "outcome", "source", "is_counted")
    list_filter = ("outcome", "source", "is_counted")
    date_hierarchy = "played_at"
    readonly_fields = ("user", "track", "played_at", "ms_played", "outcome", "source", "token")
