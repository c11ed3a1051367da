"""The recommender in Django admin: model versions to look at, nothing to edit by hand."""

from django.contrib import admin
from django.http import HttpRequest

from recommender.models import (
    Blend,
    ModelVersion,
    Recommendation,
    WeeklyEmail,
    WeeklyFeed,
    WeeklyList,
    WeeklySong,
)
from recommender.operators.reports import headline


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that the engine writes: changing one by hand would make the record untrue."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Versions with what they were fitted on and how good they measured."""

    list_display = ("pk", "state", "created_at", "songs", "listeners", "quality")
    list_filter = ("state",)
    ordering = ("-pk",)

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    @admin.display(description="songs")
    def songs(self, version: ModelVersion) -> int:
        return int(version.fitted_on.get("songs", 0))

    @admin.display(description="listeners")
    def listeners(self, version: ModelVersion) -> int:
        return int(version.fitted_on.get("listeners", 0))

    @admin.display(description="nDCG@10 with 5 songs revealed (popularity only)")
    def quality(self, version: ModelVersion) -> str:
        blend, popularity = headline(version), headline(version, "popularity")
        return "not measured" if blend is None or popularity is None else f"{blend:.3f} ({popularity:.3f})"


@admin.register(Recommendation)
class RecommendationAdmin(ReadOnlyAdmin):
    """Recommendations, with their listeners and reasons."""

    list_display = ("created_at", "user", "track", "position", "score", "policy", "propensity")
    list_filter = ("policy", "model_version")
    list_select_related = ("user", "track")
    raw_id_fields = ("user", "track")
    show_full_result_count = False


class WeeklySongInline(admin.TabularInline):  # type: ignore[type-arg]
    """The songs of a weekly list."""

    model = WeeklySong
    fields = readonly_fields = ("position", "name", "artists", "probability", "track")
    extra = 0
    can_delete = False

    def has_add_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


@admin.register(WeeklyList)
class WeeklyListAdmin(ReadOnlyAdmin):
    """Weekly lists, with what was expected and how it went."""

    list_display = ("day", "user", "expected", "basis", "heard", "expected_of_heard", "succeeded", "emailed_at")
    list_filter = ("week", "basis")
    list_select_related = ("user",)
    raw_id_fields = ("user",)
    inlines = (WeeklySongInline,)
    show_full_result_count = False


@admin.register(WeeklyFeed, WeeklyEmail)
class WeeklyFollowAdmin(ReadOnlyAdmin):
    """Who follows their weekly lists; deleting a row ends it."""

    list_display = ("user", "language", "created_at")
    list_select_related = ("user",)
    exclude = ("digest",)


@admin.register(Blend)
class BlendAdmin(ReadOnlyAdmin):
    """Blends; deleting one ends it for its members. Their songs and reasons are the members' own business."""

    list_display = ("name", "created_at", "began_at", "week", "listed_members")
    show_full_result_count = False
