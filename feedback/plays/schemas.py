"""What calls about plays take and give."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from accounts.schemas import Strict
from catalog.schemas import MAX_ID, SongRef
from feedback.plays.models import Play

UUID_PATTERN = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"


class PlayIn(Strict):
    """A song you played."""

    song_id: int = Field(ge=1, le=MAX_ID, examples=[1482])
    token: str | None = Field(
        None,
        pattern=UUID_PATTERN,
        description="A UUID you choose. If sent twice, the play counts once.",
        examples=["6c84fb90-12c4-11e1-840d-7b25c5ee775a"],
    )

    @property
    def uuid(self) -> UUID | None:
        """Return the token as a UUID."""
        return UUID(self.token) if self.token else None


class PlayOut(Schema):
    """A song you played, and when."""

    id: int = Field(examples=[90210])
    song: SongRef = Field(validation_alias="track")
    played_at: datetime
    ms_played: int | None
    outcome: Literal["started", "completed", "skipped"]
    source: Literal["site", "spotify", "history"]
    is_counted: bool = Field(description="Whether it counts towards your taste.")
    is_own_song: bool = Field(description="Whether the song isn't in the catalogue. Only you can see it.")

    @staticmethod
    def resolve_is_own_song(play: Play) -> bool:
        """Return whether the catalogue lacks the song."""
        return not play.track.is_active


class HistoryQuery(Schema):
    """Which plays."""

    q: str = Field("", max_length=200, description="Words from the title or artist.", examples=["winter"])
    outcome: Literal["started", "completed", "skipped"] | None = Field(None, examples=["completed"])


class PlayPage(Schema):
    """One page of plays, the latest first."""

    items: list[PlayOut]
    next: str | None


class RemovedOut(Schema):
    """Use this within 24 hours to restore a removed play."""

    undo: str = Field(description="Send it to /api/user/history/restore.", examples=["eyJ0cmFjayI6MTQ4Mn0:1sabcd:Zk9x"])


class RestoreIn(Strict):
    """The undo value from removing a play."""

    undo: str = Field(max_length=2000, examples=["eyJ0cmFjayI6MTQ4Mn0:1sabcd:Zk9x"])


class DuplicateOut(Schema):
    """A play that another one of yours duplicates, from another source and with more details."""

    id: int = Field(validation_alias="play.pk", examples=[90210])
    song: SongRef = Field(validation_alias="play.track")
    played_at: datetime = Field(validation_alias="play.played_at")
    told_by: str = Field(validation_alias="play.told_by", description="Where it comes from: a file, or a source.")
    kept_id: int = Field(validation_alias="counterpart.pk", description="The play that is kept.", examples=[90211])
    kept_told_by: str = Field(validation_alias="counterpart.told_by", description="Where that one comes from.")


class DuplicatesJobOut(Schema):
    """The latest removal or restoration."""

    action: Literal["remove", "restore"]
    status: Literal["waiting", "running", "done", "failed", "stopped"]
    percent: int


class DuplicatesOut(Schema):
    """The duplicate plays in your history."""

    duplicates: int = Field(description="How many there are.")
    removed: int = Field(description="How many were removed and can be restored.")
    job: DuplicatesJobOut | None = Field(description="null if you never removed any.")
    items: list[DuplicateOut] = Field(description="The first 100 of them.")
