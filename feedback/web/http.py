"""Helpers of views: log-in, redirects back, paging."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event
from django_htmx.middleware import HtmxDetails

from accounts.models import User
from catalog.models import Track

PAGE_SIZE = 30


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


def listener_of(request: HttpRequest) -> User:
    """Return the listener whom ``listener_required`` let in."""
    return cast(User, request.user)


# What a visitor pressed before having an account, in the session; done by `feedback.onboarding.waiting`.
WAITING_KEY = "waiting_for_account"


def ask_to_sign_up(request: HttpRequest, *, text: str, act: str, track: Track) -> HttpResponseBase:
    """Send a visitor to sign up, say why, and note what they pressed: it is done once they have an account."""
    request.session[WAITING_KEY] = {"act": act, "track": track.pk}
    messages.info(request, text)
    answer = redirect_to_login(return_address(request), login_url=reverse("account_signup"))
    return HttpResponseClientRedirect(answer.url) if is_htmx(request) else answer


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


def page_of(request: HttpRequest, rows: QuerySet[Any]) -> Page[Any]:
    """Return the page of ``rows`` that the address names."""
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


def actions_response(request: HttpRequest, track: Track, *, mark: int, is_playing: bool = False) -> HttpResponse:
    """Return the buttons of a song in their new state."""
    context = {"track": track, "mark": mark, "is_playing": is_playing}
    return feedback_changed(render(request, "feedback/_actions.html", context))


def feedback_changed(answer: HttpResponse) -> HttpResponse:
    """Tell the page that the feedback changed, for the parts of it that follow the feedback."""
    return trigger_client_event(answer, "feedback-changed")
