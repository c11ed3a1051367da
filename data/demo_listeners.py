"""Invents the demo's listeners: four hidden tastes, three listeners each, and what they liked, disliked and played."""

import json
import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from demo_figures import VARIABLES
from demo_songs import Song

# The latest click. `load_demo` moves all dates so that it falls on the day of loading.
END = datetime(2026, 6, 30, 20, 0, tzinfo=UTC)
DAYS = 120
Json = dict[str, Any]


@dataclass(frozen=True)
class Taste:
    """What three listeners share: ``genres`` with how much each counts, and an audio ``direction`` (per deviation)."""

    genres: dict[str, float]
    direction: dict[str, float]


@dataclass(frozen=True)
class Listener:
    """One listener; ``whim`` is a genre of their own outside the shared taste."""

    username: str
    taste: Taste
    whim: str
    region: str
    adventure: float

    @property
    def email(self) -> str:
        """An address that can't exist: example.org is reserved (RFC 2606)."""
        return f"{self.username.replace('_', '.')}@example.org"


@dataclass(frozen=True)
class Click:
    """A rating (``value`` 1 or -1) or, with ``outcome``, a play."""

    song: Song
    at: datetime
    value: int = 0
    outcome: str = ""
    ms_played: int | None = None


_PORCH = Taste({"folk": 1.0, "singer-songwriter": 0.8, "indie-pop": 0.7}, {"acousticness": 0.6, "energy": -0.4})
_NIGHT = Taste({"trip-hop": 1.0, "ambient": 0.8, "techno": 0.6}, {"instrumentalness": 0.6, "valence": -0.4})
_FLOOR = Taste({"disco": 1.0, "funk": 0.9, "afrobeat": 0.7}, {"danceability": 0.7, "valence": 0.4})
_NOISE = Taste({"punk": 1.0, "alt-rock": 0.9, "metal": 0.6}, {"energy": 0.7, "acousticness": -0.3})
LISTENERS = (
    Listener("listener", _PORCH, "jazz", "GB", 0.3),
    Listener("demo_hazel", _PORCH, "bluegrass", "IE", 0.2),
    Listener("demo_ansel", _PORCH, "piano", "GB", 0.5),
    Listener("demo_liv", _NIGHT, "classical", "NO", 0.6),
    Listener("demo_kazi", _NIGHT, "drum-and-bass", "DE", 0.4),
    Listener("demo_anouk", _NIGHT, "jazz", "DE", 0.8),
    Listener("demo_tunji", _FLOOR, "reggae", "NG", 0.3),
    Listener("demo_janaina", _FLOOR, "samba", "BR", 0.5),
    Listener("demo_percy", _FLOOR, "soul", "GB", 0.1),
    Listener("demo_rufus", _NOISE, "ska", "US", 0.2),
    Listener("demo_saga", _NOISE, "synth-pop", "NO", 0.4),
    Listener("demo_malena", _NOISE, "tango", "BR", 0.7),
)


def invent_listeners(rng: random.Random, songs: list[Song]) -> list[tuple[Listener, list[Click]]]:
    """Return each listener with their clicks, oldest first."""
    deviations = _deviations(songs)
    shared = {id(taste): _favourites(rng, songs, taste.genres, 6) for taste in (_PORCH, _NIGHT, _FLOOR, _NOISE)}
    result = []
    for listener in LISTENERS:
        artists = set(rng.sample(shared[id(listener.taste)], 4)) | set(_favourites(rng, songs, {listener.whim: 1.0}, 1))
        liking = _liking(rng, listener, artists, songs, deviations)
        result.append((listener, sorted(_clicks(rng, songs, liking), key=lambda click: click.at)))
    return result


def _deviations(songs: list[Song]) -> list[dict[str, float]]:
    """Return per song and variable how many standard deviations it lies from the catalogue's mean."""
    columns = list(zip(*(song.values for song in songs), strict=True))
    means = [math.fsum(column) / len(songs) for column in columns]
    spreads = [
        math.sqrt(math.fsum((value - mean) ** 2 for value in column) / len(songs))
        for column, mean in zip(columns, means, strict=True)
    ]
    scale = list(zip(VARIABLES, means, spreads, strict=True))
    return [
        {name: (value - mean) / spread for value, (name, mean, spread) in zip(song.values, scale, strict=True)}
        for song in songs
    ]


def _favourites(rng: random.Random, songs: list[Song], genres: dict[str, float], count: int) -> list[str]:
    """Return ``count`` artists of ``genres`` with five songs or more."""
    counts: dict[str, int] = {}
    for song in songs:
        if song.genres[0] in genres:
            counts[song.artists[0]] = counts.get(song.artists[0], 0) + 1
    return rng.sample([name for name, songs_of in counts.items() if songs_of >= 5], count)


