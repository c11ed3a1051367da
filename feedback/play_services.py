"""Plays as the player sees them happen: reported more than once, kept as one row."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from catalog.models import Track
from feedback.models import Play
from feedback.services import record_play

_WEIGHT = {Play.Outcome.STARTED: 0, Play.Outcome.SKIPPED: 1, Play.Outcome.COMPLETED: 2}


class OtherSongError(Exception):
    """The token stands for a play of another song."""


@transaction.atomic
def report_play(
    *, user: User, track: Track, token: UUID, ms_played: int, outcome: str, is_known: bool = False
) -> Play | None:
    """Record how far a play has come; return it, or None where the listener removed it from the history meanwhile.

    Reports may come late, twice and in any order (a closing page sends its own): the longest time and the most final
    outcome stay. ``is_known`` says that an earlier report was kept, so that a play that is gone stays gone. Raises
    ``HiddenTrackError`` and ``OtherSongError``.
    """
    outcome = Play.Outcome(outcome)
    if not is_known:
        began = timezone.now() - timedelta(milliseconds=ms_played)
        play, is_new = record_play(
            user=user, track=track, token=token, played_at=began, ms_played=ms_played, outcome=outcome
        )
        if is_new:
            return play
    known = Play.objects.select_for_update().filter(user=user, token=token).first()
    if known is None:
        return None
    if known.track_id != track.pk:
        raise OtherSongError(f"play {known.pk} is of another song")
    known.ms_played = max(known.ms_played or 0, ms_played)
    known.outcome = max(Play.Outcome(known.outcome), outcome, key=_WEIGHT.__getitem__)
    known.save(update_fields=["ms_played", "outcome"])
    return known
