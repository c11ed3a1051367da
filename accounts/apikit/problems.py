"""Errors as problem details (RFC 9457), alike for every call."""

import json
import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from pydantic import Field

from accounts.apikit.parsing import NotJsonError, UnsupportedTypeError

CONTENT_TYPE = "application/problem+json"
_logger = logging.getLogger(__name__)


class FieldProblem(Schema):
    """What is wrong with one value of a request."""

    field: str = Field(description="Where the value stands: body.value, query.k, ...", examples=["query.k"])
    message: str = Field(examples=["Input should be less than or equal to 100"])


class Problem(Schema):
    """An error, as RFC 9457 has it."""

    type: str = Field("about:blank", description="Always about:blank: status and title say it all.")
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str | None = Field(None, description="What to do about it.", examples=["There is no such song."])
    errors: list[FieldProblem] | None = Field(None, description="For 422: each value that does not fit.")


def answers(
    ok: Any, *errors: int, status: int = 200, is_public: bool = False, is_limited: bool = True
) -> dict[int | frozenset[int], Any]:
    """Return what a call may answer with, for its ``response=``: ``ok``, or one of the ``errors`` as a problem.

    Those that any call has are there by themselves: 401 and 403 unless ``is_public``, 422, and 429.
    """
    common = {422} | ({429} if is_limited else set()) | (set() if is_public else {401, 403})
    return {status: ok, frozenset({*errors, *common}): Problem}


def example_answer(value: Any) -> dict[str, Any]:
    """Return what shows ``value`` as an answer, for a call's ``openapi_extra=``."""
    return {"responses": {200: {"content": {"application/json": {"example": value}}}}}


def file_answer(*content_types: str) -> dict[str, Any]:
    """Return what describes a file of one of these types as answer, for a call's ``openapi_extra=``."""
    file, value = {"type": "string", "format": "binary"}, {"type": "object"}
    content = {name: {"schema": value if name == "application/json" else file} for name in content_types}
    return {"responses": {200: {"content": content}}}


class ProblemError(HttpError):
    """An error that a call answers with; ``headers`` and ``fields`` (name, message) go with it."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        fields: list[tuple[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail)
        self.fields = fields
        self.headers = headers or {}


def problem(
    status: int,
    detail: str | None = None,
    *,
    fields: list[tuple[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> HttpResponse:
    """Return the answer of an error."""
    content: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if detail:
        content["detail"] = detail
    if fields:
        content["errors"] = [{"field": name, "message": message} for name, message in fields]
    headers = {"Cache-Control": "no-store", **(headers or {})}
    if status == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="api"')
    return HttpResponse(json.dumps(content), status=status, content_type=CONTENT_TYPE, headers=headers)


def refuse_form(form: BaseForm) -> ProblemError:
    """Return the 422 that says what a form refused."""
    fields = [
        ("body" if name == "__all__" else f"body.{name}", str(message))
        for name, messages in form.errors.items()
        for message in messages
    ]
    return ProblemError(422, "Some values do not fit.", fields=fields)


def add_problem_handlers(api: NinjaAPI) -> None:
    """Have every error of ``api`` answered with problem details."""
    api.add_exception_handler(ValidationError, _on_validation)
    api.add_exception_handler(HttpError, _on_http_error)
    api.add_exception_handler(Http404, _on_missing)
    api.add_exception_handler(PermissionDenied, _on_denied)
    api.add_exception_handler(RequestDataTooBig, _on_too_big)
    api.add_exception_handler(SuspiciousOperation, _on_suspicious)
    api.add_exception_handler(UnreadablePostError, _on_suspicious)
    api.add_exception_handler(MultiPartParserError, _on_suspicious)
    api.add_exception_handler(Exception, _on_failure)


def _on_validation(_request: HttpRequest, error: Any) -> HttpResponse:
    fields = [(".".join(str(part) for part in item["loc"]), item["msg"]) for item in error.errors]
    return problem(422, "Some values do not fit.", fields=fields)


def _on_http_error(_request: HttpRequest, error: Any) -> HttpResponse:
    if isinstance(error, ProblemError):
        return problem(error.status_code, str(error), fields=error.fields, headers=error.headers)
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        return problem(401, "Log in, or send a personal token: Authorization: Bearer ...")
    if isinstance(error.__cause__, UnsupportedTypeError):
        return problem(415, "Send JSON: Content-Type: application/json.", headers={"Accept": "application/json"})
    if isinstance(error.__cause__, NotJsonError):
        return problem(400, "The body is not JSON.")
    return problem(error.status_code, str(error))


def _on_missing(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problem(404, "There is no such thing, or it is not yours.")


def _on_denied(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problem(403, "You may not do this.")


def _on_too_big(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problem(413, "The body is too large.")


def _on_suspicious(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problem(400)


def _on_failure(request: HttpRequest, error: Any) -> HttpResponse:
    _logger.error("a call failed", exc_info=error)
    got_request_exception.send(sender=NinjaAPI, request=request)
    return problem(500, "Something went wrong here. It was noted.")
