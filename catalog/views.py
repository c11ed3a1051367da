"""Pages of the catalogue."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from django_htmx.middleware import HtmxDetails

from accounts.limits.limiter import limited
from accounts.spotify.selectors import is_connected
from catalog import selectors
from catalog.drawing.charts import feature_chart
from catalog.forms import BrowseForm
from catalog.identity.text import TITLE_LENGTH
from catalog.models import Artist, Genre, Track
from catalog.search.filters import MOODS, SLIDERS, SongFilter
from catalog.search.selectors import MAX_QUERY_LENGTH, SearchResults, search
from catalog.synth.responses import sketch_response

_TOP_SONGS = 10
_FOUND_SONGS = 20
_TOP_ARTISTS = 12
_SUGGESTED = 3
_SUGGESTED_SONGS = 6
_ARTISTS_FROM_SONGS = 300
_ALBUMS = 12


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    """Show all songs, in pages, by genre and in one of several orders."""
    wanted, sort = BrowseForm(request.GET).choices_made()
    page = selectors.browse(wanted=wanted, sort=sort).get_page(request.GET.get("page"))
    is_all = wanted.genre is None and not wanted.is_narrowed
    context = {
        "genre": wanted.genre,
        "wanted": wanted,
        "sort": sort,
        "page": page,
        "tracks": selectors.tracks_in_order(page.object_list),
        **_empty_catalogue(request, is_empty=not page.paginator.count and is_all),
    }
    if not _is_fragment(request):
        # Written out by the template: a form's select renders a template for each of hundreds of options.
        context |= {
            "genre_choices": selectors.genre_choices(),
            "sort_choices": selectors.SORTS.items(),
            "sliders": [
                (slider, *wanted.ranges.get(name, (slider.low, slider.high))) for name, slider in SLIDERS.items()
            ],
            "moods": MOODS,
            "years": selectors.known_years(),
        }
    return _page_or_fragment(request, "catalog/browse.html", "catalog/_browse_results.html", context)


@require_safe
@limited("search")
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
        "asks_spotify": bool(query) and is_connected(request.user),
        **_empty_catalogue(request, is_empty=results.is_empty and selectors.is_catalogue_empty()),
    }
    return _page_or_fragment(request, "catalog/search.html", "catalog/_search_results.html", context)


@require_safe
def suggest(request: HttpRequest) -> HttpResponse:
    """Show the best few songs, artists and genres for what is being typed."""
    query = request.GET.get("q", "").replace("\x00", "")[:MAX_QUERY_LENGTH].strip()
    results = search(query)
    context = {
        "query": query,
        "results": results,
        "artists": results.artists[:_SUGGESTED],
        "genres": results.genres[:_SUGGESTED],
        "songs": selectors.titles_in_order(results.track_ids[:_SUGGESTED_SONGS]),
    }
    return render(request, "catalog/_suggestions.html", context)


@require_safe
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


@require_safe
@login_required
def sketch(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the sketch made from a song's features, or the part of it that is asked for.

    Only for listeners, because rendering takes time that strangers could waste.
    """
    return sketch_response(request, get_object_or_404(Track.objects.active(), pk=pk))


@require_safe
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
        "albums": selectors.albums_of_artist(shown, _ALBUMS) if page.number == 1 else [],
    }
    return render(request, "catalog/artist.html", context)


@require_safe
def album(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what the catalogue has of one of an artist's albums (``name``)."""
    owner = get_object_or_404(Artist, pk=pk)
    name = request.GET.get("name", "").replace("\x00", "")[:TITLE_LENGTH]
    songs = selectors.songs_of_album(owner, name) if name else []
    if not songs:
        raise Http404("no shown songs")
    years = sorted({song.release_year for song in songs if song.release_year})
    length_ms = sum(song.duration_ms or 0 for song in songs)
    context = {"artist": owner, "album": name, "tracks": songs, "years": years, "length_ms": length_ms}
    return render(request, "catalog/album.html", context)


@require_safe
def genres(request: HttpRequest) -> HttpResponse:
    """Show all genres."""
    tiles = selectors.genre_tiles()
    context = {"tiles": tiles, **_empty_catalogue(request, is_empty=not tiles and selectors.is_catalogue_empty())}
    return render(request, "catalog/genres.html", context)


@require_safe
def genre(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one genre's best-known songs and artists."""
    shown = get_object_or_404(Genre, pk=pk)
    ids = selectors.browse(wanted=SongFilter(shown), sort=selectors.DEFAULT_SORT)
    best = list(ids.object_list[:_ARTISTS_FROM_SONGS])
    context = {
        "genre": shown,
        "count": ids.count,
        "tracks": selectors.tracks_in_order(best[:_TOP_SONGS]),
        "artists": selectors.artists_of(best, _TOP_ARTISTS),
    }
    return render(request, "catalog/genre.html", context)


def _empty_catalogue(request: HttpRequest, *, is_empty: bool) -> dict[str, Any]:
    """Return the text of an empty catalogue, for operators and for others."""
    can_import = is_empty and request.user.has_perm("catalog.add_track")
    return {
        "is_catalogue_empty": is_empty,
        "import_url": reverse("admin:catalog_track_import") if can_import and request.user.is_staff else "",
    }


def _is_fragment(request: HttpRequest) -> bool:
    """Whether htmx requests the part that it replaces; on history navigation it requests whole pages."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def _page_or_fragment(request: HttpRequest, page: str, fragment: str, context: dict[str, Any]) -> HttpResponse:
    """Render the whole page, or for htmx the part that it replaces; caches keep the two apart."""
    response = render(request, fragment if _is_fragment(request) else page, context)
    patch_vary_headers(response, ["HX-Request", "HX-Boosted", "HX-History-Restore-Request"])
    return response
