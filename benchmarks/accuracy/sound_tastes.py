"""How well a taste for sound is told from likes and dislikes of songs drawn at random: the `audio` term beside peers.

The songs and their features are real (SPOTIFY_REC_SHARED_DATA names the folder, by default ../shared/data), the tastes
are invented: the demo's hidden ones, and such as no straight line describes. One answer in twenty is a slip. What is
measured is the AUC over 3,000 other songs: how often a song that is liked comes before one that is not. The tastes come
in two halves: settings may be chosen on one only, and the other is what counts.
"""

import argparse
import csv
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from recommender.engine import (
    Catalogue,
    EngineConfig,
    Feedback,
    FeedbackKind,
    Interactions,
    ListenerProfile,
    no_progress,
)
from recommender.engine.terms.audio import AudioTerm, MeanCosineTerm, dimensions, scale_features

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SPOTIFY_REC_SHARED_DATA", ROOT.parent / "shared" / "data"))
COLUMNS = (
    *("danceability", "energy", "key", "loudness", "mode", "speechiness", "acousticness", "instrumentalness"),
    *("liveness", "valence", "tempo", "time_signature"),
)
ANSWERS = (30, 100, 300)
JUDGED, SLIPS = 3_000, 0.05
DRAWS = 1_000
Values: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Rows: TypeAlias = NDArray[np.int32]
Scorer: TypeAlias = Callable[[Rows, Flags, Rows], NDArray[np.floating]]
"""Songs that were answered, whether they were liked, and songs to be scored."""


@dataclass(frozen=True)
class Songs:
    """features: float32[n, 12], raw; scaled: float32[n, 13]; deviation and rank (0..1) of each ranked feature by name;
    genres: of each song.
    """

    features: NDArray[np.float32]
    scaled: NDArray[np.float32]
    deviation: Mapping[str, Values]
    rank: Mapping[str, Values]
    genres: list[set[str]]

    @classmethod
    def read(cls, path: Path) -> "Songs":
        """Read the table, one row per song and genre."""
        features: dict[str, list[float]] = {}
        genres: dict[str, set[str]] = {}
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                features.setdefault(row["track_id"], [float(row[name]) for name in COLUMNS])
                genres.setdefault(row["track_id"], set()).add(row["track_genre"])
        raw = np.array(list(features.values()), dtype=np.float32)
        scaled = scale_features(raw, COLUMNS)
        behind = dimensions(COLUMNS).tolist()
        ranked = [name for name in COLUMNS if name not in ("key", "mode", "time_signature")]
        deviation = {name: scaled[:, behind.index(name)].astype(np.float64) for name in ranked}
        rank = {name: np.argsort(np.argsort(values)) / len(values) for name, values in deviation.items()}
        return cls(raw, scaled, deviation, rank, list(genres.values()))

    def draw(self, rng: np.random.Generator, many: int) -> list[str]:
        """Return names of distinct features."""
        return [str(name) for name in rng.choice(list(self.rank), many, replace=False)]


def demo(songs: Songs, rng: np.random.Generator) -> tuple[Values, float]:
    """Return how much one of the demo's hidden tastes likes each song, its artists left out; and the share it likes."""
    sys.path.insert(0, str(ROOT / "data"))
    listeners = import_module("demo_listeners").LISTENERS
    taste = listeners[rng.integers(len(listeners))].taste
    weights = {name: weight * rng.uniform(0.75, 1.25) for name, weight in taste.genres.items()}
    genre = np.array([max((weights.get(name, 0.0) for name in names), default=0.0) for names in songs.genres])
    audio = sum(weight * rng.uniform(0.6, 1.4) * songs.deviation[name] for name, weight in taste.direction.items())
    return 2.2 * genre + 0.8 * audio + rng.normal(0.0, 0.5, len(genre)), rng.uniform(0.2, 0.5)


def linear(songs: Songs, rng: np.random.Generator) -> tuple[Values, float]:
    """Return the same of a straight line in two features."""
    first, second = songs.draw(rng, 2)
    line = rng.normal() * songs.deviation[first] + rng.normal() * songs.deviation[second]
    return line + rng.normal(0.0, 0.4, len(line)), rng.uniform(0.25, 0.5)


def ring(songs: Songs, rng: np.random.Generator) -> tuple[Values, float]:
    """Return the same of a ring about the middle of two features."""
    first, second = songs.draw(rng, 2)
    radius = np.hypot(2 * songs.rank[first] - 1, 2 * songs.rank[second] - 1)
    return -np.abs(radius - rng.uniform(0.3, 0.9)), rng.uniform(0.25, 0.5)


