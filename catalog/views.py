"""Pages of the catalogue."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import require_safe
from django_htmx.middleware import HtmxDetails

from accounts.limits import limited
from accounts.spotify.selectors import is_connected
from catalog import selectors
from catalog.charts import feature_chart
from catalog.filters import MOODS, SLIDERS, SongFilter
from catalog.forms import BrowseForm
from catalog.models import Artist, Genre, Track
from catalog.ranges import ranged_response
from catalog.search import MAX_QUERY_LENGTH, SearchResults, search
from catalog.sketches.plan import digest
from catalog.sketches.store import sketch_wav

_TOP_SONGS = 10
_FOUND_SONGS = 20
_TOP_ARTISTS = 12
_SUGGESTED = 3
_SUGGESTED_SONGS = 6
_ARTISTS_FROM_SONGS = 300
_SKETCH_SECONDS = 24 * 3600


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

    To listeners alone: rendering costs time, which strangers could make the site waste.
    """
    song = get_object_or_404(Track.objects.active(), pk=pk)
    answer = ranged_response(request, sketch_wav(song), content_type="audio/wav", etag=digest(song))
    patch_cache_control(answer, private=True, max_age=_SKETCH_SECONDS)
    return answer


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
    }
    return render(request, "catalog/artist.html", context)


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
