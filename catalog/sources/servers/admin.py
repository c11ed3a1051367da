"""Admin of music servers: connections, latest readings and their errors."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog.models import MusicServer
from catalog.sources.servers.forms import ServerForm
from catalog.sources.servers.services import (
    LibraryError,
    create_plugin_token,
    remove_server,
    set_proxied,
    set_server_active,
)
from jobs.services import enqueue


@admin.register(MusicServer)
class MusicServerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Connect, read, switch off, remove."""

    form = ServerForm
    list_display = ("address", "kind", "is_active", "is_proxied", "songs", "read_at", "error")
    actions = ("read", "switch_on", "switch_off", "proxy_on", "proxy_off", "plugin_token")

    @admin.display(description=_("songs"))
    def songs(self, server: MusicServer) -> int:
        """Count the songs that it has now."""
        return server.songs.filter(gone_at=None).count()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out the password of a connected server, which nobody is shown."""
        return ("name", "address", "username", "is_api_key") if obj else super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("address",) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Connecting the same address again changes its log-in."""
        return obj is None and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The form's check has connected it; its songs are read in the background."""
        enqueue(kind="read-servers", user_id=request.user.pk, arguments={"server": obj.pk}, subject=f"server:{obj.pk}")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """List only the servers, because their many songs stay in the catalogue."""
        is_allowed = self.has_delete_permission(request)
        return [str(server) for server in objs], {}, set() if is_allowed else {"music server"}, []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Forget the server; its songs stay."""
        remove_server(server=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Forget several."""
        for server in queryset:
            remove_server(server=server)

    @admin.action(description=_("Read selected music servers now"), permissions=["change"])
    def read(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Ask for a background job for each."""
        for server in queryset:
            self.save_model(request, server, None, change=True)
        self.message_user(request, _("Requested. The page Background jobs shows how far it is."), messages.SUCCESS)

    @admin.action(description=_("Switch selected music servers on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Read and play from them again."""
        for server in queryset:
            set_server_active(server=server, is_active=True)

    @admin.action(description=_("Switch selected music servers off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Neither read nor play from them."""
        for server in queryset:
            set_server_active(server=server, is_active=False)

    @admin.action(description=_("Let players reach the selected music server at /rest/"), permissions=["change"])
    def proxy_on(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Proxy it in place of any other."""
        servers = list(queryset)
        if len(servers) != 1:
            self.message_user(request, _("Select one music server."), messages.ERROR)
            return
        try:
            set_proxied(server=servers[0], is_proxied=True)
        except LibraryError as error:
            self.message_user(request, str(error), messages.ERROR)

    @admin.action(description=_("No longer let players reach the selected music servers"), permissions=["change"])
    def proxy_off(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Proxy none of them."""
        for server in queryset:
            set_proxied(server=server, is_proxied=False)

    @admin.action(description=_("Create a token for the Navidrome plug-in"), permissions=["change"])
    def plugin_token(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Show the token of each once; older ones no longer work."""
        for server in queryset:
            try:
                token = create_plugin_token(server=server)
            except LibraryError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                text = _("The token for %(server)s, shown this once: %(token)s") % {"server": server, "token": token}
                self.message_user(request, text, messages.SUCCESS)
