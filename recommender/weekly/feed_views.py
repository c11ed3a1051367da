"""The feeds of the weekly lists, and the link that ends their emails: no log-in, no session, only a token."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts.limits.limiter import limited
from recommender.models import WeeklyEmail, WeeklyFeed
from recommender.weekly import feeds, services

_NO_INDEX = "noindex, nofollow"


@require_safe
@limited("api")
def atom_feed(request: HttpRequest, token: str) -> HttpResponseBase:
    """Return the lists as Atom."""
    return _feed(request, token, "recommender:week_atom", feeds.atom, "application/atom+xml; charset=utf-8")


@require_safe
@limited("api")
def json_feed(request: HttpRequest, token: str) -> HttpResponseBase:
    """Return the lists as JSON Feed."""
    return _feed(request, token, "recommender:week_json", feeds.json_feed, "application/feed+json; charset=utf-8")


# The link is the proof: mail programs post to it without cookies (RFC 8058).
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@limited("api")
def email_end(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether the emails shall end; end them on POST."""
    user_id = services.listener_of_token(token)
    if user_id is None:
        raise Http404("not a link of ours")
    wish = WeeklyEmail.objects.filter(user_id=user_id).first()
    if request.method == "POST":
        services.end_emails(user_id=user_id)
    with translation.override(wish.language if wish else translation.get_language()):
        is_over = wish is None or request.method == "POST"
        response = render(request, "recommender/week_email_end.html", {"is_over": is_over})
        response["Content-Language"] = translation.get_language() or "en"
    response["X-Robots-Tag"], response["Cache-Control"] = _NO_INDEX, "no-store"
    # The token must not reach the sites that the page links to.
    response["Referrer-Policy"] = "no-referrer"
    return response


def _feed(
    request: HttpRequest, token: str, route: str, write: Callable[..., str], content_type: str
) -> HttpResponseBase:
    feed = services.find_feed(token)
    if feed is None:
        raise Http404("no such feed")
    body = _body(request, feed, request.build_absolute_uri(reverse(route, args=[token])), write)
    etag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    response = HttpResponse(
        body,
        content_type=content_type,
        headers={
            "ETag": etag,
            "Cache-Control": "private, no-cache",
            "X-Robots-Tag": _NO_INDEX,
            "Content-Language": feed.language,
        },
    )
    return get_conditional_response(request, etag=etag, response=response) or response


def _body(request: HttpRequest, feed: WeeklyFeed, self_url: str, write: Callable[..., str]) -> str:
    with translation.override(feed.language):
        return write(
            feed,
            feeds.entries_of(feed, request.build_absolute_uri),
            home_url=request.build_absolute_uri(reverse("recommender:weeks")),
            self_url=self_url,
            absolute=request.build_absolute_uri,
        )
