"""What calls about accounts take and give."""

from datetime import datetime

from ninja import Schema
from pydantic import ConfigDict, Field


class Strict(Schema):
    """A body that may hold nothing but what is described: a misspelt name is an error, not a default."""

    model_config = ConfigDict(extra="forbid", strict=True)


class RegisterIn(Strict):
    """A new account."""

    username: str = Field(max_length=150, examples=["ada"])
    email: str = Field(max_length=254, examples=["ada@example.org"])
    password: str = Field(max_length=1000, examples=["three blind mice see how"])
    region: str = Field("", max_length=2, description="ISO 3166-1 country, or empty.", examples=["SE"])


class LoginIn(Strict):
    """A log-in."""

    login: str = Field(max_length=254, description="Username or e-mail address.", examples=["ada"])
    password: str = Field(max_length=1000, examples=["three blind mice see how"])
    remember: bool = Field(False, description="Keep the session when the browser is closed.")


class SessionOut(Schema):
    """How a log-in or a registration ended."""

    is_logged_in: bool = Field(description="False: a letter was sent, whose link has to be followed first.")
    csrf_token: str = Field(description="To be sent as X-CSRFToken with what changes something.")


class ProfileIn(Strict):
    """What a listener says about how to recommend."""

    region: str = Field(max_length=2, description="ISO 3166-1 country, or empty.", examples=["SE"])
    explicit_allowed: bool = Field(description="May songs with explicit lyrics be recommended?")
    adventure: float = Field(
        ge=0, le=1, description="0: only what surely fits; 1: mostly things not known.", examples=[0.3]
    )


class ProfileOut(Schema):
    """A listener."""

    id: int = Field(examples=[7])
    username: str = Field(examples=["ada"])
    email: str = Field(examples=["ada@example.org"])
    region: str = Field(examples=["SE"])
    explicit_allowed: bool
    adventure: float = Field(examples=[0.3])
    created_at: datetime
    is_staff: bool


class DeleteIn(Strict):
    """The password, typed again before everything goes."""

    password: str = Field(max_length=1000, examples=["three blind mice see how"])
