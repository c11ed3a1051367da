"""``REQUIRE_MFA_FOR_STAFF``: restricts operators' pages to staff with two-factor authentication."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from accounts.models import User

Page = Callable[..., HttpResponse]


def lead_to_two_factor(request: HttpRequest) -> HttpResponse | None:
    """Return a redirect to the set-up of two-factor authentication for staff who need it, else None."""
    if not isinstance(request.user, User) or not request.user.has_to_set_up_mfa:
        return None
    messages.info(request, _("Operators of this site log in with two steps. Set that up first."))
    return redirect("mfa_index")


def operator_page(permission: str) -> Callable[[Page], Page]:
    """Show a page only to operators with this permission; 403 for other listeners."""

    def decorator(page: Page) -> Page:
        guarded = permission_required(permission, raise_exception=True)(page)

        @wraps(page)
        def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(_open_page(request))
            return lead_to_two_factor(request) or guarded(request, *args, **kwargs)

        return view

    return decorator


def _open_page(request: HttpRequest) -> str:
    """Return the page to show after the log-in: a form's address can't be opened, the page that held it can."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    page = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return page if page and is_ours else resolve_url(settings.LOGIN_REDIRECT_URL)


def may_operate(request: HttpRequest) -> bool:
    """Return whether the administration lets somebody in."""
    return isinstance(request.user, User) and request.user.is_active and request.user.may_operate


def admin_log_in(log_in: Page) -> Page:
    """Wrap the admin's log-in page, which is shown to everybody without access."""

    @wraps(log_in)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return lead_to_two_factor(request) or log_in(request, *args, **kwargs)

    return view
