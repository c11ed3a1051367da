"""Adds songs found on Spotify to the catalogue."""

import logging
from collections.abc import Callable, Mapping
from statistics import fmean

from django.conf import settings
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.models import User
from accounts.spotify import SpotifyError
from accounts.spotify.web_api.client import client_for
from accounts.spotify.web_api.parsing import SpotifyTrack
from catalog.features import FEATURES, FeatureError, check_features
from catalog.identity.text import artist_key
from catalog.importing.writing.plan import Plan
from catalog.importing.writing.private import private_song
from catalog.importing.writing.writer import SongWriter
from catalog.models import COVER_HOST, COVER_LENGTH, AddedSong, Track
from catalog.services import set_estimated_features
from jobs.races import conflict_as_integrity_error

logger = logging.getLogger(__name__)

FeatureSource = Callable[[SpotifyTrack], Mapping[str, float]]
"""``source(song)``: the song's features by the names of :mod:`catalog.features`; empty where it knows none."""

_MEASURED = [
    Track.FeaturesOrigin.CSV,
    Track.FeaturesOrigin.DEMO,
    Track.FeaturesOrigin.OPERATOR,
    Track.FeaturesOrigin.SPOTIFY,
    Track.FeaturesOrigin.SOURCE,
    Track.FeaturesOrigin.MEASURED,
]
# Categorical features such as the key have no mean.
_AVERAGED = (
    "danceability",
    "energy",
    "loudness",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
    "tempo",
)
_FROM_SONGS = 50


class HiddenSongError(Exception):
    """The operator has hidden that song."""


def known_songs(songs: list[SpotifyTrack]) -> dict[str, Track]:
    """Return the catalogue's shown songs by Spotify id, for those it holds under that id."""
    tracks = Track.objects.active().filter(spotify_id__in=[song.id for song in songs])
    return {str(track.spotify_id): track for track in tracks}


def add_from_spotify(*, user: User, spotify_id: str) -> tuple[Track, bool]:
    """Fetch one song in the listener's name and add it; return it and whether it is new.

    Not atomic: no transaction waits for another host. Raise ``SpotifyError`` and ``HiddenSongError``.
    """
    client = client_for(user)
    song = client.track(spotify_id)
    features: Mapping[str, float] = {}
    if settings.SPOTIFY_EXTENDED_ACCESS:
        try:
            features = client.audio_features(spotify_id)
        except SpotifyError:
            # The song is added without them; its features are looked up elsewhere.
            features = {}
    track, is_new = add_song(song=song, features=features)
    if track.origin == Track.Origin.SPOTIFY:
        AddedSong.objects.get_or_create(user=user, track=track)
    return track, is_new


def note_covers(songs: Mapping[int, SpotifyTrack]) -> None:
    """Keep the covers of ``songs`` (by the id of the catalogue's song) where none is known yet."""
    covers = {pk: _cover(song) for pk, song in songs.items()}
    without = list(Track.objects.filter(pk__in=[pk for pk, url in covers.items() if url], cover_url=""))
    for track in without:
        track.cover_url = covers[track.pk]
    Track.objects.bulk_update(without, ["cover_url"], batch_size=200)


def add_song(*, song: SpotifyTrack, features: Mapping[str, float]) -> tuple[Track, bool]:
    """Add a song with Spotify's ``features``, else those of ``FEATURE_SOURCE``, else the mean of its artists' songs.

    A song that is there already, by id or ISRC, is returned as it is, but for a cover it did not have. Raises
    ``HiddenSongError``.
    """
    for _attempt in range(2):
        known = _known(song)
        if known is not None:
            note_covers({known.pk: song})
            return known, False
        try:
            # Requested before the transaction, which must not wait for another host.
            measured, origin = _measured(song, features)
            return _create(song, measured, origin), True
        except IntegrityError:
            # Somebody else added it at the same moment.
            continue
    raise HiddenSongError(song.id)


def _known(song: SpotifyTrack) -> Track | None:
    track = Track.objects.filter(spotify_id=song.id).first()
    if track is None and song.isrc:
        track = Track.objects.filter(isrc=song.isrc).order_by("-is_active", "pk").first()
    if track is None or track.is_active:
        return track
    if track.origin != Track.Origin.PRIVATE:
        raise HiddenSongError(song.id)
    # It was known only from a listener's history.
    same = Track.objects.filter(pk=track.pk, origin=Track.Origin.PRIVATE)
    same.update(origin=Track.Origin.SPOTIFY, is_active=True, updated_at=timezone.now())
    track.refresh_from_db()
    return track


@conflict_as_integrity_error()
def _create(song: SpotifyTrack, measured: dict[str, float | int], origin: Track.FeaturesOrigin) -> Track:
    row = private_song(
        spotify_id=song.id, title=song.title, artists=song.artists or ("?",), album=song.album, isrc=song.isrc
    )._replace(
        duration_ms=song.duration_ms,
        explicit=song.explicit,
        release_year=song.release_year,
        preview_url=song.preview_url,
    )
    plan = Plan(created=[row])
    SongWriter(origin=Track.Origin.SPOTIFY, features_origin=Track.FeaturesOrigin.NONE).write(plan)
    track = Track.objects.get(pk=next(iter(plan.state_by_pk)))
    track.cover_url, track.features, track.features_origin = _cover(song), measured, origin
    track.save(update_fields=["cover_url", "features", "features_origin"])
    if not measured and (estimated := _estimate(track, song)):
        set_estimated_features(estimates={track.pk: estimated})
        track.refresh_from_db()
    return track


def _measured(song: SpotifyTrack, features: Mapping[str, float]) -> tuple[dict[str, float | int], Track.FeaturesOrigin]:
    if values := _checked(features):
        return values, Track.FeaturesOrigin.SPOTIFY
    if values := _checked(_from_source(song)):
        return values, Track.FeaturesOrigin.SOURCE
    return {}, Track.FeaturesOrigin.NONE


def _from_source(song: SpotifyTrack) -> Mapping[str, float]:
    if not settings.FEATURE_SOURCE:
        return {}
    source: FeatureSource = import_string(settings.FEATURE_SOURCE)
    try:
        return dict(source(song))
    except Exception:
        # This is the operator's code: whatever its failure, the song is added without features.
        logger.exception("FEATURE_SOURCE %s failed", settings.FEATURE_SOURCE)
        return {}


def _cover(song: SpotifyTrack) -> str:
    url = song.cover_url
    return url if url.startswith(COVER_HOST) and len(url) <= COVER_LENGTH else ""


def _checked(features: Mapping[str, float]) -> dict[str, float | int]:
    try:
        return check_features({name: value for name, value in features.items() if name in FEATURES})
    except FeatureError:
        return {}


def _estimate(track: Track, song: SpotifyTrack) -> dict[str, float | int]:
    """Return the mean of measured songs by the same artists, a stopgap until the next retrain."""
    keys = [artist_key(name) for name in song.artists]
    same: QuerySet[Track] = Track.objects.filter(artists__key__in=keys, features_origin__in=_MEASURED)
    known = list(
        same.exclude(pk=track.pk).order_by("-popularity", "pk").values_list("features", flat=True)[:_FROM_SONGS]
    )
    values = {name: [row[name] for row in known if name in row] for name in _AVERAGED if name in FEATURES}
    return _checked({name: round(fmean(numbers), 2) for name, numbers in values.items() if numbers})
