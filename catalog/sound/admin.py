"""Admin of sound analyses and calibrations: what was measured of which recording, and how far estimates err."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.field_labels import label_fields
from catalog.models import SoundAnalysis, SoundCalibration
from catalog.sound.calibrating import summary_of

label_fields(
    SoundAnalysis,
    server_song=_("recording"),
    digest=_("digest of the file"),
    engine=_("analysed with"),
    seconds_decoded=_("seconds decoded"),
    embedding=_("similarity vector"),
    numbers=_("measured values"),
    estimates=_("estimated audio features"),
    calibration=_("sound calibration"),
)
label_fields(SoundCalibration, columns=_("weights and errors"))


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


@admin.register(SoundCalibration)
class SoundCalibrationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list to look at: the latest is used."""

    list_display = ("id", "created_at", "version", "pairs", "errors")

    @admin.display(description=_("errors"))
    def errors(self, calibration: SoundCalibration) -> SafeString:
        """Return each column's error, and whether it is used."""
        return format_html_join("", "<div>{}</div>", ((line,) for line in summary_of(calibration)))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They are fitted, not written."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They are fitted, not written."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Values name the calibration that they are from."""
        return False
