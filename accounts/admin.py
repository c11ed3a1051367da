"""Administration of listeners and operators."""

from typing import cast

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

import accounts.two_factor.admin  # noqa: F401
from accounts import services
from accounts.login.notices import send_notice
from accounts.models import ApiToken, User


class UserCreationForm(AdminUserCreationForm):  # type: ignore[type-arg]
    """Creation with an e-mail address, which every account needs."""

    class Meta(AdminUserCreationForm.Meta):
        model = User
        fields = ("username", "email")


class PasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]
    """A new password for a listener, set by an operator: with the same consequences as the listener's own change."""

    def save(self, commit: bool = True) -> User:
        """Set it; access tokens end with the old one, and the listener is told."""
        user = cast(User, super().save(commit))
        ApiToken.objects.filter(user=user).delete()
        send_notice("account/email/password_changed", user=user)
        return user


@admin.register(User)
class UserAdmin(BaseUserAdmin):  # type: ignore[type-arg]
    """Django's own page for users, with our fields."""

    add_form = UserCreationForm
    change_password_form = PasswordForm
    list_display = ("username", "email", "region", "is_active", "is_staff", "created_at", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    search_fields = ("username", "email")
    ordering = ("username",)
    date_hierarchy = "created_at"
    readonly_fields = ("created_at", "last_login")
    fieldsets = (
        (None, {"fields": ("username", "email", "password")}),
        (_("Taste"), {"fields": ("region", "explicit_allowed", "recordings_only", "unheard_only", "adventure")}),
        (_("Permissions"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Important dates"), {"fields": ("created_at", "last_login")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email", "usable_password", "password1", "password2")}),
    )

    def save_model(self, request: HttpRequest, obj: User, form: "forms.ModelForm[User]", change: bool) -> None:
        """Save, and change the address of log-in and e-mails as well."""
        super().save_model(request, obj, form, change)
        if "email" in form.changed_data:
            services.change_email(user=obj, email=obj.email)
            if change:
                send_notice("account/email/email_changed", user=obj, to=str(form.initial["email"]))
