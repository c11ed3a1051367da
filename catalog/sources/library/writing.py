"""Writes a server's songs: new ones are created, others get missing values. The values of the operator's catalogue
stay; a song that only came from a server follows the server's tags.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from catalog.duplicates.recordings import part_recordings
from catalog.features import FEATURE_NAMES
from catalog.identity.text import artist_key, track_text
from catalog.importing.reading.reader import SongRow
from catalog.importing.writing.plan import Plan
from catalog.importing.writing.writer import SongWriter, batches, insert_new, update
from catalog.models import Artist, Genre, MusicServer, ServerSong, Track, TrackCode
from catalog.search.words import note_words
from catalog.services import set_credits
from catalog.sources.library.matching import Candidate, is_one, match_songs, recording_keys
from catalog.sources.library.songs import SourceSong
from jobs.races import retry_conflicts

_NO_FEATURES = (None,) * len(FEATURE_NAMES)
_FILE_COLUMNS = (
    "path", "suffix", "bit_rate", "size", "duration_ms", "gain_db",
    "cover_id", "release_mbid", "digest", "reading", "gone_at",
)  # fmt: skip
_GAPS = ("album", "duration_ms", "explicit", "release_year")


class LibraryWriter:
    """Writes the songs of one reading of ``server``, a batch in a transaction.

    ``counts``: how many songs were "unchanged", "created", "matched" with one that was there, and "changed".
    """

    def __init__(self, server: MusicServer, reading: int) -> None:
        self.counts: Counter[str] = Counter()
        self._server = server
        self._reading = reading
        self._writer = SongWriter(origin=Track.Origin.SERVER, features_origin=Track.FeaturesOrigin.NONE)

    def write(self, songs: Sequence[SourceSong]) -> None:
        """Write a batch of songs; of several with one id the last counts."""
        by_id = {song.remote_id: song for song in songs}
        counts = retry_conflicts(lambda: self._write(by_id), reset=self._writer.forget)
        self.counts.update(counts)

    def finish(self) -> int:
        """Mark as gone what this reading did not see; return how many songs that are."""
        lost = ServerSong.objects.filter(server=self._server, reading__lt=self._reading, gone_at=None)
        number = lost.update(gone_at=timezone.now())
        note_files()
        return number

    def _write(self, songs: dict[str, SourceSong]) -> Counter[str]:
        rows = ServerSong.objects.filter(server=self._server, remote_id__in=list(songs))
        known = {row.remote_id: row for row in rows}
        same = [row for key, row in known.items() if row.digest == songs[key].digest]
        # A later reading may already have written it.
        seen = ServerSong.objects.filter(pk__in=[row.pk for row in same], reading__lt=self._reading)
        seen.update(reading=self._reading, gone_at=None)
        changed = {key: row for key, row in known.items() if row.digest != songs[key].digest}
        for key, row in changed.items():
            self._follow(row, songs[key])
        # A file without tags was not read again and has been deleted here meanwhile.
        new = [song for key, song in songs.items() if key not in known and song.title]
        tracks, created = self._tracks_of(new)
        self._add_files(new, tracks)
        linked = {row.track_id: songs[key] for key, row in changed.items()} | dict(zip(tracks, new, strict=True))
        self._fill({pk: song for pk, song in linked.items() if pk not in created})
        pairs = [*zip(tracks, new, strict=True), *((row.track_id, songs[key]) for key, row in changed.items())]
        _note_codes(pairs)
        _note_artist_mbids(song for _pk, song in pairs)
        if self._server.is_active:
            pks = [*tracks, *(row.track_id for row in known.values())]
            Track.objects.filter(pk__in=pks, has_file=False).update(has_file=True)
        return Counter(unchanged=len(same), changed=len(changed), created=len(created), matched=len(new) - len(created))

    def _tracks_of(self, songs: Sequence[SourceSong]) -> tuple[list[int], set[int]]:
        """Return the id of the catalogue's song for each of ``songs``, and which of them were created for it."""
        matches = match_songs(songs)
        groups = _grouped([number for number, pk in enumerate(matches) if pk is None], songs)
        plan = Plan(created=[_row(songs[group[0]]) for group in groups])
        # Songs known only from histories or Spotify now belong to the operator's catalogue.
        plan.state_by_pk = dict.fromkeys((pk for pk in matches if pk is not None), 0)
        before = len(plan.state_by_pk)
        self._writer.write(plan)
        created = list(plan.state_by_pk)[before:]
        for pk, group in zip(created, groups, strict=True):
            for number in group:
                matches[number] = pk
        keys = Track.objects.filter(pk__in=created).values_list("recording_key", flat=True)
        part_recordings(set(keys))
        return [pk for pk in matches if pk is not None], set(created)

    def _add_files(self, songs: Sequence[SourceSong], tracks: Sequence[int]) -> None:
        rows = [
            ServerSong(server=self._server, remote_id=song.remote_id, track_id=pk, **self._columns(song))
            for song, pk in zip(songs, tracks, strict=True)
        ]
        ServerSong.objects.bulk_create(rows)

    def _columns(self, song: SourceSong) -> dict[str, Any]:
        return {
            "path": song.path,
            "suffix": song.suffix[:10],
            "bit_rate": song.bit_rate,
            "size": song.size,
            "duration_ms": song.duration_ms,
            "gain_db": song.gain_db,
            "cover_id": song.cover_id,
            "release_mbid": song.release_mbid,
            "digest": song.digest,
            "reading": self._reading,
            "gone_at": None,
        }

    def _follow(self, row: ServerSong, song: SourceSong) -> None:
        """Take over what has changed on the server."""
        for name, value in self._columns(song).items():
            setattr(row, name, value)
        row.save(update_fields=_FILE_COLUMNS)
        track = Track.objects.get(pk=row.track_id)
        if track.origin != Track.Origin.SERVER or track.server_songs.exclude(pk=row.pk).exists():
            return
        if (track.title, track.album) != (song.title, song.album):
            track.title, track.album = song.title, song.album
            track.save(update_fields=["title", "album", "updated_at"])
        artists = [Artist.objects.filter(key=artist_key(name)).first() or _new_artist(name) for name in song.artists]
        set_credits(track=track, artists=list(dict.fromkeys(artists)))

    def _fill(self, songs: dict[int, SourceSong]) -> None:
        """Fill missing values of songs; ``songs`` by the catalogue's id."""
        filled = []
        for track in Track.objects.filter(pk__in=songs).prefetch_related("credits__artist"):
            song = songs[track.pk]
            gaps = {name: getattr(song, name) for name in _GAPS if getattr(track, name) in (None, "")}
            gaps = {name: value for name, value in gaps.items() if value not in (None, "")}
            if gaps:
                for name, value in gaps.items():
                    setattr(track, name, value)
                names = [credit.artist.name for credit in sorted(track.credits.all(), key=lambda c: c.position)]
                track.search_text = track_text(track.title, track.album, names).search_text
                track.updated_at = timezone.now()
                filled.append(track)
        Track.objects.bulk_update(filled, [*_GAPS, "search_text", "updated_at"], batch_size=200)
        note_words(track.search_text for track in filled)
        _add_genres({pk: song for pk, song in songs.items() if song.genres})


