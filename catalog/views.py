"""Pages of the catalogue."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET
from django_htmx.middleware import HtmxDetails

from catalog import selectors
from catalog.charts import feature_chart
from catalog.forms import BrowseForm
from catalog.models import Artist, Genre, Track
from catalog.search import MAX_QUERY_LENGTH, SearchResults, search

_TOP_SONGS = 10
_FOUND_SONGS = 20
_TOP_ARTISTS = 12
_ARTISTS_FROM_SONGS = 300


@require_GET
def browse(request: HttpRequest) -> HttpResponse:
    """Show all songs, in pages, by genre and in one of several orders."""
    genre, sort = BrowseForm(request.GET).choices_made()
    page = selectors.browse(genre=genre, sort=sort).get_page(request.GET.get("page"))
    context = {
        "genre": genre,
        "sort": sort,
        "page": page,
        "tracks": selectors.tracks_in_order(page.object_list),
        **_empty_catalogue(request, is_empty=not page.paginator.count and genre is None),
    }
    if not _is_fragment(request):
        # Written out by the template: a form's select renders a template for each of hundreds of options.
        context |= {"genre_choices": selectors.genre_choices(), "sort_choices": selectors.SORTS.items()}
    return _page_or_fragment(request, "catalog/browse.html", "catalog/_browse_results.html", context)


@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """Show the songs, artists and genres that match a query."""
    query = request.GET.get("q", "").replace("\x00", "")[:MAX_QUERY_LENGTH].strip()
    results: SearchResults = search(query)
    page = Paginator(results.track_ids, _FOUND_SONGS).get_page(request.GET.get("page"))
    context = {
        "query": query,
        "results": results,
        "page": page,
        "tracks": selectors.tracks_in_order(page.object_list),
        **_empty_catalogue(request, is_empty=results.is_empty and selectors.is_catalogue_empty()),
    }
    return _page_or_fragment(request, "catalog/search.html", "catalog/_search_results.html", context)


@require_GET
def track(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one song."""
    song = get_object_or_404(Track.objects.active().for_list(), pk=pk)
    chart = feature_chart(song.features, selectors.typical_features() if song.features else {})
    context = {
        "track": song,
        "song_list": [song],
        "versions": selectors.versions_of(song),
        "chart": chart,
        "is_guess": song.features_origin in (Track.FeaturesOrigin.ESTIMATED, Track.FeaturesOrigin.DEMO),
    }
    return render(request, "catalog/track.html", context)


@require_GET
def artist(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one artist's songs, the versions of a song as one. An artist without shown songs is not found."""
    shown = get_object_or_404(Artist, pk=pk)
    paginator = selectors.songs_of_artist(shown)
    if not paginator.count:
        raise Http404("no shown songs")
    page = paginator.get_page(request.GET.get("page"))
    songs = selectors.folded_songs(page.object_list)
    context = {
        "artist": shown,
        "genres": selectors.genres_of_artist(shown)[:8],
        "page": page,
        "tracks": [song.track for song in songs],
        "songs": songs,
    }
    return render(request, "catalog/artist.html", context)


@require_GET
def genres(request: HttpRequest) -> HttpResponse:
    """Show all genres."""
    tiles = selectors.genre_tiles()
    context = {"tiles": tiles, **_empty_catalogue(request, is_empty=not tiles and selectors.is_catalogue_empty())}
    return render(request, "catalog/genres.html", context)


@require_GET
def genre(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one genre's best-known songs and artists."""
    shown = get_object_or_404(Genre, pk=pk)
    ids = selectors.browse(genre=shown, sort=selectors.DEFAULT_SORT)
    best = list(ids.object_list[:_ARTISTS_FROM_SONGS])
    context = {
        "genre": shown,
        "count": ids.count,
        "tracks": selectors.tracks_in_order(best[:_TOP_SONGS]),
        "artists": selectors.artists_of(best, _TOP_ARTISTS),
    }
    return render(request, "catalog/genre.html", context)


def _empty_catalogue(request: HttpRequest, *, is_empty: bool) -> dict[str, Any]:
    """Return what the page says to whom while there are no songs."""
    can_import = is_empty and request.user.has_perm("catalog.add_track")
    return {
        "is_catalogue_empty": is_empty,
        "import_url": reverse("admin:catalog_track_import") if can_import and request.user.is_staff else "",
    }


def _is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for the part that it replaces; going back in history it asks for whole pages."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def _page_or_fragment(request: HttpRequest, page: str, fragment: str, context: dict[str, Any]) -> HttpResponse:
    """Render the whole page, or for htmx the part that it replaces; caches keep the two apart."""
    response = render(request, fragment if _is_fragment(request) else page, context)
    patch_vary_headers(response, ["HX-Request", "HX-Boosted", "HX-History-Restore-Request"])
    return response
