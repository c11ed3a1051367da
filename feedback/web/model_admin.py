"""Admin of feedback: rows can be viewed and deleted, not added."""

from django.contrib import admin
from django.http import HttpRequest


class FeedbackAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that listeners alone make."""

    list_select_related = ("user", "track")
    search_fields = ("user__username", "track__title", "track__artist_names")
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Feedback comes from listeners alone."""
        return False
