"""The recommender in Django admin: model versions to look at, nothing to edit by hand."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.field_labels import label_fields
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

label_fields(
    ModelVersion,
    state=_("status"),
    created_at=_("created at"),
    fingerprint=_("fingerprint of the data"),
    fitted_on=_("trained on"),
    metrics=_("metrics"),
    timings=_("duration of the steps"),
)
label_fields(
    Recommendation,
    created_at=_("created at"),
    user=_("listener"),
    track=_("song"),
    model_version=_("model version"),
    page=_("page"),
    position=_("position"),
    score=_("score"),
    policy=_("policy"),
    propensity=_("propensity"),
    reason=_("reason"),
    is_shown=_("shown"),
    section=_("section"),
    is_reason_wrong=_("reason marked as wrong"),
    is_explored=_("shown to explore"),
)
label_fields(
    WeeklyList,
    user=_("listener"),
    week=_("week"),
    day=_("day"),
    expected=_("expected"),
    basis=_("basis"),
    answers=_("answers"),
    heard=_("heard"),
    expected_of_heard=_("expected of those heard"),
    succeeded=_("succeeded"),
    emailed_at=_("emailed"),
)
label_fields(WeeklySong, position=_("position"), probability=_("probability"), track=_("song"))
for followed in (WeeklyFeed, WeeklyEmail):
    label_fields(followed, user=_("listener"), language=_("language"), created_at=_("created at"))
label_fields(WeeklyEmail, origin=_("address of the site"))
label_fields(
    Blend, created_at=_("created at"), began_at=_("began"), week=_("week"), listed_members=_("members of its list")
)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that the engine writes: changing one by hand would make the record untrue."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Versions with what they were fitted on and how good they measured."""

    list_display = ("id", "state", "created_at", "songs", "listeners", "quality")
    list_filter = ("state",)
    ordering = ("-pk",)

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    @admin.display(description=_("songs"))
    def songs(self, version: ModelVersion) -> int:
        return int(version.fitted_on.get("songs", 0))

    @admin.display(description=_("listeners"))
    def listeners(self, version: ModelVersion) -> int:
        return int(version.fitted_on.get("listeners", 0))

    @admin.display(description=_("nDCG@10 with 5 songs revealed (popularity only)"))
    def quality(self, version: ModelVersion) -> str:
        blend, popularity = headline(version), headline(version, "popularity")
        return gettext("not measured") if blend is None or popularity is None else f"{blend:.3f} ({popularity:.3f})"


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
