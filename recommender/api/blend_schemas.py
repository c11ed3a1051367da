"""What calls about blends take and give."""

from datetime import date, datetime
from typing import Literal

from ninja import Schema
from pydantic import Field

from accounts.schemas import Strict
from catalog.schemas import SongRef


class BlendNameIn(Strict):
    """A blend's name."""

    name: str = Field(min_length=1, max_length=60, examples=["Kitchen"])


class BlendInviteIn(Strict):
    """Whom to invite."""

    username: str = Field(min_length=1, max_length=150, examples=["ben"])


class BlendOut(Schema):
    """A blend of yours."""

    id: int = Field(examples=[7])
    name: str = Field(examples=["Kitchen"])
    created_at: datetime
    members: list[str] = Field(description="Usernames, you among them.", examples=[["ada", "ben"]])
    week: date | None = Field(description="Monday of the week the list was made for, or null if there is none yet.")
    song_count: int = Field(description="0 while the list is being made.")


class BlendPage(Schema):
    """One page of blends."""

    items: list[BlendOut]
    next: str | None


class BlendOthersOut(Schema):
    """Other members a song is for, with the same kind of reason."""

    members: list[str] = Field(examples=[["ben"]])
    because: (
        Literal["artist", "album", "genre", "audio", "era", "popularity", "collaborative", "item_to_item", "preference"]
        | None
    ) = Field(description="What raised the song's score most, or null if it has no name.", examples=["genre"])


class BlendSongOut(Schema):
    """A song of a blend, and who it is for."""

    song: SongRef
    is_for_you: bool
    reason: str = Field(description="Your own reason. Empty if the song isn't for you, or it has none.")
    others: list[BlendOthersOut]


class BlendInvitedOut(Schema):
    """An invitation to a blend, as its members see it. It is the same whether or not somebody has this name."""

    id: int = Field(examples=[31])
    username: str = Field(examples=["ben"])
    created_at: datetime


class BlendSongs(Schema):
    """A blend with its songs and open invitations."""

    blend: BlendOut
    items: list[BlendSongOut]
    invitations: list[BlendInvitedOut]


class BlendInvitationOut(Schema):
    """An invitation you can answer."""

    id: int = Field(examples=[31])
    blend: str = Field(description="The blend's name.", examples=["Kitchen"])
    invited_by: str = Field(examples=["ada"])
    members: list[str] = Field(examples=[["ada"]])
    created_at: datetime


class BlendInvitationPage(Schema):
    """One page of invitations."""

    items: list[BlendInvitationOut]
    next: str | None
