"""Invents the songs of the demo: artists with a sound of their own, albums, versions, and what was never measured."""

import hashlib
import math
import random
from dataclasses import dataclass, field, replace

from demo_figures import ARTIST_SHARES, CORRELATIONS, GENRES, KEY_SHARES, VARIABLES, GenreFigures
from demo_names import Namer

SONGS_PER_GENRE = 100
# Artists of the first genre may be heard in the second, and the other way round.
KINDRED = (
    *(
        ("ambient", "piano"),
        ("piano", "classical"),
        ("ambient", "trip-hop"),
        ("trip-hop", "hip-hop"),
        ("hip-hop", "r-n-b"),
    ),
    *(("r-n-b", "soul"), ("soul", "funk"), ("funk", "disco"), ("disco", "deep-house"), ("deep-house", "techno")),
    *(("techno", "drum-and-bass"), ("synth-pop", "pop"), ("pop", "indie-pop"), ("indie-pop", "singer-songwriter")),
    *(("singer-songwriter", "folk"), ("folk", "bluegrass"), ("bluegrass", "country"), ("country", "blues")),
    *(("blues", "jazz"), ("jazz", "soul"), ("jazz", "samba"), ("alt-rock", "psych-rock"), ("alt-rock", "punk")),
    *(("punk", "metal"), ("punk", "ska"), ("ska", "reggae"), ("reggae", "afrobeat"), ("afrobeat", "funk")),
    *(("tango", "jazz"), ("synth-pop", "disco"), ("indie-pop", "alt-rock")),
)
# How a version differs from the song, on the scales of `demo_figures.py`.
VERSIONS: dict[str, dict[str, float]] = {
    "Live at {place}": {"liveness": 2.2, "acousticness": 0.3, "loudness": -0.1, "duration_ms": 0.1, "popularity": -0.9},
    "Acoustic": {"acousticness": 3.0, "energy": -1.3, "loudness": -0.25, "instrumentalness": -1.0, "popularity": -0.6},
    "Extended Mix": {"duration_ms": 0.35, "instrumentalness": 0.8, "danceability": 0.1, "popularity": -0.5},
    "{year} Remaster": {"loudness": 0.15, "energy": 0.1, "popularity": -0.4},
}
# Genres that have no use for an acoustic version, and those that make it longer instead.
UNACOUSTIC = frozenset({"ambient", "classical", "piano", "jazz", "bluegrass", "samba", "tango"})
DANCED = frozenset({"techno", "deep-house", "drum-and-bass", "disco", "synth-pop", "trip-hop"})
# The measured table was gathered from well-known songs; most songs of a whole catalogue are heard less.
OBSCURITY = 0.4
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SIZE = len(VARIABLES)


@dataclass(frozen=True)
class Song:
    """One song. ``values`` has the order and the scales of ``demo_figures.VARIABLES``."""

    title: str
    artists: tuple[str, ...]
    album: str
    genres: tuple[str, ...]
    values: tuple[float, ...]
    key: int
    mode: int
    beats: int
    explicit: bool
    has_tempo: bool = True

    @property
    def spotify_id(self) -> str:
        """22 letters and digits in the shape of Spotify's ids, the same whenever the song is the same."""
        digest = hashlib.blake2b("\n".join((self.title, self.album, *self.artists)).encode(), digest_size=16).digest()
        number, digits = int.from_bytes(digest, "big"), []
        for _ in range(18):
            number, digit = divmod(number, len(_DIGITS))
            digits.append(_DIGITS[digit])
        return "demo" + "".join(digits)

    @property
    def popularity(self) -> int:
        """0 to 100."""
        return round(100 * _expit(self.values[VARIABLES.index("popularity")]))

    @property
    def duration_ms(self) -> int:
        """Milliseconds."""
        return round(math.exp(self.values[VARIABLES.index("duration_ms")]))

    @property
    def features(self) -> dict[str, str]:
        """Audio features as the table spells them: 0 or -1 where the value is unknown."""
        value = dict(zip(VARIABLES, self.values, strict=True))
        shares = {name: f"{_expit(value[name]):.3g}" for name in VARIABLES[:7]}
        tempo = f"{math.exp(value['tempo']):.2f}" if self.has_tempo else "0.0"
        return shares | {
            "key": str(self.key),
            "loudness": f"{3 - math.exp(-value['loudness']):.2f}",
            "mode": str(self.mode),
            "tempo": tempo,
            "time_signature": str(self.beats),
        }


@dataclass
class Artist:
    """An artist: ``sound`` is how far the songs lie from their genre's mean, in its standard deviations."""

    name: str
    genre: str
    second_genre: str | None
    sound: tuple[float, ...]
    is_major: float
    albums: list[str] = field(default_factory=list)


def invent_songs(rng: random.Random) -> list[Song]:
    """Return the catalogue, genre after genre; 100 songs a genre on average."""
    namer = Namer(rng)
    # Sizes differ, and add up: -29, -27 ... 29.
    differences = list(range(1 - len(GENRES), len(GENRES), 2))
    rng.shuffle(differences)
    songs: list[Song] = []
    for genre, difference in zip(GENRES, differences, strict=True):
        songs += _songs_of_genre(rng, namer, genre, SONGS_PER_GENRE + difference)
    return _with_gaps(rng, songs)


def _songs_of_genre(rng: random.Random, namer: Namer, genre: str, count: int) -> list[Song]:
    songs: list[Song] = []
    artists: list[Artist] = []
    while len(songs) < count:
        size = min(2 + int(rng.expovariate(1 / 7)), 22, count - len(songs))
        artist = _artist(rng, namer, genre, size)
        for _ in range(size):
            guest = rng.choice(artists).name if artists and rng.random() < 0.08 else None
            songs.append(_song(rng, namer, artist, guest))
            if len(songs) < count and rng.random() < 0.07:
                songs.append(_version(rng, namer, songs[-1]))
        artists.append(artist)
    return songs[:count]


