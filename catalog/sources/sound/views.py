"""Recordings and covers, only for listeners."""

import logging

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from catalog.models import Track
from catalog.sources.sound.pieces import SoundError
from catalog.sources.sound.responses import cover_response, recording_response

logger = logging.getLogger(__name__)


@require_safe
@login_required
def song_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a piece of the recording of a song."""
    track = get_object_or_404(Track.objects.active(), pk=pk)
    try:
        return recording_response(request, track)
    except SoundError as error:
        logger.warning("song %s can't be played: %s", pk, error)
        return HttpResponse("The recording isn't available now.", status=502, content_type="text/plain")


@require_safe
@login_required
def song_cover(request: HttpRequest, pk: int) -> HttpResponse:  # noqa: ARG001
    """Send the cover that a music server has of a song."""
    return cover_response(get_object_or_404(Track.objects.active(), pk=pk))
