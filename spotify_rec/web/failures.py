"""The pages of errors, which need nothing of the request's body: it may be what can't be read."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import defaults

from spotify_rec.web import away

Page = Callable[..., HttpResponse]
_NO_NUMBER = "expected a number but got"


def without_the_body(page: Page) -> Page:
    """Have ``page`` shown without a look for the CSRF token in what was sent.

    Django's pages look there first. A form that can't be read would fail again, and then be answered with 500.
    """

    @wraps(page)
    def shown(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        request.csrf_processing_done = True  # type: ignore[attr-defined]
        return page(request, *args, **kwargs)

    return shown


bad_request = without_the_body(defaults.bad_request)
permission_denied = without_the_body(defaults.permission_denied)
not_found = without_the_body(defaults.page_not_found)
failure = without_the_body(away.failure)


class RefuseImpossibleNumbers:
    """Answer 400 where the administration is asked for rows by what is no number, or one that no row can have.

    Django's own pages take such numbers as they come, from the address and from what is ticked.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the answer for an error of that kind; of others none."""
        is_number = isinstance(error, OverflowError) or (isinstance(error, ValueError) and _NO_NUMBER in str(error))
        return bad_request(request, error) if is_number and request.path_info.startswith("/admin/") else None
