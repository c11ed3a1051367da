"""Bringing a listener's songs from Spotify, in the background.

All that comes in is marked as Spotify's (``Source.SPOTIFY``): it counts in the listener's own taste, and no model for
all listeners is fitted on it. Songs are matched by id, ISRC, then title and first artist; what the catalogue does not
hold is counted and left where it is.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.locks import wait_for_other_changes
from accounts.models import User
from accounts.spotify import SpotifyError
from accounts.spotify.client import SpotifyClient, client_for
from accounts.spotify.parsing import Page, PlayedTrack, SpotifyTrack
from catalog.models import Artist, Track
from catalog.spotify_songs import note_covers
from catalog.text import artist_key
from feedback.models import ArtistPreference, Play, Rating, Source
from feedback.spotify_models import PARTS, SpotifyBringing
from jobs.registry import Kind

if TYPE_CHECKING:
    from jobs.running import Run

BRING = "spotify-bring"
# Each page of 50 songs has so long.
_PAGE_SECONDS = 10.0
_MOST_PAGES = 40
Counts = dict[str, int]


def matched_tracks(songs: Sequence[SpotifyTrack]) -> dict[str, Track]:
    """Return the catalogue's shown song for each Spotify id that has one."""
    from feedback.history_import.formats import PlayRow
    from feedback.history_import.matching import Matcher

    rows = [
        PlayRow(0, "", song.id, song.isrc, song.title, song.artists or ("",), song.album, song.uri, None, "", True)
        for song in songs
    ]
    pks = dict(zip((song.id for song in songs), Matcher(creates=False).match(rows), strict=True))
    tracks = Track.objects.active().in_bulk([pk for pk in pks.values() if pk > 0])
    return {spotify_id: tracks[pk] for spotify_id, pk in pks.items() if pk in tracks}


@transaction.atomic
def like_songs(*, user: User, songs: Sequence[SpotifyTrack]) -> Counts:
    """Like those of ``songs`` that the catalogue holds, and that the listener has not rated already."""
    wait_for_other_changes(user)
    matched = matched_tracks(songs)
    note_covers({matched[song.id].pk: song for song in songs if song.id in matched})
    pks = list(dict.fromkeys(track.pk for track in matched.values()))
    rated = set(Rating.objects.filter(user=user, track__in=pks).values_list("track_id", flat=True))
    new = [pk for pk in pks if pk not in rated]
    likes = (Rating(user=user, track_id=pk, value=Rating.Value.LIKE, source=Source.SPOTIFY) for pk in new)
    Rating.objects.bulk_create(likes, batch_size=500)
    return {"found": len(songs), "matched": len(matched), "added": len(new)}


@transaction.atomic
def record_plays(*, user: User, plays: Sequence[PlayedTrack]) -> Counts:
    """Record plays that are not there yet; Spotify tells neither how long they were nor whether they were skipped."""
    from feedback.history_import.writing import digest

    wait_for_other_changes(user)
    matched = matched_tracks([play.track for play in plays])
    note_covers({matched[play.track.id].pk: play.track for play in plays if play.track.id in matched})
    rows = {
        digest(f"spotify-api\n{play.track.id}\n{play.played_at.isoformat()}"): play
        for play in plays
        if play.track.id in matched
    }
    known = set(Play.objects.filter(user=user, digest__in=list(rows)).values_list("digest", flat=True))
    new = [
        Play(
            user=user,
            track=matched[play.track.id],
            played_at=play.played_at,
            source=Source.SPOTIFY,
            digest=key,
        )
        for key, play in rows.items()
        if key not in known
    ]
    Play.objects.bulk_create(new, batch_size=500)
    return {"found": len(plays), "matched": len(rows), "added": len(new)}


@transaction.atomic
def prefer_artists(*, bringing: SpotifyBringing, names: Iterable[str]) -> Counts:
    """Note those of the artists that the catalogue has as the listener's."""
    keys = {artist_key(name) for name in names}
    artists = list(Artist.objects.filter(key__in=list(keys)).values_list("pk", flat=True))
    mine = ArtistPreference.objects.filter(user=bringing.user)
    known = set(mine.filter(artist__in=artists).values_list("artist_id", flat=True))
    new = [pk for pk in artists if pk not in known]
    ArtistPreference.objects.bulk_create(ArtistPreference(user=bringing.user, artist_id=pk) for pk in new)
    bringing.artist_ids = sorted({*bringing.artist_ids, *new})
    bringing.save(update_fields=["artist_ids"])
    return {"found": len(keys), "matched": len(artists), "added": len(new)}


def all_songs(read: Callable[[SpotifyClient, str], Page[SpotifyTrack]], user: User) -> Iterator[Page[SpotifyTrack]]:
    """Yield page after page, each with its own time."""
    offset: str | None = "0"
    for _number in range(_MOST_PAGES):
        if offset is None:
            return
        page = read(client_for(user, seconds=_PAGE_SECONDS), offset)
        yield page
        offset = page.next


def _bring(run: "Run") -> str:
    from jobs.running import JobFailedError

    bringing = SpotifyBringing.objects.select_related("user").filter(user=run.job.user_id).first()
    if bringing is None or bringing.finished_at is not None:
        return "nothing left to do"
    bringing.counts, bringing.error = {}, ""
    try:
        for place, part in enumerate(bringing.parts):
            for share, counts in _PARTS[part](bringing):
                bringing.counts[part] = counts
                bringing.save(update_fields=["counts"])
                run.report(f"{part}: {counts['found']}", (place + share) / len(bringing.parts))
    except SpotifyError as error:
        # What came in so far stays; the listener may ask again, and nothing is brought twice.
        SpotifyBringing.objects.filter(pk=bringing.pk).update(error=error.message[:500], finished_at=timezone.now())
        raise JobFailedError(f"{type(error).__name__}: {error}") from None
    SpotifyBringing.objects.filter(pk=bringing.pk).update(finished_at=timezone.now())
    return ", ".join(f"{part}: {counts['added']} of {counts['found']}" for part, counts in bringing.counts.items())


Steps = Iterator[tuple[float, Counts]]


def _songs(bringing: SpotifyBringing, read: Callable[[SpotifyClient, str], Page[SpotifyTrack]]) -> Steps:
    total = {"found": 0, "matched": 0, "added": 0}
    for page in all_songs(read, bringing.user):
        counts = like_songs(user=bringing.user, songs=page.items)
        total = {name: total[name] + counts[name] for name in total}
        yield min(1.0, total["found"] / max(1, page.total or 1)), total


def _top(bringing: SpotifyBringing) -> Steps:
    return _songs(bringing, lambda client, offset: client.top_tracks(offset=offset))


def _saved(bringing: SpotifyBringing) -> Steps:
    return _songs(bringing, lambda client, offset: client.saved_tracks(offset=offset))


def _recent(bringing: SpotifyBringing) -> Steps:
    page = client_for(bringing.user, seconds=_PAGE_SECONDS).recently_played()
    yield 1.0, record_plays(user=bringing.user, plays=page.items)


def _followed(bringing: SpotifyBringing) -> Steps:
    names: list[str] = []
    after: str | None = None
    for _number in range(_MOST_PAGES):
        page = client_for(bringing.user, seconds=_PAGE_SECONDS).followed_artists(after=after)
        names += page.items
        after = page.next
        if after is None:
            break
    yield 1.0, prefer_artists(bringing=bringing, names=names)


_PARTS = {"top": _top, "saved": _saved, "recent": _recent, "followed": _followed}
assert _PARTS.keys() == PARTS.keys()
KINDS = (Kind(BRING, _("songs from Spotify"), _bring),)
