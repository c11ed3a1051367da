"""Curating the catalogue."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.field_labels import label_fields
from catalog import services
from catalog.duplicates.merging import merge_tracks
from catalog.features import FEATURES
from catalog.forms import FEATURE_PREFIX, ArtistAdminForm, CreditForm, MergeForm, TrackAdminForm
from catalog.importing.admin import download_rejects, import_page
from catalog.models import Artist, Genre, Track, TrackArtist
from catalog.search.index import popular_first
from catalog.search.selectors import filter_tracks, words_of
from catalog.search.words import note_words
from catalog.sound.admin import SoundAnalysisAdmin, SoundCalibrationAdmin
from catalog.sources.servers.admin import MusicServerAdmin

__all__ = ["MusicServerAdmin", "SoundAnalysisAdmin", "SoundCalibrationAdmin"]
MAX_MERGED = 20

label_fields(
    Track,
    artist_names=gettext_lazy("artists"),
    created_at=gettext_lazy("created at"),
    updated_at=gettext_lazy("changed"),
)
label_fields(TrackArtist, artist=gettext_lazy("artist"))


class CreditInline(admin.TabularInline):  # type: ignore[type-arg]
    """The artists of a song, in order."""

    model = TrackArtist
    form = CreditForm
    autocomplete_fields = ("artist",)
    extra = 0
    verbose_name = gettext_lazy("artist")
    verbose_name_plural = gettext_lazy("artists, in order")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("artist").order_by("position")


@admin.register(Track)
class TrackAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Songs: find, hide, correct, merge, import."""

    form = TrackAdminForm
    inlines = (CreditInline,)
    list_display = ("title", "artist_names", "popularity", "origin", "features_origin", "is_active")
    list_filter = ("is_active", "explicit", "origin", "features_origin", "genres")
    search_fields = ("title",)
    search_help_text = gettext_lazy("Searches title, artist and album. Ignores accents and upper or lower case.")
    list_per_page = 50
    show_full_result_count = False
    autocomplete_fields = ("genres",)
    readonly_fields = ("origin", "features_origin", "created_at", "updated_at")
    actions = ("hide_tracks", "show_tracks", "merge_duplicates")
    change_list_template = "admin/catalog/track/change_list.html"
    fieldsets = (
        (None, {"fields": ("title", "album", "genres", "is_active")}),
        (
            gettext_lazy("Details"),
            {
                "fields": (
                    "popularity",
                    "duration_ms",
                    "explicit",
                    "release_year",
                    "spotify_id",
                    "isrc",
                    "preview_url",
                    "cover_url",
                )
            },
        ),
        (
            gettext_lazy("Audio features"),
            {
                "fields": [*(FEATURE_PREFIX + name for name in FEATURES), "features_origin"],
                "description": gettext_lazy(
                    "Leave unknown values empty. If you change one, all of them count as entered by hand."
                ),
            },
        ),
        (gettext_lazy("Source"), {"fields": ("origin", "created_at", "updated_at")}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search as the site does, hidden songs included."""
        return filter_tracks(queryset, search_term), False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save with derived columns; features that were edited are the operator's from now on."""
        obj.refresh_derived([credit.artist.name for credit in _credits(obj)])
        super().save_model(request, obj, form, change)
        note_words([obj.search_text])
        features = form.edited_features()
        if features is not None:
            services.set_features(track=obj, features=features)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save the credits as one list, ordered by position."""
        formset.save(commit=False)
        remaining = [line for line in formset.forms if line.cleaned_data and not line.cleaned_data.get("DELETE")]
        ordered = sorted(remaining, key=lambda line: line.cleaned_data["number"])
        if formset.has_changed():
            services.set_credits(track=form.instance, artists=[line.cleaned_data["artist"] for line in ordered])

    @admin.action(description=gettext_lazy("Hide selected songs"), permissions=["change"])
    def hide_tracks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Hide songs from the whole site."""
        number = services.set_shown(tracks=queryset, is_active=False)
        text = ngettext("%(number)d song hidden.", "%(number)d songs hidden.", number)
        self.message_user(request, text % {"number": number}, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Unhide selected songs"), permissions=["change"])
    def show_tracks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Show hidden songs again."""
        number = services.set_shown(tracks=queryset, is_active=True)
        text = ngettext("%(number)d song is visible again.", "%(number)d songs are visible again.", number)
        self.message_user(request, text % {"number": number}, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Merge selected songs"), permissions=["merge"])
    def merge_duplicates(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask which song to keep, then merge the others into it."""
        tracks = list(queryset.order_by(*popular_first()).prefetch_related("genres")[: MAX_MERGED + 1])
        if not 2 <= len(tracks) <= MAX_MERGED:
            text = _("Select 2 to %(number)d songs to merge.") % {"number": MAX_MERGED}
            self.message_user(request, text, messages.ERROR)
            return None
        form = MergeForm(request.POST if "keep" in request.POST else None, tracks=tracks)
        if form.is_valid():
            keep = form.cleaned_data["keep"]
            duplicates = [track for track in tracks if track.pk != keep.pk]
            merge_tracks(keep=keep, duplicates=duplicates)
            self.log_change(request, keep, f"Merged: {', '.join(str(track.pk) for track in duplicates)}")
            text = _("Merged into %(song)s.") % {"song": keep}
            self.message_user(request, text, messages.SUCCESS)
            return None
        context = {**self.admin_site.each_context(request), "title": _("Merge songs"), "tracks": tracks}
        return render(request, "admin/catalog/track/merge.html", {**context, "opts": self.model._meta, "form": form})

    def has_merge_permission(self, request: HttpRequest) -> bool:
        """Merging changes one song and removes others."""
        return self.has_change_permission(request) and self.has_delete_permission(request)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the import."""
        view = self.admin_site.admin_view
        own = [
            path("import/", view(self.import_view), name="catalog_track_import"),
            path("import/rejects/<str:token>/", view(self.rejects_view), name="catalog_track_rejects"),
        ]
        return own + super().get_urls()

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Import an uploaded catalogue file."""
        return import_page(self, request)

    def rejects_view(self, request: HttpRequest, token: str) -> HttpResponse:
        """Download the rows that an import left out."""
        return download_rejects(self, request, token)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the import link to staff who may import."""
        may_import = self.has_add_permission(request) and self.has_change_permission(request)
        return super().changelist_view(request, {**(extra_context or {}), "may_import": may_import})


@admin.register(Artist)
class ArtistAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Artists: renaming one updates all their songs."""

    form = ArtistAdminForm
    list_display = ("name",)
    search_fields = ("search_name",)
    show_full_result_count = False
    list_per_page = 50

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search in folded names."""
        for word in words_of(search_term):
            queryset = queryset.filter(search_name__contains=word)
        return queryset, False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and bring the artist's songs up to date."""
        services.rename_artist(artist=obj)


@admin.register(Genre)
class GenreAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Genres."""

    list_display = ("name",)
    search_fields = ("name",)


def _credits(track: Track) -> Any:
    return track.credits.select_related("artist").order_by("position") if track.pk else []
