"""The sketch of a song as an HTTP response, for pages and the API."""

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

from catalog.models import Track
from catalog.synth.plan import digest
from catalog.synth.ranges import ranged_response
from catalog.synth.store import sketch_wav

_SECONDS = 24 * 3600


def sketch_response(request: HttpRequest, track: Track) -> HttpResponse:
    """Return the song's sketch, or the part of it that is asked for."""
    response = ranged_response(request, sketch_wav(track), content_type="audio/wav", etag=digest(track))
    patch_cache_control(response, private=True, max_age=_SECONDS)
    return response