def note_files(track_ids: Iterable[int] | None = None) -> None:
    """Update ``Track.has_file`` from the files of active servers, for all songs or for those given."""
    present = ServerSong.objects.filter(track=OuterRef("pk"), gone_at=None, server__is_active=True)
    tracks = Track.objects.all() if track_ids is None else Track.objects.filter(pk__in=list(track_ids))
    tracks.filter(Q(has_file=True) & ~Exists(present)).update(has_file=False)
    tracks.filter(Q(has_file=False) & Exists(present)).update(has_file=True)


def _grouped(numbers: Iterable[int], songs: Sequence[SourceSong]) -> list[list[int]]:
    """Return the songs that are new, those that are one song in one group."""
    groups: list[list[int]] = []
    by_key: dict[str, list[int]] = {}
    for number in numbers:
        song = songs[number]
        keys = list(recording_keys(song))
        alike = (index for key in keys for index in by_key.get(key, ()))
        index = next((index for index in alike if is_one(song, _as_candidate(songs[groups[index][0]]))), None)
        if index is None:
            index = len(groups)
            groups.append([])
        groups[index].append(number)
        for key in keys:
            by_key.setdefault(key, []).append(index)
    return groups


def _as_candidate(song: SourceSong) -> Candidate:
    return Candidate(0, song.title, song.album, song.duration_ms, True, Track.Origin.SERVER)


