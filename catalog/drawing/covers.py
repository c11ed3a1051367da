"""A song's picture: its cover where one is known, over one drawn from the song itself, the same every time."""

import math
from collections.abc import Sequence
from functools import lru_cache

from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from catalog.models import Track

_SIZE = 64
_POINTS = 17
# Size of the cache of drawings (1 kB each) per worker: consecutive pages share many songs.
_KEPT = 2000


def cover(track: Track) -> SafeString:
    """Return the song's picture for a page; screen readers pass over it.

    The drawn picture is behind the cover and shows until that has loaded, or if it cannot be loaded.
    """
    drawn = mark_safe(cover_svg(track))  # noqa: S308  (numbers only)
    if not (url := shown_cover_url(track)):
        return drawn
    return format_html(
        '<span class="track-cover has-cover">{}'
        '<img src="{}" alt="" loading="lazy" referrerpolicy="no-referrer"></span>',
        drawn,
        url,
    )


def mosaic(tracks: Sequence[Track]) -> SafeString:
    """Return one picture of the first songs' pictures: four of them, or the first alone; empty without songs."""
    shown = tracks[:4] if len(tracks) >= 4 else tracks[:1]
    if not shown:
        return SafeString()
    pictures = format_html_join("", "{}", ((cover(track),) for track in shown))
    return format_html('<span class="mosaic mosaic-{}">{}</span>', len(shown), pictures)


def shown_cover_url(track: Track) -> str:
    """Return the URL of the song's cover, empty if none is known or if pages must not contact Spotify."""
    return str(track.cover_url) if settings.SPOTIFY_PLAYER else ""


def cover_svg(track: Track) -> str:
    """Return an inline SVG of attributes only; colours from ``recording_key``, shapes from the features known.

    More energy makes a higher wave, a faster tempo more of it, a more cheerful song lighter colours. Where features
    are unknown, the key stands in. Only numbers are inserted into the markup.
    """
    features = track.features
    return _drawn(track.recording_key, features.get("energy"), features.get("valence"), features.get("tempo"))


@lru_cache(maxsize=_KEPT)
def _drawn(key: str, energy: float | None, valence: float | None, tempo: float | None) -> str:
    seed = bytes.fromhex(key) if len(key) == 32 else bytes(16)
    energy = seed[3] / 255 if energy is None else energy
    valence = seed[4] / 255 if valence is None else valence
    tempo = 70 + seed[5] / 255 * 110 if tempo is None else tempo
    hue = seed[0] * 360 // 256
    second = (hue + 40 + seed[1] * 100 // 256) % 360
    light = 34 + round(16 * valence)
    disc_x, disc_y, radius = 12 + seed[6] % 40, 12 + seed[7] % 30, 9 + seed[8] % 12
    return (
        f'<svg class="track-cover" viewBox="0 0 {_SIZE} {_SIZE}" aria-hidden="true" focusable="false">'
        f'<rect width="{_SIZE}" height="{_SIZE}" fill="hsl({hue} 55% {light}%)"/>'
        f'<circle cx="{disc_x}" cy="{disc_y}" r="{radius}" fill="hsl({second} 75% {light + 22}%)"/>'
        f'<path d="{_wave(44, 3 + 12 * energy, tempo, seed[9])}" fill="hsl({second} 60% {light - 14}%)"/>'
        f'<path d="{_wave(53, 2 + 7 * energy, tempo * 1.4, seed[10])}" fill="hsl({hue} 60% {light - 20}%)"/>'
        "</svg>"
    )


def _wave(level: float, height: float, tempo: float, phase: int) -> str:
    """Return the path of a filled wave: crest ``height`` around ``level``, a wave for every 50 BPM."""
    step = _SIZE / (_POINTS - 1)
    turns = 2 * math.pi * tempo / 50 / (_POINTS - 1)
    crest = " ".join(
        f"{number * step:.0f} {level - height * math.sin(turns * number + phase):.1f}" for number in range(_POINTS)
    )
    return f"M0 {_SIZE}L{crest} {_SIZE} {_SIZE}Z"
