"""Requests that count once however often they are sent: ``Idempotency-Key``."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError
from django.http import HttpRequest
from django.utils import timezone

from accounts.apikit.problems import ProblemError
from accounts.models import KeptAnswer, User
from jobs.races import racing

_KEPT = timedelta(hours=24)


def answer_once(
    request: HttpRequest, *, user: User, key: str | None, work: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Return what ``work`` (JSON values) returns; for a key seen in the last day what it returned then.

    The key and what ``work`` writes are kept together or not at all. A key that came with another request is a 422.
    """
    if not key:
        return work()
    key_digest = hashlib.sha256(key.encode()).hexdigest()
    body = f"{request.method} {request.path}\n".encode() + request.body
    request_digest = hashlib.sha256(body).hexdigest()
    KeptAnswer.objects.filter(user=user, created_at__lt=timezone.now() - _KEPT).delete()
    try:
        with racing():
            # First the key: whoever sends it a second time meanwhile waits here, and then finds the answer.
            kept = KeptAnswer.objects.create(user=user, key_digest=key_digest, request_digest=request_digest)
            kept.answer = work()
            kept.save(update_fields=["answer"])
    except IntegrityError:
        earlier = KeptAnswer.objects.filter(user=user, key_digest=key_digest).first()
        if earlier is None:
            raise
        if earlier.request_digest != request_digest:
            fields = [("header.Idempotency-Key", "This key came with another request before.")]
            raise ProblemError(422, "Some values do not fit.", fields=fields) from None
        kept = earlier
    answer: dict[str, Any] = kept.answer
    return answer
