"""Administration of accounts at music servers."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.field_labels import label_fields
from feedback.music_servers.models import ServerAccount

label_fields(ServerAccount, user=_("listener"), created_at=_("created at"))


@admin.register(ServerAccount)
class ServerAccountAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who has linked which account; the secret is not shown."""

    list_display = ("user", "server", "remote_user", "confirmed_at", "error")
    list_filter = ("server",)
    list_select_related = ("user", "server")
    search_fields = ("user__username", "remote_user")
    readonly_fields = ("user", "server", "remote_user", "is_api_key", "confirmed_at", "error", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Accounts come from listeners alone."""
        return False
