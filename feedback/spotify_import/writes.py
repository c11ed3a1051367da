"""Writes likes, plays and artists from Spotify, marked as such (``Source.SPOTIFY``).

It counts in the listener's own taste, and no model for all listeners is fitted on it. Songs are matched by id, ISRC,
then title and first artist; what the catalogue does not hold is counted and left where it is.
"""

from collections.abc import Iterable, Sequence

from django.db import transaction

from accounts.locks import lock_user
from accounts.models import User
from accounts.spotify.web_api.parsing import PlayedTrack, SpotifyTrack
from catalog.identity.compilers import is_compiler
from catalog.identity.text import artist_key
from catalog.models import Artist, Track
from catalog.sources.spotify.songs import note_covers
from feedback.plays.capacity import room_for_plays
from feedback.plays.models import Play
from feedback.preferences.models import ArtistPreference
from feedback.ratings.models import Rating
from feedback.source import Source

Counts = dict[str, int]


def matched_tracks(songs: Sequence[SpotifyTrack]) -> dict[str, Track]:
    """Return the catalogue's shown song for each Spotify id that has one.

    Of a song that Spotify plays under another id, either id may be the catalogue's.
    """
    from feedback.history_import.matching import Matcher
    from feedback.history_import.reading.rows import PlayRow

    ids = _catalogue_ids(songs)
    rows = [
        PlayRow(0, "", ids[song.id], song.isrc, song.title, song.artists or ("",), song.album, song.uri, None, "", True)
        for song in songs
    ]
    pks = dict(zip((song.id for song in songs), Matcher(creates=False).match(rows), strict=True))
    tracks = Track.objects.active().in_bulk([pk for pk in pks.values() if pk > 0])
    return {spotify_id: tracks[pk] for spotify_id, pk in pks.items() if pk in tracks}


def _catalogue_ids(songs: Sequence[SpotifyTrack]) -> dict[str, str]:
    """Return for each song's id the one by which the catalogue knows it; the id itself where it knows none."""
    relinked = [song for song in songs if song.played_as]
    both = {identity for song in relinked for identity in (song.id, song.played_as)}
    known = set(Track.objects.filter(spotify_id__in=both).values_list("spotify_id", flat=True)) if both else set()
    swapped = {song.id: song.played_as for song in relinked if song.id not in known and song.played_as in known}
    return {song.id: swapped.get(song.id, song.id) for song in songs}


@transaction.atomic
def like_songs(*, user: User, songs: Sequence[SpotifyTrack]) -> Counts:
    """Like those of ``songs`` that the catalogue holds, and that the listener has not rated already."""
    lock_user(user)
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
    """Record plays that are not there yet and for which there is room.

    Spotify tells neither how long they were nor whether they were skipped.
    """
    from feedback.history_import.writing import digest
    from feedback.plays.listens import known_from_elsewhere

    lock_user(user)
    matched = matched_tracks([play.track for play in plays])
    note_covers({matched[play.track.id].pk: play.track for play in plays if play.track.id in matched})
    rows = {
        digest(f"spotify-api\n{play.track.id}\n{play.played_at.isoformat()}"): play
        for play in plays
        if play.track.id in matched
    }
    known = set(Play.objects.filter(user=user, digest__in=list(rows)).values_list("digest", flat=True))
    listens = [(matched[play.track.id].recording_key, play.played_at) for play in rows.values()]
    elsewhere = known_from_elsewhere(user.pk, listens)
    known |= {key for number, key in enumerate(rows) if number in elsewhere}
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
    new = new[: room_for_plays(user)]
    Play.objects.bulk_create(new, batch_size=500)
    return {"found": len(plays), "matched": len(rows), "added": len(new)}


def new_preferences(*, user: User, names: Iterable[str]) -> tuple[Counts, list[int]]:
    """Note those of the artists that the catalogue has as the listener's; return which are new, too."""
    keys = {artist_key(name) for name in names if not is_compiler(name)}
    artists = list(Artist.objects.filter(key__in=list(keys)).values_list("pk", flat=True))
    mine = ArtistPreference.objects.filter(user=user)
    known = set(mine.filter(artist__in=artists).values_list("artist_id", flat=True))
    new = [pk for pk in artists if pk not in known]
    ArtistPreference.objects.bulk_create(ArtistPreference(user=user, artist_id=pk) for pk in new)
    return {"found": len(keys), "matched": len(artists), "added": len(new)}, new