def _row(song: SourceSong) -> SongRow:
    return SongRow(
        line=0,
        spotify_id="",
        title=song.title,
        artists=song.artists,
        album=song.album,
        popularity=None,
        duration_ms=song.duration_ms,
        explicit=song.explicit,
        release_year=song.release_year,
        preview_url="",
        isrc=song.isrcs[0] if song.isrcs else "",
        genres=song.genres,
        features=_NO_FEATURES,
    )


def _new_artist(name: str) -> Artist:
    return Artist.objects.create(name=name)


def _note_codes(pairs: Sequence[tuple[int, SourceSong]]) -> None:
    """Keep ISRCs and MusicBrainz ids: the first with the song, further ones beside it."""
    codes = [(pk, scheme, value) for pk, song in pairs for scheme, value in _codes_of(song)]
    first: dict[int, dict[str, str]] = {}
    for batch in batches({pk for pk, _scheme, _value in codes}):
        for pk, isrc, mbid in Track.objects.filter(pk__in=batch).values_list("pk", "isrc", "mbid"):
            first[pk] = {TrackCode.Scheme.ISRC: isrc, TrackCode.Scheme.MBID: mbid}
    further, changed = [], set()
    for pk, scheme, value in codes:
        if not first[pk][scheme]:
            first[pk][scheme] = value
            changed.add(pk)
        elif first[pk][scheme] != value:
            further.append((pk, scheme.value, value))
    # Written without the model, which would take longer than everything else.
    rows = [(first[pk][TrackCode.Scheme.ISRC], first[pk][TrackCode.Scheme.MBID], pk) for pk in sorted(changed)]
    update(Track, ("isrc", "mbid"), rows)
    insert_new(TrackCode, ("track_id", "scheme", "value"), further)


def _codes_of(song: SourceSong) -> Iterator[tuple[TrackCode.Scheme, str]]:
    for isrc in song.isrcs:
        yield TrackCode.Scheme.ISRC, isrc
    if song.mbid:
        yield TrackCode.Scheme.MBID, song.mbid


def _note_artist_mbids(songs: Iterable[SourceSong]) -> None:
    mbids = {artist_key(name): mbid for song in songs for name, mbid in song.artist_mbids}
    for batch in batches(mbids):
        artists = Artist.objects.filter(key__in=batch, mbid="").order_by().values_list("key", "pk")
        update(Artist, ("mbid",), [(mbids[key], pk) for key, pk in artists])


def _add_genres(songs: dict[int, SourceSong]) -> None:
    """Tag songs that have no genre yet."""
    link = Track.genres.through
    tagged = set(link.objects.filter(track_id__in=songs).values_list("track_id", flat=True))
    left = {pk: song for pk, song in songs.items() if pk not in tagged}
    names = {name for song in left.values() for name in song.genres}
    insert_new(Genre, ("name",), [(name,) for name in sorted(names)])
    genres = dict(Genre.objects.filter(name__in=names).values_list("name", "pk"))
    insert_new(
        link, ("track_id", "genre_id"), [(pk, genres[name]) for pk, song in left.items() for name in song.genres]
    )