def ends(songs: Songs, rng: np.random.Generator) -> tuple[Values, float]:
    """Return the same of "fast or very calm", and of high or low in other features."""
    high, low = ("tempo", "energy") if rng.random() < 0.5 else songs.draw(rng, 2)
    above = songs.rank[high] - 1 + rng.uniform(0.1, 0.3)
    return np.maximum(above, rng.uniform(0.1, 0.3) - songs.rank[low]), rng.uniform(0.25, 0.5)


def islands(songs: Songs, rng: np.random.Generator) -> tuple[Values, float]:
    """Return the same of nearness to one of two songs, in three to six features."""
    space = np.stack([songs.deviation[name] for name in songs.draw(rng, int(rng.integers(3, 7)))], axis=1)
    centres = space[rng.choice(len(space), 2, replace=False)]
    distance = np.min([((space - centre) ** 2).sum(axis=1) for centre in centres], axis=0)
    return -distance, rng.uniform(0.2, 0.45)


def either(songs: Songs, rng: np.random.Generator) -> tuple[Values, float]:
    """Return the same of one feature high and the other low, or both alike (XOR)."""
    first, second = songs.draw(rng, 2)
    return (songs.rank[first] - 0.5) * (songs.rank[second] - 0.5) * rng.choice([-1, 1]), 0.5


def thresholds(songs: Songs, rng: np.random.Generator) -> tuple[Values, float]:
    """Return the same of one to three features that all have to be high or low enough."""
    names = songs.draw(rng, int(rng.integers(1, 4)))
    sides = [songs.rank[name] if rng.random() < 0.5 else 1 - songs.rank[name] for name in names]
    return np.min(sides, axis=0), rng.uniform(0.25, 0.5)


def band(songs: Songs, rng: np.random.Generator) -> tuple[Values, float]:
    """Return the same of a feature that has to be about so high."""
    (name,) = songs.draw(rng, 1)
    return -np.abs(songs.rank[name] - rng.uniform(0.3, 0.7)), rng.uniform(0.3, 0.5)


def tree(songs: Songs, rng: np.random.Generator) -> tuple[Values, float]:
    """Return the same of a random decision tree of depth 3."""
    liking = np.empty(len(songs.features))

    def grow(inside: Flags, depth: int) -> None:
        if depth == 0 or inside.sum() < 500:
            liking[inside] = rng.random()
            return
        (name,) = songs.draw(rng, 1)
        above = songs.deviation[name] > np.quantile(songs.deviation[name][inside], rng.uniform(0.3, 0.7))
        grow(inside & above, depth - 1)
        grow(inside & ~above, depth - 1)

    grow(np.ones(len(liking), dtype=np.bool_), 3)
    return liking, rng.uniform(0.3, 0.5)


FAMILIES = {
    "demo's": demo,
    "linear": linear,
    "ring": ring,
    "two ends": ends,
    "two islands": islands,
    "either": either,
    "thresholds": thresholds,
    "band": band,
    "tree": tree,
}


@dataclass(frozen=True)
class Taste:
    """rows, answers: of the songs shown, at random; judged, liked: other songs, and which of them are liked."""

    family: str
    rows: Rows
    answers: Flags
    judged: Rows
    liked: Flags


def invent(songs: Songs, many: int, half: int) -> list[Taste]:
    """Return so many tastes of each family; half: 0 for choosing, 1 for reporting."""
    tastes = []
    for number, (family, make) in enumerate(FAMILIES.items()):
        for repeat in range(many):
            rng = np.random.default_rng([7, number, 2 * repeat + half])
            liking, share = make(songs, rng)
            # What a tree likes alike is liked or not by chance.
            liking = liking + 1e-9 * rng.normal(size=len(liking))
            is_liked = liking > np.quantile(liking, 1 - share)
            drawn = rng.choice(len(liking), JUDGED + max(ANSWERS), replace=False).astype(np.int32)
            rows, judged = drawn[: max(ANSWERS)], drawn[max(ANSWERS) :]
            slip = rng.random(len(rows)) < SLIPS
            tastes.append(Taste(family, rows, is_liked[rows] ^ slip, judged, is_liked[judged]))
    return tastes


