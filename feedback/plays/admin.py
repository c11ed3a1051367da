"""Administration of plays."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.field_labels import label_fields
from feedback.plays.models import Play
from feedback.web.model_admin import FeedbackAdmin

label_fields(
    Play,
    user=_("listener"),
    track=_("song"),
    played_at=_("played at"),
    ms_played=_("milliseconds played"),
    outcome=_("outcome"),
    source=_("source"),
    is_counted=_("counts towards the taste"),
    token=_("token"),
)


@admin.register(Play)
class PlayAdmin(FeedbackAdmin):
    """Plays; whether one counts in its listener's taste may be changed."""

    list_display = ("user", "track", "played_at", "outcome", "source", "is_counted")
    list_filter = ("outcome", "source", "is_counted")
    date_hierarchy = "played_at"
    readonly_fields = ("user", "track", "played_at", "ms_played", "outcome", "source", "token")
