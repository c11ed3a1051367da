"""The listener's profile and the end of an account."""

from typing import cast

from allauth.decorators import rate_limit
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import services
from accounts.forms import DeleteAccountForm, ProfileForm
from accounts.login.oidc import is_connected
from accounts.models import User
from accounts.spotify.selectors import panel


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Show and change what the listener says about how to recommend."""
    user = cast(User, request.user)
    form = ProfileForm(request.POST if request.method == "POST" else None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Profile saved."))
        return redirect("accounts:profile")
    if form.errors:
        # Refused values must not appear elsewhere on the page as if they were saved.
        user.refresh_from_db()
    context = {"form": form, "oidc_is_connected": is_connected(user), **panel(user)}
    return render(request, "accounts/profile.html", context, status=422 if form.errors else 200)


@never_cache
@login_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@rate_limit(action="reauthenticate")  # type: ignore[untyped-decorator]
def delete_account(request: HttpRequest) -> HttpResponse:
    """Delete the account with everything in it, once the password is typed again."""
    user = cast(User, request.user)
    form = DeleteAccountForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_valid():
        try:
            services.delete_account(user=user)
        except services.AccountGoneError:
            # The account has been deleted; this session ends as well.
            messages.info(request, _("This account has already been deleted."))
        else:
            messages.success(request, _("Your account and everything in it have been deleted."))
        logout(request)
        return redirect("account_login")
    return render(request, "accounts/delete.html", {"form": form}, status=422 if form.errors else 200)
