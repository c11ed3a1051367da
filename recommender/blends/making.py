"""Makes the lists of blends."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db import IntegrityError

from accounts.models import User
from catalog.models import Track
from jobs.races import conflict_as_integrity_error
from recommender.adapters.loaded import LoadedModel
from recommender.adapters.requests import ListenerRequest, request_for_listener
from recommender.blends.choosing import choose, for_whom, standardise
from recommender.engine import IntArray, RankedSongs, as_int32, by_taste, may_hear, rank_songs
from recommender.models import BLEND, Blend, BlendFit, BlendMember, BlendSong
from recommender.pages.explanations.phrases import StoredReason
from recommender.pages.explanations.recorded import stored_reason

logger = logging.getLogger(__name__)
LIST_SIZE = 30
LEAST_NEW = 10
"""Where fewer songs are new to the list, those of the list before may come again."""
CANDIDATES = 300
"""Songs ranked for all members: an equal share of each one's best, together as many as the ranker orders."""
CANDIDATES_PER_ARTIST = 4


@dataclass(frozen=True)
class ChosenSong:
    """A song, with the members whom it is for: each with the standard score and the reason."""

    track_id: int
    fits: tuple[tuple[BlendMember, float, StoredReason], ...]


def renew(blend: Blend, monday: date, loaded: LoadedModel) -> bool:
    """Make the blend's list for the week; return whether it was written.

    Who joins or leaves meanwhile makes it outdated: then nothing is written, and whoever did that has asked for
    another run.
    """
    members = active_members(blend)
    if len(members) < 2:
        return False
    before = list(BlendSong.objects.filter(blend=blend).values_list("track_id", flat=True))
    songs = choose_songs(members, loaded, before)
    if len(songs) < LEAST_NEW and before:
        songs = choose_songs(members, loaded)
    try:
        with conflict_as_integrity_error():
            return _write(blend, members, monday, songs)
    except IntegrityError:
        # A song, a member or the blend has just been deleted: the next night sees which.
        logger.info("no list for blend %s: something in it was deleted meanwhile", blend.pk)
        return False


def active_members(blend: Blend) -> list[BlendMember]:
    """Return the members whose account is active, by seat."""
    members = BlendMember.objects.filter(blend=blend, user__is_active=True)
    return list(members.select_related("user").order_by("seat"))


def choose_songs(
    members: Sequence[BlendMember], loaded: LoadedModel, exclude_ids: Collection[int] = ()
) -> list[ChosenSong]:
    """Return up to ``LIST_SIZE`` songs that every member may hear and nobody dislikes, in the order of the list."""
    listeners = [_request(member.user, loaded, exclude_ids) for member in members]
    rows = _candidates(listeners, loaded)
    if not len(rows):
        return []
    ranked = [rank_songs(loaded.model, listener.feedback, rows) for listener in listeners]
    standard = standardise(np.stack([songs.scores(rows) for songs in ranked]).astype(np.float64))
    catalogue = loaded.model.catalogue
    columns = choose(standard, LIST_SIZE, [catalogue.artists_at(row).tolist() for row in rows.tolist()])
    fits: list[list[tuple[BlendMember, float, StoredReason]]] = [[] for _column in columns]
    theirs = [for_whom(standard[:, column].tolist()) for column in columns]
    for number, (member, listener, songs) in enumerate(zip(members, listeners, ranked, strict=True)):
        positions = [position for position, numbers in enumerate(theirs) if number in numbers]
        reasons = _reasons(songs, rows[[columns[position] for position in positions]], listener, loaded)
        for position, reason in zip(positions, reasons, strict=True):
            fits[position].append((member, float(standard[number, columns[position]]), reason))
    track_ids = catalogue.track_ids[rows[columns]].tolist()
    return [ChosenSong(track_id, tuple(fit)) for track_id, fit in zip(track_ids, fits, strict=True)]


def _request(user: User, loaded: LoadedModel, exclude_ids: Collection[int]) -> ListenerRequest:
    return request_for_listener(user, loaded, k=CANDIDATES, adventure=0.0, exclude_ids=exclude_ids)


def _candidates(listeners: Sequence[ListenerRequest], loaded: LoadedModel) -> IntArray:
    """Return the best songs of each member that all may hear and the site still shows: distinct rows, int32."""
    model = loaded.model
    share = CANDIDATES // len(listeners)
    best: dict[int, None] = {}
    for listener in listeners:
        rows = by_taste(model, listener.feedback, listener.request)
        for other in listeners:
            rows = rows[may_hear(model, other.feedback, other.request, rows)]
        best |= dict.fromkeys(_varied(rows, loaded)[:share])
    rows = as_int32(list(best))
    # Two members may like two versions of one song.
    rows = rows[np.sort(np.unique(model.catalogue.recording[rows], return_index=True)[1])]
    ids = model.catalogue.track_ids[rows]
    shown = set(Track.objects.active().filter(pk__in=ids.tolist()).values_list("pk", flat=True))
    return rows[[int(track_id) in shown for track_id in ids]]


def _varied(rows: IntArray, loaded: LoadedModel) -> list[int]:
    """Return ``rows`` without the later ones of an artist who has had enough."""
    count: dict[int, int] = {}
    varied = []
    for row in rows.tolist():
        artists = loaded.model.catalogue.artists_at(row).tolist()
        if all(count.get(artist, 0) < CANDIDATES_PER_ARTIST for artist in artists):
            varied.append(row)
            count |= {artist: count.get(artist, 0) + 1 for artist in artists}
    return varied


def _reasons(songs: RankedSongs, rows: IntArray, listener: ListenerRequest, loaded: LoadedModel) -> list[StoredReason]:
    if not len(rows):
        return []
    return [stored_reason(item, loaded, listener.known, BLEND) for item in songs.explained(rows)]


def _write(blend: Blend, members: Sequence[BlendMember], monday: date, songs: Sequence[ChosenSong]) -> bool:
    locked = Blend.objects.select_for_update().filter(pk=blend.pk).first()
    if locked is None or [member.pk for member in active_members(blend)] != [member.pk for member in members]:
        return False
    BlendSong.objects.filter(blend=blend).delete()
    rows = BlendSong.objects.bulk_create(
        BlendSong(blend=blend, track_id=song.track_id, position=position) for position, song in enumerate(songs)
    )
    # Where the database doesn't return ids of several new rows, they are read.
    ids = dict(BlendSong.objects.filter(blend=blend).values_list("position", "pk"))
    BlendFit.objects.bulk_create(
        BlendFit(song_id=ids[row.position], member=member, score=score, reason=reason)
        for row, song in zip(rows, songs, strict=True)
        for member, score, reason in song.fits
    )
    locked.week, locked.listed_members = monday, len(members)
    locked.save(update_fields=["week", "listed_members"])
    return True
