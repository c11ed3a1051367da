"""Learns from what players tell the music server, once it has accepted it: plays, skips, stars and ratings."""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from catalog.models import MusicServer, ServerSong, Track
from catalog.sources.library.songs import clean_ms
from catalog.sources.subsonic.marks import OF_POINTS
from feedback.hidden import HiddenTrackError
from feedback.ratings.models import Rating
from feedback.ratings.selectors import rating_of
from feedback.ratings.services import rate
from feedback.scrobbling.receiving import Reporter, note_playing, take_listens
from feedback.scrobbling.reported import ReportedListen, listen_of, reported_listen, second_of
from feedback.source import Source
from jobs.patience import reason_of_absence, reconnect_if_lost
from recommender.proxy.calls import ASK_SECONDS, Call
from recommender.proxy.logins import Session, session_of
from recommender.proxy.songs import forget_bodies, songs_of

METHODS = frozenset({"scrobble", "star", "unstar", "setRating"})
# Song ids that are looked at in one call; players send plays of a journey at once.
_MOST = 200
_logger = logging.getLogger(__name__)


def learn(server: MusicServer, call: Call) -> None:
    """Learn from a call that the server has accepted. Never raise: the player has its answer."""
    try:
        # The server may have taken all the time for its answer.
        session = session_of(server, replace(call, deadline=time.monotonic() + ASK_SECONDS))
        if session is not None:
            _learn(session)
    except Exception as error:
        _logger.log(
            logging.ERROR,
            "a player's call taught nothing: %s",
            reason_of_absence(error) or type(error).__name__,
            exc_info=None if reason_of_absence(error) else error,
        )
        reconnect_if_lost()


def _learn(session: Session) -> None:
    if session.call.method == "scrobble":
        _take_plays(session)
        return
    remote_ids = session.call.ids()[:_MOST]
    for track in _tracks(session.server, remote_ids).values():
        value = _rating(session, track)
        if value != (rating_of(session.user, track) or None):
            try:
                rate(user=session.user, track=track, value=value, source=Source.SCROBBLE)
            except HiddenTrackError:
                continue
    forget_bodies(session)


def _rating(session: Session, track: Track) -> int | None:
    """Return what the listener thinks of a song after the call."""
    before = rating_of(session.user, track) or None
    if session.call.method == "star":
        return int(Rating.Value.LIKE)
    if session.call.method == "unstar":
        return None if before == Rating.Value.LIKE else before
    text = session.call.value("rating")
    stars = int(text) if text in ("0", "1", "2", "3", "4", "5") else None
    return before if stars is None else OF_POINTS.get(stars)


def _take_plays(session: Session) -> None:
    call, received = session.call, int(time.time())
    teller = Reporter(session.user, None, f"{call.client} (proxy)"[-60:])
    heard = _heard(session, call.ids()[:_MOST], call.values.get("time", []))
    if not heard:
        return
    if call.value("submission", "true").lower() == "false":
        note_playing(teller=teller, heard=heard[-1], received=received)
    else:
        take_listens(teller=teller, heard=heard, received=received)


def _heard(session: Session, remote_ids: Sequence[str], times: Sequence[str]) -> list[ReportedListen]:
    tracks = _tracks(session.server, remote_ids)
    # Those that were not read yet wait for one of that name.
    songs = songs_of(session, (remote_id for remote_id in remote_ids if remote_id not in tracks))
    heard = []
    for number, remote_id in enumerate(remote_ids):
        at = second_of(times[number]) if number < len(times) else None
        track = tracks.get(remote_id)
        listen = listen_of(track, at) if track is not None else _of_song(songs.get(remote_id), at)
        if listen is not None:
            heard.append(listen)
    return heard


def _of_song(song: dict[str, Any] | None, at: int | None) -> ReportedListen | None:
    if song is None:
        return None
    return reported_listen(
        title=song.get("title"),
        artist=song.get("artist"),
        at=at,
        album=song.get("album"),
        mbid=song.get("musicBrainzId"),
        duration_ms=clean_ms(song.get("duration")),
    )


def _tracks(server: MusicServer, remote_ids: Sequence[str]) -> dict[str, Track]:
    rows = ServerSong.objects.filter(server=server, remote_id__in=remote_ids).select_related("track")
    return {row.remote_id: row.track for row in rows if row.track.is_active}
