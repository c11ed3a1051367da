"""Requests that count once however often they are sent: ``Idempotency-Key``, for every call that changes something."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from functools import wraps
from http import HTTPStatus
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja.operation import Operation

from accounts.apikit.problems import ProblemError, refuse_values
from accounts.compat import response_of
from accounts.models import KeptAnswer, User
from jobs.races import conflict_as_integrity_error

HEADER = "Idempotency-Key"
MAX_LENGTH = 200
PARAMETER: dict[str, Any] = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "description": "Repeating the request with the same key within 24 hours changes nothing more and returns the same "
    "response.",
    "schema": {"type": "string", "maxLength": MAX_LENGTH, "examples": ["7f3a"]},
}
_KEPT = timedelta(hours=24)
# A request that speaks to another service holds no transaction meanwhile; after this time it has died on the way.
_LONGEST = timedelta(minutes=5)


def changes_something(operation: Operation) -> bool:
    """Return whether the call changes something in a listener's name; signing up and logging in has nobody's yet."""
    if not isinstance(operation.auth_callbacks, list) or not operation.auth_callbacks:
        return False
    return operation.methods != ["GET"] or any(getattr(auth, "needs_write", False) for auth in operation.auth_callbacks)


def repeat_safely(operation: Operation, *, is_remote: bool) -> None:
    """Have ``operation`` take an ``Idempotency-Key``.

    The key and what the call writes are kept together or not at all. ``is_remote`` says that the call speaks to another
    service: then no transaction is held open for it, and whoever repeats it meanwhile is answered with a 409.
    """
    view = operation.view_func

    @wraps(view)
    def once(request: HttpRequest, **values: Any) -> Any:
        key, user = request.headers.get(HEADER), request.user
        if not key or not isinstance(user, User):
            return view(request, **values)
        if len(key) > MAX_LENGTH:
            message = _("Must have at most %(max_length)s characters.") % {"max_length": MAX_LENGTH}
            raise refuse_values((f"header.{HEADER}", message))

        def work() -> HttpResponseBase:
            # What the library does with a result; here, as the answer is kept in the same transaction.
            return response_of(operation, request, view(request, **values))

        return _answer_once(request, user=user, key=key, work=work, is_remote=is_remote)

    operation.view_func = once
    operation.openapi_extra = {**(operation.openapi_extra or {}), "parameters": [dict(PARAMETER)]}


def _answer_once(
    request: HttpRequest, *, user: User, key: str, work: Callable[[], HttpResponseBase], is_remote: bool, tries: int = 3
) -> HttpResponseBase:
    digest = hashlib.sha256(f"answer {key}".encode()).hexdigest()
    rows = KeptAnswer.objects.filter(user=user, key_digest=digest)
    KeptAnswer.objects.filter(user=user, created_at__lt=timezone.now() - _KEPT).delete()
    rows.filter(answer={}, created_at__lt=timezone.now() - _LONGEST).delete()
    together: AbstractContextManager[None] = nullcontext() if is_remote else conflict_as_integrity_error()
    request_digest = _digest_of(request)
    is_ours = False
    try:
        with together:
            # First the key: whoever sends it a second time meanwhile waits here, and then finds the answer.
            with conflict_as_integrity_error() if is_remote else nullcontext():
                KeptAnswer.objects.create(user=user, key_digest=digest, request_digest=request_digest)
            is_ours = True
            response = work()
            rows.update(answer=_sealed(key, response))
            return response
    except IntegrityError:
        earlier = rows.first()
        if earlier is None and not is_ours and tries > 1:
            # Whoever sent it first was refused, which keeps nothing: nothing has run here, so it's our turn.
            return _answer_once(request, user=user, key=key, work=work, is_remote=is_remote, tries=tries - 1)
        if earlier is None or is_ours:
            raise
    except Exception:
        if is_ours and is_remote:
            rows.delete()
        raise
    return _again(earlier, key=key, request_digest=request_digest)


def _again(earlier: KeptAnswer, *, key: str, request_digest: str) -> HttpResponse:
    if earlier.request_digest != request_digest:
        message = _("This Idempotency-Key was already used for a different request.")
        raise refuse_values((f"header.{HEADER}", message))
    if not earlier.answer:
        raise ProblemError(HTTPStatus.CONFLICT, _("The first request with this Idempotency-Key is still running."))
    content = json.loads(_cipher(key).decrypt(earlier.answer["sealed"].encode()))
    body = "" if content["body"] is None else json.dumps(content["body"])
    return HttpResponse(body, status=content["status"], content_type="application/json; charset=utf-8")


def _sealed(key: str, response: HttpResponseBase) -> dict[str, str]:
    """Return what is kept of a response: nobody reads it who does not know the key, as it may hold a token."""
    body = json.loads(response.content) if isinstance(response, HttpResponse) and response.content else None
    content = json.dumps({"status": response.status_code, "body": body})
    return {"sealed": _cipher(key).encrypt(content.encode()).decode()}


def _cipher(key: str) -> Fernet:
    derived = hmac.new(settings.SECRET_KEY.encode(), f"idempotency {key}".encode(), hashlib.sha256).digest()
    return Fernet(base64.urlsafe_b64encode(derived))


def _digest_of(request: HttpRequest) -> str:
    """Return a digest of method, address and body: the same key with another request is a mistake of the program."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    for part in _parts_of(request):
        digest.update(part)
    return digest.hexdigest()


def _parts_of(request: HttpRequest) -> Iterable[bytes]:
    if request.content_type != "multipart/form-data":
        yield request.body
        return
    # Its body is read already, and may be too large for the memory.
    for name, values in sorted(request.POST.lists()):
        yield f"{name}={values}\n".encode()
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            yield f"{name}\n".encode()
            yield from file.chunks()
            file.seek(0)
