"""Errors as problem details (RFC 9457), alike for every call."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from pydantic import Field

from accounts.apikit.messages import field_of, message_of
from accounts.apikit.parsing import NotJsonError, UnsupportedTypeError
from accounts.limits.caps import CapError
from jobs.patience import reason_of_absence

CONTENT_TYPE = "application/problem+json"
# Limits on the length of a response: of many invalid values the first are listed, with shortened names and messages.
_MAX_FIELDS, _MAX_NAME, _MAX_MESSAGE = 20, 100, 500
_logger = logging.getLogger(__name__)


class FieldProblem(Schema):
    """What is wrong with one value in the request."""

    field: str = Field(description="Location of the value, such as body.value or query.k.", examples=["query.k"])
    message: str = Field(examples=["Input should be less than or equal to 100"])


class Problem(Schema):
    """An error (RFC 9457 problem details)."""

    type: str = Field("about:blank", description="Always about:blank. See status and title.")
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str | None = Field(None, description="What to do about it.", examples=["There is no such song."])
    code: str | None = Field(
        None, description="A name for programs, if the status says too little: mfa_required.", examples=["mfa_required"]
    )
    errors: list[FieldProblem] | None = Field(None, description="Every value that isn't valid.")


def responses(
    ok: Any, *errors: int, status: int = 200, is_public: bool = False, is_limited: bool = True
) -> dict[int | frozenset[int], Any]:
    """Return the responses of a call, for its ``response=``: ``ok``, or one of the ``errors`` as a problem.

    Those that every call has are added: 401 and 403 unless ``is_public``, 422, and 429 if ``is_limited``.
    """
    common = {422} | ({429} if is_limited else set()) | (set() if is_public else {401, 403})
    return {status: ok, frozenset({*errors, *common}): Problem}


def example_response(value: Any) -> dict[str, Any]:
    """Return ``value`` as an example response, for a call's ``openapi_extra=``."""
    return {"responses": {200: {"content": {"application/json": {"example": value}}}}}


def file_response(*content_types: str) -> dict[str, Any]:
    """Return a file of one of these types as the response, for a call's ``openapi_extra=``."""
    file = {"type": "string", "format": "binary"}
    return {"responses": {200: {"content": {name: {"schema": file} for name in content_types}}}}


class ProblemError(HttpError):
    """An error response of a call, with ``headers``, ``fields`` (name, message) and a ``code``."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        fields: list[tuple[str, str]] | None = None,
        headers: dict[str, str] | None = None,
        code: str = "",
    ) -> None:
        super().__init__(status, detail)
        self.code = code
        self.fields = fields
        self.headers = headers or {}


def problem(
    status: int,
    detail: str | None = None,
    *,
    fields: list[tuple[str, str]] | None = None,
    headers: dict[str, str] | None = None,
    code: str = "",
) -> HttpResponse:
    """Return an error response."""
    content: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if detail:
        content["detail"] = detail
    if code:
        content["code"] = code
    if fields:
        content["errors"] = [
            {"field": name[:_MAX_NAME], "message": message[:_MAX_MESSAGE]} for name, message in fields[:_MAX_FIELDS]
        ]
        if len(fields) > _MAX_FIELDS:
            more = _("And %(count)d more.") % {"count": len(fields) - _MAX_FIELDS}
            content["errors"].append({"field": "body", "message": more})
    headers = {"Cache-Control": "no-store", **(headers or {})}
    if status == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="api"')
    return HttpResponse(
        json.dumps(content, ensure_ascii=False), status=status, content_type=CONTENT_TYPE, headers=headers
    )


def refuse_values(*fields: tuple[str, str]) -> ProblemError:
    """Return the 422 that lists invalid fields: name and message of each."""
    return ProblemError(422, _("Some values aren't valid."), fields=list(fields))


def refuse_form(form: BaseForm, names: Mapping[str, str] | None = None) -> ProblemError:
    """Return the 422 with the errors of a form; ``names`` maps its fields to the request's where they differ."""
    own = {"__all__": "body"} | {name: f"body.{name}" for name in form.fields}
    own |= {name: f"body.{other}" for name, other in (names or {}).items()}
    return refuse_values(
        *((own.get(name, "body"), str(message)) for name, messages in form.errors.items() for message in messages)
    )


def wrong_password(form: BaseForm, *, field: str) -> ProblemError:
    """Return the 401 of a form that refused a password; ``field`` is the request's own for it."""
    messages = [str(message) for listed in form.errors.values() for message in listed]
    return ProblemError(HTTPStatus.UNAUTHORIZED, messages[0], fields=[(field, message) for message in messages])


def add_problem_handlers(api: NinjaAPI) -> None:
    """Have ``api`` respond to every error with problem details."""
    api.add_exception_handler(ValidationError, _on_validation)
    api.add_exception_handler(HttpError, _on_http_error)
    api.add_exception_handler(Http404, _on_missing)
    api.add_exception_handler(PermissionDenied, _on_denied)
    api.add_exception_handler(RequestDataTooBig, _on_too_big)
    api.add_exception_handler(SuspiciousOperation, _on_suspicious)
    api.add_exception_handler(UnreadablePostError, _on_suspicious)
    api.add_exception_handler(MultiPartParserError, _on_suspicious)
    api.add_exception_handler(BadRequest, _on_suspicious)
    api.add_exception_handler(CapError, _on_cap)
    api.add_exception_handler(Exception, _on_failure)


def _on_validation(_request: HttpRequest, error: Any) -> HttpResponse:
    items = error.errors
    # Further errors are only counted.
    fields = [(field_of(item["loc"]), message_of(item)) for item in items[: _MAX_FIELDS + 1]]
    fields += [("body", "")] * (len(items) - len(fields))
    return problem(422, _("Some values aren't valid."), fields=fields)


def _on_http_error(_request: HttpRequest, error: Any) -> HttpResponse:
    if isinstance(error, ProblemError):
        return problem(error.status_code, str(error), fields=error.fields, headers=error.headers, code=error.code)
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        return problem(401, _("Log in, or send an access token (Authorization: Bearer ...)."))
    if isinstance(error.__cause__, UnsupportedTypeError):
        return problem(415, _("Send JSON with Content-Type: application/json."), headers={"Accept": "application/json"})
    if isinstance(error.__cause__, RequestDataTooBig):
        return problem(413, _("The request body is too large."))
    if isinstance(error.__cause__, NotJsonError):
        return problem(400, _("The request body isn't valid JSON."))
    return problem(error.status_code, str(error))


def _on_missing(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problem(404, _("Not found, or not yours."))


def _on_denied(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problem(403, _("You don't have permission to do this."))


def _on_too_big(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problem(413, _("The request body is too large."))


def _on_suspicious(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problem(400)


def _on_cap(_request: HttpRequest, error: Any) -> HttpResponse:
    return problem(409, str(error))


def _on_failure(request: HttpRequest, error: Any) -> HttpResponse:
    if (reason := reason_of_absence(error)) is not None:
        _logger.error("not available: %s", reason)
        return problem(503, _("We couldn't do this just now. Please send it again."), headers={"Retry-After": "5"})
    _logger.error("a call failed", exc_info=error)
    got_request_exception.send(sender=NinjaAPI, request=request)
    return problem(500, _("Something went wrong. The error has been logged."))
