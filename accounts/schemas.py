"""Schemas of the calls about accounts."""

from datetime import datetime

from ninja import Schema
from pydantic import ConfigDict, Field


class Strict(Schema):
    """A body without unknown names, so that a misspelt name is an error."""

    model_config = ConfigDict(extra="forbid", strict=True)


class RegisterIn(Strict):
    """A new account."""

    username: str = Field(max_length=150, examples=["ada"])
    email: str = Field(max_length=254, examples=["ada@example.org"])
    password: str = Field(max_length=1000, examples=["three blind mice see how"])
    region: str = Field("", max_length=2, description="ISO 3166-1 country code, or empty.", examples=["SE"])


class LoginIn(Strict):
    """Log-in details."""

    login: str = Field(max_length=254, description="Username or email address.", examples=["ada"])
    password: str = Field(max_length=1000, examples=["three blind mice see how"])
    code: str | None = Field(
        None,
        max_length=32,
        description="With two-factor authentication: a code of the authenticator app, or a recovery code.",
        examples=["287082"],
    )
    remember: bool = Field(False, description="Stay logged in after the browser is closed.")


class SessionOut(Schema):
    """Result of logging in or signing up."""

    is_logged_in: bool = Field(
        description="False if the email address has to be confirmed first, using the link we sent."
    )
    csrf_token: str = Field(description="Send this as X-CSRFToken with every call that changes something.")


class ProfileIn(Strict):
    """Recommendation settings."""

    region: str = Field(max_length=2, description="ISO 3166-1 country code, or empty.", examples=["SE"])
    explicit_allowed: bool = Field(description="Whether songs with explicit lyrics may be recommended.")
    recordings_only: bool | None = Field(
        None,
        description="Whether only songs may be recommended whose recording this site has. Unchanged if omitted.",
    )
    unheard_only: bool | None = Field(
        None,
        description="Whether only songs may be recommended that you have neither played nor rated. "
        "Unchanged if omitted.",
    )
    adventure: float = Field(
        ge=0, le=1, description="From 0 (safe choices) to 1 (mostly music you don't know).", examples=[0.3]
    )
    time_zone: str | None = Field(
        None,
        max_length=64,
        description="IANA name, or empty to follow the browser. Stays as it is if left out or null.",
        examples=["Europe/Stockholm"],
    )


class ProfileOut(Schema):
    """A listener."""

    id: int = Field(examples=[7])
    username: str = Field(examples=["ada"])
    email: str = Field(examples=["ada@example.org"])
    region: str = Field(examples=["SE"])
    explicit_allowed: bool
    recordings_only: bool
    unheard_only: bool
    adventure: float = Field(examples=[0.3])
    time_zone: str = Field(description="Empty if it follows the browser.", examples=["Europe/Stockholm"])
    created_at: datetime
    is_staff: bool


class PasswordIn(Strict):
    """A new password, and the one that holds now."""

    password: str = Field(max_length=1000, description="Your current password.", examples=["three blind mice see how"])
    new_password: str = Field(max_length=1000, examples=["they run after the farmer"])


class EmailIn(Strict):
    """A new email address, and your password if you have one."""

    email: str = Field(max_length=254, examples=["ada@example.com"])
    password: str | None = Field(None, max_length=1000, examples=["three blind mice see how"])


class EmailOut(Schema):
    """Your email address."""

    email: str = Field(examples=["ada@example.org"])
    pending: str | None = Field(
        description="The new address, until you follow the link in the email we sent there. Otherwise null.",
        examples=["ada@example.com"],
    )


class DeleteIn(Strict):
    """Your password, to confirm the deletion. Leave it out if your account has none."""

    password: str | None = Field(None, max_length=1000, examples=["three blind mice see how"])
