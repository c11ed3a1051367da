"""How the feedback app answers: log-in first, and back to where the listener was."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

View = Callable[..., HttpResponseBase]


def listener_required(view: View) -> View:
    """Send anonymous visitors to log in, and from there back to the page they were on."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        answer = redirect_to_login(return_address(request), login_url=resolve_url(settings.LOGIN_URL))
        return HttpResponseClientRedirect(answer.url) if is_htmx(request) else answer

    return wrapper


def is_htmx(request: HttpRequest) -> bool:
    """Return whether htmx asks for a fragment.

    Links and forms that it only follows for the player's sake (boosted), and going back in history, want whole pages.
    """
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def return_address(request: HttpRequest) -> str:
    """Return the page of this site to go back to: the form's ``next``, else the open page, else "For you"."""
    if request.method in ("GET", "HEAD") and not is_htmx(request):
        return request.get_full_path()
    open_page = request.htmx.current_url_abs_path if is_htmx(request) else None  # type: ignore[attr-defined]
    for address in (request.POST.get("next"), open_page):
        if address and url_has_allowed_host_and_scheme(
            address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        ):
            return str(address)
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def redirect_back(request: HttpRequest, anchor: str = "") -> HttpResponseRedirect:
    """Redirect to where the listener was, at the element with the id ``anchor``."""
    address = return_address(request)
    return HttpResponseRedirect(f"{address}#{anchor}" if anchor and "#" not in address else address)
