"""Admin of sound analyses: what was measured of which recording, and why not."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog.models import SoundAnalysis


@admin.register(SoundAnalysis)
class SoundAnalysisAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list to look at. A deleted analysis is made again."""

    list_display = ("song", "state", "tempo", "key", "mode", "loudness", "error", "created_at")
    list_filter = ("state", "server_song__server")
    search_fields = ("server_song__track__title",)
    list_per_page = 50
    show_full_result_count = False

    @admin.display(description=_("song"))
    def song(self, analysis: SoundAnalysis) -> str:
        """Return the song's title and artists."""
        return str(analysis.server_song.track)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # The long columns are not shown.
        rows = super().get_queryset(request).select_related("server_song__track")
        return rows.defer("embedding", "numbers")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The analysis writes them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Measured values are not changed by hand."""
        return False
