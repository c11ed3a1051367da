"""Calls about access tokens."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Query, Router, Status

from accounts.apikit.auth import LISTENER, listener_of
from accounts.apikit.identity import confirm_identity
from accounts.apikit.paging import PageQuery, newest_page
from accounts.apikit.parameters import RowId
from accounts.apikit.problems import ProblemError, responses
from accounts.calls.token_schemas import NewTokenOut, TokenIn, TokenPage
from accounts.models import ApiToken
from accounts.tokens.services import TooManyTokensError, create_token, revoke_token

router = Router(tags=["account"])


@router.get("/user/tokens", summary="List your access tokens", auth=LISTENER, response=responses(TokenPage))
def tokens(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Your access tokens, newest first. Their keys can't be read again."""
    rows = ApiToken.objects.filter(user=listener_of(request))
    items, more = newest_page(rows, name="tokens", by="created_at", page=page)
    return {"items": items, "next": more}


@router.post(
    "/user/tokens",
    summary="Create an access token",
    auth=LISTENER,
    response=responses(NewTokenOut, 400, 409, 413, 415, status=201),
)
def create(request: HttpRequest, body: TokenIn) -> Any:
    """Create an access token. Needs your password, or a session in which you have just logged in."""
    confirm_identity(request, body.password)
    try:
        token, key = create_token(user=listener_of(request), name=body.name.strip(), scope=body.scope, days=body.days)
    except TooManyTokensError as error:
        message = _("You already have %(most)d access tokens, which is the limit. Revoke one first.")
        raise ProblemError(409, message % {"most": settings.LISTENER_MAX_TOKENS}) from error
    token.key = key  # type: ignore[attr-defined]
    return Status(201, token)


@router.delete(
    "/user/tokens/{token_id}",
    summary="Revoke an access token",
    auth=LISTENER,
    response=responses(None, 404, status=204),
)
def revoke(request: HttpRequest, token_id: RowId) -> Any:
    """Revoke an access token. It works no more at once."""
    revoke_token(token=get_object_or_404(ApiToken, pk=token_id, user=listener_of(request)))
    return Status(204, None)