def _artist(rng: random.Random, namer: Namer, genre: str, size: int) -> Artist:
    kindred = [right if left == genre else left for left, right in KINDRED if genre in {left, right}]
    second = rng.choice(kindred) if rng.random() < 0.3 else None
    noise = _correlated(rng)
    sound = tuple(math.sqrt(share) * value for share, value in zip(ARTIST_SHARES, noise, strict=True))
    # Some artists hardly ever write in minor, others hardly ever in major.
    is_major = min(max(rng.gauss(GENRES[genre].major, 0.15), 0.05), 0.95)
    artist = Artist(namer.artist(genre), genre, second, sound, is_major)
    artist.albums = [namer.album(genre) for _ in range(1 + (size > 7) + (size > 15))]
    if rng.random() < 0.2:
        artist.albums[0] = artist.name
    return artist


def _song(rng: random.Random, namer: Namer, artist: Artist, guest: str | None) -> Song:
    figures = GENRES[artist.genre]
    title = namer.title(artist.genre)
    album = title if rng.random() < 0.12 else rng.choice(artist.albums)
    if guest and rng.random() < 0.5:
        title = f"{title} (feat. {guest})"
    is_second = artist.second_genre is not None and rng.random() < 0.3
    mode = int(rng.random() < artist.is_major)
    return Song(
        title=title,
        artists=(artist.name, guest) if guest else (artist.name,),
        album=album,
        genres=(artist.genre, str(artist.second_genre)) if is_second else (artist.genre,),
        values=_values(rng, figures, artist.sound),
        key=rng.choices(range(12), KEY_SHARES[mode])[0],
        mode=mode,
        beats=_beats(rng, figures),
        explicit=rng.random() < figures.explicit,
    )


def _values(rng: random.Random, figures: GenreFigures, sound: tuple[float, ...]) -> tuple[float, ...]:
    own = _correlated(rng)
    values = []
    for position in range(_SIZE):
        deviation = sound[position] + math.sqrt(1 - ARTIST_SHARES[position]) * own[position]
        # The tails of a real table are shorter than a normal distribution's.
        deviation = min(max(deviation, -2.5), 2.5)
        values.append(figures.means[position] + figures.spreads[position] * deviation)
    values[VARIABLES.index("popularity")] -= OBSCURITY
    return _within_bounds(values)


def _within_bounds(values: list[float]) -> tuple[float, ...]:
    bounds = {"tempo": (math.log(55), math.log(210)), "duration_ms": (math.log(45_000), math.log(900_000))}
    bounds |= {"loudness": (-math.log(3 + 38), -math.log(3 + 0.5)), "popularity": (-5.0, 3.0)}
    pairs = ((value, bounds.get(name, (-14.0, 4.6))) for value, name in zip(values, VARIABLES, strict=True))
    return tuple(min(max(value, low), high) for value, (low, high) in pairs)


def _version(rng: random.Random, namer: Namer, song: Song) -> Song:
    kind = rng.choice([kind for kind in VERSIONS if _has_version(song.genres[0], kind)])
    label = kind.format(place=namer.place(), year=rng.randint(2009, 2024))
    shifts = [VERSIONS[kind].get(name, 0.0) + rng.gauss(0.0, 0.05) for name in VARIABLES]
    values = _within_bounds([value + shift for value, shift in zip(song.values, shifts, strict=True)])
    album = f"Live at {namer.place()}" if "Live" in label and rng.random() < 0.3 else song.album
    if label.startswith("Live at") and album.startswith("Live at"):
        label = album
    return replace(song, title=f"{song.title} - {label}", album=album, values=values)


def _has_version(genre: str, kind: str) -> bool:
    if kind == "Acoustic":
        return genre not in UNACOUSTIC | DANCED
    return kind != "Extended Mix" or genre in DANCED


def _with_gaps(rng: random.Random, songs: list[Song]) -> list[Song]:
    """Return ``songs`` with a few values that were "never measured", as every real table has them."""
    silent = set(rng.sample(range(len(songs)), 9))
    keyless = set(rng.sample(range(len(songs)), 7))
    return [
        replace(
            song,
            has_tempo=index not in silent,
            beats=0 if index in silent else song.beats,
            key=-1 if index in keyless else song.key,
        )
        for index, song in enumerate(songs)
    ]


def _beats(rng: random.Random, figures: GenreFigures) -> int:
    return rng.choices((3, 5, 4), (figures.three_four, figures.five_four, 1 - figures.three_four - figures.five_four))[
        0
    ]


def _expit(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def _cholesky(matrix: tuple[tuple[float, ...], ...]) -> list[list[float]]:
    """Return the lower triangle L with L L' = ``matrix``, in plain Python: the same digits on every machine."""
    lower = [[0.0] * len(matrix) for _ in matrix]
    for row in range(len(matrix)):
        for column in range(row + 1):
            rest = matrix[row][column] - sum(lower[row][k] * lower[column][k] for k in range(column))
            lower[row][column] = math.sqrt(rest) if row == column else rest / lower[column][column]
    return lower


_LOWER = _cholesky(CORRELATIONS)


def _correlated(rng: random.Random) -> tuple[float, ...]:
    """Return one draw of a normal vector with the measured correlations and variance 1."""
    plain = [rng.gauss(0.0, 1.0) for _ in range(_SIZE)]
    return tuple(sum(row[k] * plain[k] for k in range(_SIZE)) for row in _LOWER)
