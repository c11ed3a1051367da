"""Admin of second factors. An operator can remove a lost one."""

from typing import Any

from allauth.mfa.admin import AuthenticatorAdmin as BaseAuthenticatorAdmin
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.field_labels import label_fields

admin.site.unregister(Authenticator)
label_fields(Authenticator, user=_("user"), type=_("type"), created_at=_("created at"), last_used_at=_("last used"))


@admin.register(Authenticator)
class AuthenticatorAdmin(BaseAuthenticatorAdmin):  # type: ignore[misc]
    """allauth's, without the secrets, and without adding or changing."""

    fields = readonly_fields = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("user__username",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse, because only the listener can set up a second factor."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False
