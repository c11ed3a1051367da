"""Admin of sound analyses and calibrations: what was measured of which recording, and how far estimates err."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.field_labels import label_fields
from catalog.models import ServerSong, SoundAnalysis, SoundCalibration
from catalog.sound.analyser import missing_tools
from catalog.sound.calibrating import count_pairs, summary_of
from catalog.sound.calibration import MIN_PAIRS
from catalog.sound.services import current_version

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


class SoundAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list to look at: the analysis writes it."""

    change_list_template = "admin/catalog/sound_list.html"

    def sentences_when_empty(self) -> list[str]:
        """Return what will be listed, and what has to be done for it."""
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse, because rows are computed."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse, because computed values are not changed by hand."""
        return False


@admin.register(SoundAnalysis)
class SoundAnalysisAdmin(SoundAdmin):
    """Recordings with what was measured. A deleted analysis is made again."""

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

    def sentences_when_empty(self) -> list[str]:
        """Return that the analysis fills the list."""
        sentences = [gettext("Tempo, key and loudness of each recording will be listed here.")]
        if not ServerSong.objects.exists():
            sentences.append(
                gettext("First connect a music server, or import a folder with “manage.py import_music FOLDER”.")
            )
        return [*sentences, _how_to_analyse()]


@admin.register(SoundCalibration)
class SoundCalibrationAdmin(SoundAdmin):
    """Calibrations with their errors: the latest is used."""

    list_display = ("id", "created_at", "version", "pairs", "errors")

    @admin.display(description=_("errors"))
    def errors(self, calibration: SoundCalibration) -> SafeString:
        """Return each column's error, and whether it is used."""
        return format_html_join("", "<div>{}</div>", ((line,) for line in summary_of(calibration)))

    def sentences_when_empty(self) -> list[str]:
        """Return that the analysis fits a calibration on enough songs, and how many there are."""
        what = gettext("How far estimates of energy, danceability, valence and acousticness err will be listed here.")
        text = gettext("They need %(number)d songs with a recording and with audio features from your catalogue.")
        sentences = [what, text % {"number": MIN_PAIRS}]
        # Whose version it is says the engine, which only the worker's machine may have.
        if not missing_tools():
            number = count_pairs(current_version())
            text = ngettext("%(number)d song has both so far.", "%(number)d songs have both so far.", number)
            sentences.append(text % {"number": number})
        return [*sentences, _how_to_analyse()]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Values name the calibration that they are from."""
        return False


def _how_to_analyse() -> str:
    return gettext(
        "Run “manage.py analyse_sound”, or wait for the background job that does the same. It needs ffmpeg and sonara "
        "(docs/music-servers.md)."
    )
