"""Calls about the catalogue: for everybody, as its pages are."""

from typing import Any

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.http import conditional_page
from ninja import Query, Router
from ninja.decorators import decorate_view

from accounts.apikit.auth import ANYBODY, LISTENER, limits
from accounts.apikit.paging import PageQuery, ranked_page
from accounts.apikit.problems import file_response, responses
from catalog import selectors
from catalog.forms import BrowseForm
from catalog.models import Artist, Genre, Track
from catalog.schemas import (
    ArtistOut,
    BrowseQuery,
    GenrePage,
    LookupOut,
    LookupQuery,
    RowId,
    SearchPage,
    SearchQuery,
    SongOut,
    SongPage,
)
from catalog.search.selectors import search
from catalog.sources.sound.pieces import SoundError
from catalog.sources.sound.responses import cover_response, recording_response
from catalog.synth.responses import sketch_response

router = Router(tags=["songs"])
_ARTIST_GENRES = 8
_NO_CHANGE = {304: None}


@router.get("/songs", summary="List songs", auth=ANYBODY, response=responses(SongPage, 401, 404, is_public=True))
def songs(request: HttpRequest, page: Query[PageQuery], query: Query[BrowseQuery]) -> Any:
    """All songs, one page at a time. Filter by genre, year and sound."""
    if query.genre:
        get_object_or_404(Genre, pk=query.genre)
    chosen = query.dict(exclude_none=True)
    wanted, sort = BrowseForm(chosen).choices_made()
    ids = selectors.browse(wanted=wanted, sort=sort).object_list
    track_ids, more = ranked_page(ids, name=f"songs:{sorted(chosen.items())}", page=page)
    return {"items": selectors.tracks_in_order(track_ids), "next": more}


@router.get(
    "/songs/search",
    summary="Search songs",
    auth=ANYBODY,
    throttle=limits("api", "search"),
    response=responses(SearchPage, 401, is_public=True),
)
def find(request: HttpRequest, page: Query[PageQuery], query: Query[SearchQuery]) -> Any:
    """Matching songs, artists and genres, best matches first."""
    results = search(query.q)
    track_ids, more = ranked_page(results.track_ids, name=f"search:{query.q}", page=page)
    is_first = not page.cursor
    return {
        "items": selectors.tracks_in_order(track_ids),
        "next": more,
        "artists": results.artists if is_first else [],
        "genres": results.genres if is_first else [],
        "is_partial": results.is_partial,
        "corrected": results.corrected,
    }


@router.get("/songs/lookup", summary="Look up songs", auth=ANYBODY, response=responses(LookupOut, 401, is_public=True))
def lookup(request: HttpRequest, query: Query[LookupQuery]) -> Any:
    """Songs by ID, by their IDs on Spotify or MusicBrainz, or by ISRC.

    Repeat a parameter for several: `?id=12&id=15`.
    """
    isrcs, mbids = [isrc.upper() for isrc in query.isrc], [mbid.lower() for mbid in query.mbid]
    tracks = selectors.tracks_in_order(dict.fromkeys(query.id))
    coded = selectors.tracks_by_code(spotify_ids=query.spotify_id, isrcs=isrcs, mbids=mbids)
    on_spotify = {track.spotify_id for track in coded}
    recorded = {code for track in coded for code in selectors.codes_of(track)}
    return {
        "items": list({track.pk: track for track in [*tracks, *coded]}.values()),
        "unknown_ids": selectors.unknown_ids(query.id, tracks),
        "unknown_spotify_ids": [code for code in dict.fromkeys(query.spotify_id) if code not in on_spotify],
        "unknown_isrcs": [code for code in dict.fromkeys(isrcs) if code not in recorded],
        "unknown_mbids": [code for code in dict.fromkeys(mbids) if code not in recorded],
    }


@router.get(
    "/songs/{song_id}/sketch.wav",
    summary="Get a sketch of a song",
    auth=LISTENER,
    throttle=limits("api", "search"),
    response=responses(bytes, 404),
    openapi_extra=file_response("audio/wav"),
    url_name="song_sketch",
)
def sketch(request: HttpRequest, song_id: RowId) -> Any:
    """A short piece of music generated from the song's features. Not the recording. Understands `Range`."""
    return sketch_response(request, get_object_or_404(Track.objects.active(), pk=song_id))


@router.get(
    "/songs/{song_id}/file",
    summary="Get a piece of a song's recording",
    auth=LISTENER,
    response=responses(bytes, 404),
    openapi_extra=file_response("audio/mpeg"),
    url_name="song_file",
)
def song_file(request: HttpRequest, song_id: RowId) -> Any:
    """Up to 256 KiB of the recording on a music server, as `Range` asks for. `?format=mp3` asks for an MP3."""
    track = get_object_or_404(Track.objects.active(), pk=song_id)
    try:
        return recording_response(request, track)
    except SoundError as error:
        raise Http404("the recording isn't available now") from error


@router.get(
    "/songs/{song_id}/cover",
    summary="Get a song's cover",
    auth=LISTENER,
    throttle=limits("api", "search"),
    response=responses(bytes, 404),
    openapi_extra=file_response("image/jpeg"),
    url_name="song_cover",
)
def song_cover(request: HttpRequest, song_id: RowId) -> Any:
    """The cover that a music server has of a song."""
    return cover_response(get_object_or_404(Track.objects.active(), pk=song_id))


@router.get(
    "/songs/{song_id}",
    summary="Get a song",
    auth=ANYBODY,
    response=responses(SongOut, 401, 404, is_public=True) | _NO_CHANGE,
)
@decorate_view(conditional_page)
def song(request: HttpRequest, song_id: RowId) -> Any:
    """One song. Send its ETag as If-None-Match to get a 304 if nothing has changed."""
    track = get_object_or_404(Track.objects.active().for_list(), pk=song_id)
    track.versions = selectors.versions_of(track)  # type: ignore[attr-defined]
    return track


@router.get(
    "/artists/{artist_id}",
    summary="Get an artist",
    auth=ANYBODY,
    response=responses(ArtistOut, 401, 404, is_public=True) | _NO_CHANGE,
)
@decorate_view(conditional_page)
def artist(request: HttpRequest, artist_id: RowId) -> Any:
    """One artist with their most popular songs."""
    shown = get_object_or_404(Artist, pk=artist_id)
    paginator = selectors.songs_of_artist(shown)
    if not paginator.count:
        raise Http404("no shown songs")
    folded = selectors.folded_songs(paginator.get_page(1).object_list)
    genres = list(selectors.genres_of_artist(shown)[:_ARTIST_GENRES])
    return {"id": shown.pk, "name": shown.name, "genres": genres, "songs": [item.track for item in folded]}


@router.get(
    "/genres",
    summary="List genres",
    auth=ANYBODY,
    response=responses(GenrePage, 401, is_public=True) | _NO_CHANGE,
)
@decorate_view(conditional_page)
def genres(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """All genres that have songs, by name. For the songs of a genre use `/api/songs?genre=`."""
    tiles = {tile.genre.pk: tile for tile in selectors.genre_tiles()}
    ids, more = ranked_page(list(tiles), name="genres", page=page)
    items = [
        {"id": tile.genre.pk, "name": tile.genre.name, "count": tile.count, "artists": list(tile.artists)}
        for tile in map(tiles.__getitem__, ids)
    ]
    return {"items": items, "next": more}
