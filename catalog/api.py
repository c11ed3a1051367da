"""Calls about the catalogue: for everybody, as its pages are."""

from typing import Any

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.http import conditional_page
from ninja import Query, Router
from ninja.decorators import decorate_view

from accounts.apikit.auth import ANYBODY, limits
from accounts.apikit.paging import PageQuery, ranked_page
from accounts.apikit.problems import answers
from catalog import selectors
from catalog.forms import BrowseForm
from catalog.models import Artist, Genre, Track
from catalog.schemas import (
    ArtistOut,
    BrowseQuery,
    GenreTileOut,
    RowId,
    SearchPage,
    SearchQuery,
    SongOut,
    SongPage,
)
from catalog.search import search

router = Router(tags=["catalogue"])
_ARTIST_GENRES = 8
_NO_CHANGE = {304: None}


@router.get("/songs", auth=ANYBODY, response=answers(SongPage, 401, 404, is_public=True))
def songs(request: HttpRequest, page: Query[PageQuery], query: Query[BrowseQuery]) -> Any:
    """All songs, in pages; narrowed to a genre, years, and how they sound."""
    if query.genre:
        get_object_or_404(Genre, pk=query.genre)
    chosen = query.dict(exclude_none=True)
    wanted, sort = BrowseForm(chosen).choices_made()
    ids = selectors.browse(wanted=wanted, sort=sort).object_list
    found, more = ranked_page(ids, name=f"songs:{sorted(chosen.items())}", page=page)
    return {"items": selectors.tracks_in_order(found), "next": more}


@router.get(
    "/songs/search",
    auth=ANYBODY,
    throttle=limits("api", "search"),
    response=answers(SearchPage, 401, is_public=True),
)
def find(request: HttpRequest, page: Query[PageQuery], query: Query[SearchQuery]) -> Any:
    """Songs, artists and genres that match, best first."""
    results = search(query.q)
    found, more = ranked_page(results.track_ids, name=f"search:{query.q}", page=page)
    is_first = not page.cursor
    return {
        "items": selectors.tracks_in_order(found),
        "next": more,
        "artists": results.artists if is_first else [],
        "genres": results.genres if is_first else [],
        "is_partial": results.is_partial,
    }


@router.get("/songs/{song_id}", auth=ANYBODY, response=answers(SongOut, 401, 404, is_public=True) | _NO_CHANGE)
@decorate_view(conditional_page)
def song(request: HttpRequest, song_id: RowId) -> Any:
    """One song. Send its ETag as If-None-Match to be told (304) that nothing changed."""
    found = get_object_or_404(Track.objects.active().for_list(), pk=song_id)
    found.versions = selectors.versions_of(found)  # type: ignore[attr-defined]
    return found


@router.get("/artists/{artist_id}", auth=ANYBODY, response=answers(ArtistOut, 401, 404, is_public=True) | _NO_CHANGE)
@decorate_view(conditional_page)
def artist(request: HttpRequest, artist_id: RowId) -> Any:
    """One artist with their most popular songs."""
    found = get_object_or_404(Artist, pk=artist_id)
    paginator = selectors.songs_of_artist(found)
    if not paginator.count:
        raise Http404("no shown songs")
    folded = selectors.folded_songs(paginator.get_page(1).object_list)
    genres = list(selectors.genres_of_artist(found)[:_ARTIST_GENRES])
    return {"id": found.pk, "name": found.name, "genres": genres, "songs": [item.track for item in folded]}


@router.get("/genres", auth=ANYBODY, response=answers(list[GenreTileOut], 401, is_public=True) | _NO_CHANGE)
@decorate_view(conditional_page)
def genres(request: HttpRequest) -> Any:
    """All genres that have songs, by name. The songs of one: `/api/songs?genre=`."""
    tiles = selectors.genre_tiles()
    return [
        {"id": tile.genre.pk, "name": tile.genre.name, "count": tile.count, "artists": list(tile.artists)}
        for tile in tiles
    ]
