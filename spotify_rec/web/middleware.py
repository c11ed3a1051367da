"""What every request passes: its size, and for the API the form of its errors."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from accounts.apikit.auth import ASKED_BY_HEAD
from accounts.apikit.problems import CONTENT_TYPE, problem
from accounts.login.proxy import header_key
from spotify_rec.web.compat import hand_over
from spotify_rec.web.failures import not_found

Answer = Callable[[HttpRequest], HttpResponseBase]
_API = ("/api/", "/recommend/")
# Addresses below /api/ that are not calls: they answer with their own content types.
_NOT_CALLS = ("/api/docs", "/api/openapi.json")
# Where files are taken, and the setting that says how large they may be.
_UPLOADS = {
    "/history/import/": "MAX_HISTORY_UPLOAD_BYTES",
    "/api/user/history/imports": "MAX_HISTORY_UPLOAD_BYTES",
    "/admin/catalog/track/import/": "MAX_IMPORT_UPLOAD_BYTES",
}
# Calls whose bodies hold long lists; of any other, and of the forms of accounts, a body is small.
_WITH_LISTS = ("/api/user/history", "/api/playback/", "/api/playlists")
_SMALL = ("/api/", "/recommend/", "/accounts/")
_SMALL_BYTES = 65_536
# Where players and music servers call, feed readers follow a listener's lists, and emails are ended.
_TOKENS_ALONE = ("/1/", "/2.0/", "/audioscrobbler/", "/rest/", "/navidrome/", "/week/feed/", "/week/email/")
_KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate", "Set-Cookie")


def body_size(get_response: Answer) -> Answer:
    """Refuse a body that is larger than any form takes before a byte of it is read."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if _announced(request) > _largest(request):
            if request.path_info.startswith(_API):
                return problem(413, "The request body is too large.")
            return HttpResponse("The request body is too large.", status=413, content_type="text/plain")
        return get_response(request)

    return middleware


def api_answers(get_response: Answer) -> Answer:
    """Give every error below /api/ the form of problem details, and let HEAD be answered as GET without the body."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(_API) or request.path_info.startswith(_NOT_CALLS):
            return get_response(request)
        is_head = request.method == "HEAD"
        if is_head:
            request.method = "GET"
            request.META[ASKED_BY_HEAD] = "1"
        response = get_response(request)
        if response.status_code >= HTTPStatus.BAD_REQUEST and response.get("Content-Type") != CONTENT_TYPE:
            response = _as_problem(response)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "private, no-cache" if response.has_header("ETag") else "no-store"
        patch_vary_headers(response, ["Cookie", "Authorization"])
        return _without_body(response) if is_head else response

    return middleware


def only_tokens(get_response: Answer) -> Answer:
    """Take cookies and a proxy's word from what answers to tokens alone, whoever is logged in."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(_TOKENS_ALONE):
            request.META.pop("HTTP_COOKIE", None)
            request.META.pop(header_key(), None)
        return get_response(request)

    return middleware


def plain_not_found(get_response: Answer) -> Answer:
    """Show the site's own 404 page under DEBUG, because Django's list of URL patterns would confuse somebody trying the
    demo."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        if settings.DEBUG and is_page and response.status_code == HTTPStatus.NOT_FOUND:
            response.close()
            return not_found(request, Http404())
        return response

    return middleware


def _announced(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isascii() and length.isdigit() else 0


def _largest(request: HttpRequest) -> int:
    path = request.path_info
    size = int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    if path.startswith(_SMALL) and not path.startswith(_WITH_LISTS):
        size = min(size, _SMALL_BYTES)
    if request.content_type == "multipart/form-data" and (name := _UPLOADS.get(path)):
        # What a form adds to its file stays far below what a form without one may have.
        size += int(getattr(settings, name))
    return size


def _as_problem(response: HttpResponseBase) -> HttpResponse:
    headers = {name: response[name] for name in _KEPT_HEADERS if response.has_header(name)}
    answer = problem(response.status_code, headers=headers)
    answer.cookies = response.cookies
    hand_over(response, answer)
    return answer


def _without_body(response: HttpResponseBase) -> HttpResponseBase:
    headers = dict(response.items())
    if isinstance(response, HttpResponse):
        headers["Content-Length"] = str(len(response.content))
    empty = HttpResponse(status=response.status_code, headers=headers)
    empty.cookies = response.cookies
    hand_over(response, empty)
    return empty