def scorers_of(songs: Songs) -> dict[str, Scorer]:
    """Return the term as it was and as it is, and the peers, which are given all standardised features."""
    catalogue, config = catalogue_of(songs), EngineConfig()
    now = AudioTerm.fit(catalogue, Interactions.empty(), config.terms, np.random.default_rng(0), no_progress)
    length = np.maximum(np.linalg.norm(songs.scaled, axis=1, keepdims=True), 1e-9)
    unit = songs.scaled / length
    stored = {"vectors": unit - unit.mean(axis=0), "centre": unit.mean(axis=0), "known": np.ones(len(unit), np.float32)}
    features = StandardScaler().fit_transform(songs.scaled)

    def by(term: AudioTerm) -> Scorer:
        def score(rows: Rows, answers: Flags, judged: Rows) -> NDArray[np.floating]:
            listener = ListenerProfile.from_feedback(feedback_of(rows, answers), config.feedback)
            return np.asarray(term.item_vectors(judged) @ term.user_vector(listener))

        return score

    def regression(rows: Rows, answers: Flags, judged: Rows) -> NDArray[np.floating]:
        fitted = LogisticRegression(max_iter=500).fit(features[rows], answers)
        return np.asarray(fitted.decision_function(features[judged]))

    def forest(rows: Rows, answers: Flags, judged: Rows) -> NDArray[np.floating]:
        fitted = RandomForestClassifier(200, random_state=0, n_jobs=1).fit(features[rows], answers)
        return np.asarray(fitted.predict_proba(features[judged])[:, 1])

    before = MeanCosineTerm(stored, catalogue, config.terms)
    return {"audio before": by(before), "audio now": by(now), "logistic regression": regression, "forest": forest}


def catalogue_of(songs: Songs) -> Catalogue:
    """Return songs of which nothing is known but their features."""
    count = len(songs.features)
    empty, steps = np.empty(0, dtype=np.int32), np.arange(count, dtype=np.int32)
    return Catalogue(
        track_ids=np.arange(count, dtype=np.int64),
        artist_ids=np.empty(0, dtype=np.int64),
        genre_ids=np.empty(0, dtype=np.int64),
        artist_indptr=np.zeros(count + 1, dtype=np.int32),
        artist_indices=empty,
        genre_indptr=np.zeros(count + 1, dtype=np.int32),
        genre_indices=empty,
        features=songs.features,
        feature_columns=COLUMNS,
        features_estimated=np.zeros(count, dtype=np.bool_),
        popularity=np.full(count, np.nan, dtype=np.float32),
        recording=steps,
        album=np.full(count, -1, dtype=np.int32),
        explicit=np.zeros(count, dtype=np.bool_),
        active=np.ones(count, dtype=np.bool_),
    )


def feedback_of(rows: Rows, answers: Flags) -> Feedback:
    """Return fresh likes and dislikes."""
    kind = np.where(answers, FeedbackKind.LIKE, FeedbackKind.DISLIKE).astype(np.int32)
    return Feedback(rows, kind, np.ones(len(rows), np.float32), np.zeros(len(rows), np.float32))


def measure(tastes: list[Taste], score: Scorer) -> Values:
    """Return the AUC of each taste after each number of answers, float64[tastes, 3]."""

    def after(taste: Taste, many: int) -> float:
        answers = taste.answers[:many]
        if answers.all() or not answers.any():
            return 0.5
        return float(roc_auc_score(taste.liked, score(taste.rows[:many], answers, taste.judged)))

    return np.array([[after(taste, many) for many in ANSWERS] for taste in tastes])


def show(tastes: list[Taste], figures: Mapping[str, Values]) -> None:
    """Print means of each family, means of all, and what the term has more than each other row, with 95 % intervals."""
    families = np.array([taste.family for taste in tastes])
    print(f"{'AUC after ' + ' / '.join(map(str, ANSWERS)):<24}" + "".join(f"{name:>24}" for name in figures))
    for family in (*FAMILIES, "all"):
        chosen = families == family if family != "all" else np.ones(len(families), dtype=np.bool_)
        cells = [" / ".join(f"{mean:.3f}" for mean in values[chosen].mean(axis=0)) for values in figures.values()]
        print(f"{family:<24}" + "".join(f"{cell:>24}" for cell in cells))
    drawn = np.random.default_rng(0).integers(len(tastes), size=(DRAWS, len(tastes)))
    for name, values in figures.items():
        if name != "audio now":
            more = figures["audio now"] - values
            low, high = np.quantile(more[drawn].mean(axis=1), [0.025, 0.975], axis=0)
            cells = [
                f"{mean:+.3f} ({a:+.3f} to {b:+.3f})" for mean, a, b in zip(more.mean(axis=0), low, high, strict=True)
            ]
            print(f"audio now minus {name}: " + ", ".join(cells))


def main() -> None:
    """Print the table of each half."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tastes", type=int, default=10, help="of each family, in each half")
    options = parser.parse_args()
    if not (DATA / "dataset.csv").is_file():
        print(f"sound_tastes: skipped, the file is not in {DATA} (set SPOTIFY_REC_SHARED_DATA)")
        return
    songs = Songs.read(DATA / "dataset.csv")
    scorers = scorers_of(songs)
    for half, title in ((0, "choosing half"), (1, "reported half")):
        tastes = invent(songs, options.tastes, half)
        print(f"\n--- {len(tastes)} tastes of the {title}")
        show(tastes, {name: measure(tastes, score) for name, score in scorers.items()})


if __name__ == "__main__":
    main()
