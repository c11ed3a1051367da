"""Schemas of the calls about access tokens."""

from datetime import datetime
from typing import Literal

from ninja import Schema
from pydantic import Field

from accounts.schemas import Strict

MAX_DAYS = 3650


class TokenIn(Strict):
    """A new access token."""

    name: str = Field(
        min_length=1, max_length=60, pattern=r"\S", description="What you'll use it for.", examples=["backup script"]
    )
    scope: Literal["read", "write"] = Field("read", description="`write` can read, too.", examples=["read"])
    days: int | None = Field(
        None, ge=1, le=MAX_DAYS, description="Days until it expires. null if never.", examples=[90]
    )
    password: str | None = Field(
        None,
        max_length=1000,
        description="Your password. Not needed in a session right after logging in.",
        examples=["three blind mice see how"],
    )


class TokenOut(Schema):
    """An access token, without its key."""

    id: int = Field(examples=[4])
    name: str = Field(examples=["backup script"])
    scope: Literal["read", "write"] = Field(examples=["read"])
    created_at: datetime
    expires_at: datetime | None = Field(description="null if never.")
    last_used_at: datetime | None = Field(description="null if never.")


class NewTokenOut(TokenOut):
    """A new access token. You see its key only this once."""

    key: str = Field(description="Send it as `Authorization: Bearer ...`.", examples=["earworm_7Fq3"])


class TokenPage(Schema):
    """One page of access tokens, the newest first."""

    items: list[TokenOut]
    next: str | None = Field(description="Cursor of the next page, or null on the last one.")