def _liking(
    rng: random.Random, listener: Listener, artists: set[str], songs: list[Song], deviations: list[dict[str, float]]
) -> list[float]:
    """Return how much ``listener`` would like each song; about 1.5 parts likes from dislikes."""
    weights = {genre: weight * rng.uniform(0.75, 1.25) for genre, weight in listener.taste.genres.items()}
    weights[listener.whim] = 0.6
    direction = {name: weight * rng.uniform(0.6, 1.4) for name, weight in listener.taste.direction.items()}
    result = []
    for song, deviation in zip(songs, deviations, strict=True):
        genre = max(weights.get(name, 0.0) for name in song.genres)
        artist = 1.0 if artists.intersection(song.artists) else 0.0
        audio = sum(weight * deviation[name] for name, weight in direction.items())
        result.append(2.2 * genre + 1.6 * artist + 0.8 * audio + rng.gauss(0.0, 0.5))
    return result


def _clicks(rng: random.Random, songs: list[Song], liking: list[float]) -> list[Click]:
    """Return what a listener did: most songs met because they fit, a quarter because they are popular."""
    count = rng.randint(30, 60)
    fame = [3.0 * song.popularity / 100 for song in songs]
    by_taste = sorted(range(len(songs)), key=lambda index: -(1.6 * liking[index] + fame[index] + _gumbel(rng)))
    by_fame = sorted(range(len(songs)), key=lambda index: -(2 * fame[index] + _gumbel(rng)))
    chosen = by_taste[: round(0.75 * count)]
    met = list(dict.fromkeys([*chosen, *by_fame[: count - len(chosen)]]))
    clicks: list[Click] = []
    for index in met:
        value = 1 if liking[index] + rng.gauss(0.0, 0.4) > 1.5 else -1
        clicks += _rated(rng, songs[index], value)
    only_played = [index for index in by_taste if index not in met][:12]
    return clicks + [_play(rng, songs[index], _moment(rng), "completed") for index in only_played]


def _rated(rng: random.Random, song: Song, value: int) -> list[Click]:
    at = _moment(rng)
    clicks = [Click(song, at, value)]
    if value == 1 and rng.random() < 0.6:
        plays = [at - timedelta(minutes=3)] + [_moment(rng, after=at) for _ in range(rng.choice((0, 0, 1, 1, 2, 3)))]
        clicks += [_play(rng, song, moment, "completed") for moment in plays]
    elif value == -1 and rng.random() < 0.6:
        clicks.append(_play(rng, song, at - timedelta(minutes=1), "skipped"))
    return clicks


def _play(rng: random.Random, song: Song, at: datetime, outcome: str) -> Click:
    skipped = rng.randrange(4_000, 29_000)
    return Click(song, at, outcome=outcome, ms_played=skipped if outcome == "skipped" else song.duration_ms)


def _moment(rng: random.Random, *, after: datetime | None = None) -> datetime:
    start = max(after or END, END - timedelta(days=DAYS)) if after else END - timedelta(days=DAYS)
    return start + timedelta(seconds=round(rng.random() * (END - start).total_seconds()))


def _gumbel(rng: random.Random) -> float:
    """Return a draw by which sorting equals sampling without replacement (Gumbel-top-k, Vieira 2014)."""
    return -math.log(-math.log(rng.uniform(1e-12, 1 - 1e-12)))


def write_fixture(path: Path, listeners: list[tuple[Listener, list[Click]]]) -> None:
    """Write users, preferences, ratings and plays as a Django fixture, one object a line, without database ids."""
    objects: list[Json] = [_user(listener) for listener, _clicks in listeners]
    for listener, clicks in listeners:
        objects += [_preference(listener, genre) for genre in (*listener.taste.genres, listener.whim)]
        objects += [_click(listener, click) for click in clicks]
    lines = ",\n".join(json.dumps(item, ensure_ascii=False) for item in objects)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8", newline="\n")


def _user(listener: Listener) -> Json:
    fields = {
        "username": listener.username,
        "email": listener.email,
        # No password fits this: nobody can log in until one is set.
        "password": "!",
        "region": listener.region,
        "adventure": listener.adventure,
        "created_at": _stamp(END - timedelta(days=DAYS + 1)),
    }
    return {"model": "accounts.user", "fields": fields}


def _preference(listener: Listener, genre: str) -> Json:
    at = _stamp(END - timedelta(days=DAYS + 1))
    fields = {"user": [listener.username], "genre": [genre], "created_at": at}
    return {"model": "feedback.genrepreference", "fields": fields}


def _click(listener: Listener, click: Click) -> Json:
    fields: Json = {"user": [listener.username], "track": [click.song.spotify_id]}
    if click.value:
        fields |= {"value": click.value, "created_at": _stamp(click.at), "updated_at": _stamp(click.at)}
        return {"model": "feedback.rating", "fields": fields}
    fields |= {"played_at": _stamp(click.at), "outcome": click.outcome, "ms_played": click.ms_played}
    return {"model": "feedback.play", "fields": fields}


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
