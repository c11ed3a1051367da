"""Idempotent requests: ``Idempotency-Key`` for every call that changes something."""

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
from accounts.models import StoredResponse, User
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
_LIFETIME = timedelta(hours=24)
# A request that calls another service holds no transaction meanwhile; after this time it counts as dead. None waits for
# a service longer than a dozen seconds.
_LONGEST = timedelta(minutes=1)


def changes_something(operation: Operation) -> bool:
    """Return whether the call changes something for a logged-in listener, unlike signing up and logging in."""
    if not isinstance(operation.auth_callbacks, list) or not operation.auth_callbacks:
        return False
    return operation.methods != ["GET"] or any(getattr(auth, "needs_write", False) for auth in operation.auth_callbacks)


def repeat_safely(operation: Operation, *, is_remote: bool) -> None:
    """Have ``operation`` accept an ``Idempotency-Key``.

    The key and the writes of the call are committed together or not at all. ``is_remote``: the call uses another
    service, so no transaction is held open for it, and a repetition meanwhile gets a 409.
    """
    view = operation.view_func

    @wraps(view)
    def wrapper(request: HttpRequest, **values: Any) -> Any:
        key, user = request.headers.get(HEADER), request.user
        if not key or not isinstance(user, User):
            return view(request, **values)
        if len(key) > MAX_LENGTH:
            message = _("Must have at most %(max_length)s characters.") % {"max_length": MAX_LENGTH}
            raise refuse_values((f"header.{HEADER}", message))

        def work() -> HttpResponseBase:
            # The library does this after the view; here it is inside the transaction that stores the response.
            return response_of(operation, request, view(request, **values))

        return _run_once(request, user=user, key=key, work=work, is_remote=is_remote)

    operation.view_func = wrapper
    operation.openapi_extra = {**(operation.openapi_extra or {}), "parameters": [dict(PARAMETER)]}


def _run_once(
    request: HttpRequest, *, user: User, key: str, work: Callable[[], HttpResponseBase], is_remote: bool, tries: int = 3
) -> HttpResponseBase:
    digest = hashlib.sha256(f"answer {key}".encode()).hexdigest()
    rows = StoredResponse.objects.filter(user=user, key_digest=digest)
    now = timezone.now()
    StoredResponse.objects.filter(user=user, created_at__lt=now - _LIFETIME).delete()
    # One that began later than now did so while the clock was ahead, and its process may have died since.
    rows.filter(response={}).exclude(created_at__range=(now - _LONGEST, now + _LONGEST)).delete()
    together: AbstractContextManager[None] = nullcontext() if is_remote else conflict_as_integrity_error()
    request_digest = _digest_of(request)
    is_ours = False
    try:
        with together:
            # The key comes first: a second request with it waits here, and then reads the stored response.
            with conflict_as_integrity_error() if is_remote else nullcontext():
                StoredResponse.objects.create(user=user, key_digest=digest, request_digest=request_digest)
            is_ours = True
            response = work()
            rows.update(response=_sealed(key, response))
            return response
    except IntegrityError:
        earlier = rows.first()
        if earlier is None and not is_ours and tries > 1:
            # The first request with the key was refused and stored nothing, so this one runs.
            return _run_once(request, user=user, key=key, work=work, is_remote=is_remote, tries=tries - 1)
        if earlier is None or is_ours:
            raise
    except Exception:
        if is_ours and is_remote:
            rows.delete()
        raise
    return _replayed(earlier, key=key, request_digest=request_digest)


def _replayed(earlier: StoredResponse, *, key: str, request_digest: str) -> HttpResponse:
    if earlier.request_digest != request_digest:
        message = _("This Idempotency-Key was already used for a different request.")
        raise refuse_values((f"header.{HEADER}", message))
    if not earlier.response:
        raise ProblemError(HTTPStatus.CONFLICT, _("The first request with this Idempotency-Key is still running."))
    content = json.loads(_cipher(key).decrypt(earlier.response["sealed"].encode()))
    body = "" if content["body"] is None else json.dumps(content["body"])
    return HttpResponse(body, status=content["status"], content_type="application/json; charset=utf-8")


def _sealed(key: str, response: HttpResponseBase) -> dict[str, str]:
    """Return a response as it is stored, encrypted with the key, because it may contain a token."""
    body = json.loads(response.content) if isinstance(response, HttpResponse) and response.content else None
    content = json.dumps({"status": response.status_code, "body": body})
    return {"sealed": _cipher(key).encrypt(content.encode()).decode()}


def _cipher(key: str) -> Fernet:
    derived = hmac.new(settings.SECRET_KEY.encode(), f"idempotency {key}".encode(), hashlib.sha256).digest()
    return Fernet(base64.urlsafe_b64encode(derived))


def _digest_of(request: HttpRequest) -> str:
    """Return a digest of method, address and body, to detect a key that is reused for another request."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    for part in _parts_of(request):
        digest.update(part)
    return digest.hexdigest()


def _parts_of(request: HttpRequest) -> Iterable[bytes]:
    if request.content_type != "multipart/form-data":
        yield request.body
        return
    # Its body has been read already, and may be too large for memory.
    for name, values in sorted(request.POST.lists()):
        yield f"{name}={values}\n".encode()
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            yield f"{name}\n".encode()
            yield from file.chunks()
            file.seek(0)
