"""`audio`: sounds like your songs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from recommender.engine.data import Catalogue, Interactions
from recommender.engine.data.arrays import AnyArray, FloatArray, IntArray, as_float32, as_int32, dense_matvec
from recommender.engine.data.checks import check_rows
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.fitting.relevance import SoundTaste, fit_sound_taste
from recommender.engine.terms.base import Cause, LinearTerm, Progress, TermsConfig, Weight, Wording, gettext_noop
from recommender.engine.terms.causes import Naming
from recommender.engine.terms.sound import SoundColumns, stored_columns

LOG_SCALED = {"speechiness", "acousticness", "instrumentalness", "liveness"}
"""Features that pile up near 0; the logarithm spreads them."""
LOG_OFFSET = 0.01
NOMINAL_WEIGHT = 0.5
"""Key, mode and metre matter less for how a song sounds than the continuous features."""
PITCH_CLASSES = 12
CHUNK = 3_072
"""Songs scored together, so that their columns stay in the processor's cache."""
ESTIMATED_CERTAINTY = 0.5
"""Weight of audio features that were estimated, against measured ones."""
SAMPLE = 50_000
"""Songs from which the covariance of the columns is estimated."""


class AudioTerm(LinearTerm):
    """A function of the features that is high near the listener's liked songs and low near the disliked ones.

    The columns of a song are curves of each feature, and products of every two (`terms.sound`). A listener's taste is a
    weighted sum of them, learned from the answers together with the relevance of each feature (`fitting.relevance`);
    without dislikes, the catalogue stands for songs that are not liked. A stated artist counts as one like, of the mean
    of their songs with known features. A song without features scores exactly "no
    opinion", and estimated features count less. The listener's adjustment of a feature multiplies every column that it
    is part of, so that 0 removes it.
    """

    name: ClassVar[str] = "audio"
    label: ClassVar[str] = gettext_noop("How it sounds")
    wording: ClassVar[Wording | None] = dict.fromkeys(("liked", "played"), gettext_noop("Sounds like %(title)s"))
    default_weight: ClassVar[Weight] = 0.3
    similar_weight: ClassVar[float] = 1.0
    is_adjustable: ClassVar[bool] = True
    sqrt_transform: ClassVar[bool] = False
    is_collaborative: ClassVar[bool] = False

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> None:
        self._vectors = as_float32(arrays["vectors"])
        self._known = as_float32(arrays["known"])
        self._means = as_float32(arrays["means"])
        self._covariance = np.asarray(arrays["covariance"], dtype=np.float64)
        self._layout = SoundColumns.of(catalogue.feature_columns, config.audio.degree)
        self._prior = self._layout.prior(self._covariance, config.audio)
        self._config = config.audio
        self._naming = Naming(catalogue)
        self._credits = catalogue.artist_indptr, catalogue.artist_indices
        check_rows("audio", catalogue.n_tracks, vectors=self._vectors.T, known=self._known)

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: TermsConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        progress("audio vectors", 0.0)
        columns, missing = catalogue.feature_columns, np.isnan(catalogue.features)
        # Certainty of the features: measured 1, estimated less, none 0.
        certainty = np.where(catalogue.features_estimated, ESTIMATED_CERTAINTY, 1.0) * ~missing.all(axis=1)
        certainty = as_float32(certainty)
        behind = dimensions(columns)
        unknown = missing[:, [columns.index(name) for name in behind]]
        scaled = scale_features(catalogue.features, columns)
        vectors = stored_columns(scaled, behind, unknown, certainty, config.audio.degree)
        progress("audio vectors", 0.7)
        layout = SoundColumns.of(columns, config.audio.degree)
        sample = np.arange(0, catalogue.n_tracks, -(-catalogue.n_tracks // SAMPLE) or 1)
        means, covariance = layout.moments(vectors[:, sample].T, certainty[sample])
        progress("audio vectors", 1.0)
        arrays: dict[str, AnyArray] = {"vectors": vectors, "known": certainty, "means": means, "covariance": covariance}
        return cls(arrays, catalogue, config)

    def score_all(self, listener: ListenerProfile) -> FloatArray:
        direction, layout = self.user_vector(listener), self._layout
        stored, products = direction[: layout.stored], direction[layout.stored :]
        form = np.zeros((layout.lines, layout.lines), dtype=np.float32)
        form[layout.first, layout.second] = products
        mean, scores = np.float32(self._means @ products), np.empty(len(self._known), dtype=np.float32)
        for start in range(0, len(scores), CHUNK):
            part = slice(start, start + CHUNK)
            lines = self._vectors[: layout.lines, part]
            scores[part] = stored @ self._vectors[:, part] + np.einsum("ij,ij->j", form @ lines, lines)
            scores[part] -= mean * np.square(self._known[part])
        return scores

    def score_many(self, listeners: Sequence[ListenerProfile]) -> list[FloatArray]:
        directions, layout = np.stack([self.user_vector(listener) for listener in listeners]), self._layout
        stored, products = directions[:, : layout.stored], directions[:, layout.stored :]
        means, scores = products @ self._means, np.empty((len(directions), len(self._known)), dtype=np.float32)
        for start in range(0, len(self._known), CHUNK):
            part = slice(start, start + CHUNK)
            lines = self._vectors[:, part]
            scores[:, part] = stored @ lines + products @ (lines[layout.first] * lines[layout.second])
            scores[:, part] -= means[:, None] * np.square(self._known[part])
        return list(scores)

    def user_vector(self, listener: ListenerProfile) -> FloatArray:
        return self._taste(listener).coefficients() * self._factors(listener)

    def item_vectors(self, rows: IntArray) -> FloatArray:
        vectors = self._vectors[:, rows].T
        products = self._layout.products(vectors) - np.square(self._known[rows])[:, None] * self._means
        return np.hstack([vectors, products])

    def explain(self, listener: ListenerProfile, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        columns = self.item_vectors(rows) * self._factors(listener)
        contributions = self._taste(listener).contributions(columns)
        by_song, by_artist = np.split(contributions, [len(listener.rows)], axis=1)
        songs = self._naming.tracks(listener, listener.rows, rows, by_song, limit)
        return [
            _with_stated(causes, listener.artists, values, limit)
            for causes, values in zip(songs, by_artist, strict=True)
        ]

    def vectors(self, rows: IntArray) -> FloatArray:
        """Return vectors of some tracks whose products measure how alike they sound, float32[len(rows), S], 0 if
        unknown.
        """
        return self._vectors[:, rows].T * np.sqrt(self._prior.variance[: self._layout.stored], dtype=np.float32)

    def arrays(self) -> Mapping[str, AnyArray]:
        return {
            "vectors": self._vectors,
            "known": self._known,
            "means": self._means,
            "covariance": self._covariance,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> Self:
        if "centre" in arrays:
            return cast(Self, MeanCosineTerm(arrays, catalogue, config))
        return cls(arrays, catalogue, config)

    def _taste(self, listener: ListenerProfile) -> SoundTaste:
        """Return the listener's taste before adjustments of features."""
        taste = listener.without_adjustments().cached(self._learned)
        adjusted = listener.adjustments
        _artists, stated, which = np.intersect1d(listener.artists, adjusted.artists, return_indices=True)
        if not len(stated):
            return taste
        # After learning, so that the songs keep their values.
        factors = np.ones(len(taste.residual), dtype=np.float32)
        factors[len(listener.rows) + stated] = adjusted.artist_factors[which]
        return replace(taste, residual=taste.residual * factors)

    def _learned(self, listener: ListenerProfile) -> SoundTaste:
        stated = self._columns_of(listener.artists)
        ones = np.ones(len(stated))
        confidence = np.concatenate([np.minimum(np.abs(listener.weights), 1.0), ones]).astype(np.float64)
        columns = np.concatenate([self.item_vectors(listener.rows), stated])
        liked = np.concatenate([listener.weights > 0, ones > 0])
        whole = listener.whole.without_adjustments()
        # All answers determine the relevance, also for a profile with some of them.
        relevance = None if whole is listener else whole.cached(self._learned).relevance
        return fit_sound_taste(columns, liked, confidence, self._prior, self._config, relevance)

    def _columns_of(self, artists: IntArray) -> FloatArray:
        """Return the mean columns of each artist's songs with known features, float32[len(artists), D], 0 if none."""
        columns = np.zeros((len(artists), len(self._layout.features)), dtype=np.float32)
        indptr, indices = self._credits
        for position, artist in enumerate(artists):
            # Few artists are stated: a search for each costs less than keeping all credits sorted by artist.
            songs = np.searchsorted(indptr, np.flatnonzero(indices == artist), side="right") - 1
            songs = songs[self._known[songs] > 0]
            if len(songs):
                columns[position] = self.item_vectors(as_int32(songs)).mean(axis=0)
        return columns

    def _factors(self, listener: ListenerProfile) -> FloatArray:
        """Return the factor of each column by the listener's adjustments, float32[D]; products take both factors."""
        chosen = listener.adjustments.features
        if not chosen:
            return np.ones(len(self._layout.features), dtype=np.float32)
        factors = [np.prod([chosen.get(name, 1.0) for name in names]) for names in self._layout.features]
        return np.array(factors, dtype=np.float32)


class MeanCosineTerm(AudioTerm):
    """The `audio` term of a model that an earlier release stored: the signed mean cosine between a track's scaled
    features and those of the listener's songs. The next fit replaces it.
    """

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> None:
        self._vectors, self._known, self._centre = (as_float32(arrays[name]) for name in ("vectors", "known", "centre"))
        self._dimensions = dimensions(catalogue.feature_columns)
        self._naming = Naming(catalogue)
        check_rows("audio", catalogue.n_tracks, vectors=self._vectors, known=self._known)

    def score_all(self, listener: ListenerProfile) -> FloatArray:
        return dense_matvec(self._vectors, self.user_vector(listener))

    def score_many(self, listeners: Sequence[ListenerProfile]) -> list[FloatArray]:
        return [self.score(listener) for listener in listeners]

    def user_vector(self, listener: ListenerProfile) -> FloatArray:
        return as_float32(self._songs(listener).sum(axis=0))

    def item_vectors(self, rows: IntArray) -> FloatArray:
        return self._vectors[rows]

    def explain(self, listener: ListenerProfile, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        values = self._vectors[rows] @ self._songs(listener).T
        return self._naming.tracks(listener, listener.rows, rows, values, limit)

    def vectors(self, rows: IntArray) -> FloatArray:
        return self._vectors[rows]

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"vectors": self._vectors, "known": self._known, "centre": self._centre}

    def _songs(self, listener: ListenerProfile) -> FloatArray:
        return listener.cached(self._weighted)

    def _weighted(self, listener: ListenerProfile) -> FloatArray:
        songs = self._vectors[listener.rows] + self._known[listener.rows, None] * self._centre
        for name, factor in listener.adjustments.features.items():
            songs[:, self._dimensions == name] *= np.float32(factor)
        total = float(np.abs(listener.weights).sum()) or 1.0
        return as_float32(songs * (listener.weights / np.float32(total))[:, None])


def _with_stated(causes: list[Cause], artists: IntArray, values: FloatArray, limit: int | None) -> list[Cause]:
    """Add what each stated artist added to a score to the listener's songs, strongest first if there is a limit."""
    stated = [
        Cause("artist", int(artist), float(value), stance="chosen")
        for artist, value in zip(artists, values, strict=True)
        if (value != 0 if limit is None else value > 0)
    ]
    if not stated:
        return causes
    both = [*causes, *stated]
    return both if limit is None else sorted(both, key=lambda cause: -cause.value)[:limit]


def dimensions(columns: tuple[str, ...]) -> NDArray[np.str_]:
    """Return the feature of each of the D dimensions of `scale_features`."""
    return np.array([name for name in columns for _ in range(2 if name == "key" else 1)], dtype=np.str_)


def scale_features(features: FloatArray, columns: tuple[str, ...]) -> FloatArray:
    """Scale raw features float32[n, F] to float32[n, D] on comparable scales; unknown values become 0, the mean."""
    parts = [part for index, name in enumerate(columns) for part in _scaled(features[:, index], name)]
    return np.stack(parts, axis=1) if parts else np.zeros((len(features), 1), dtype=np.float32)


def _scaled(values: FloatArray, name: str) -> list[FloatArray]:
    if name == "key":
        angle = values * np.float32(2 * np.pi / PITCH_CLASSES)
        return [np.nan_to_num(NOMINAL_WEIGHT * wave, nan=0.0) for wave in (np.cos(angle), np.sin(angle))]
    if name in ("mode", "time_signature"):
        return [_standardised(values) * np.float32(NOMINAL_WEIGHT / 2)]
    if name == "duration_ms":
        return [_standardised(np.log(np.maximum(values, 1.0)))]
    if name in LOG_SCALED:
        # A share below 0 is an error of the source and counts as 0.
        return [_standardised(np.log(np.maximum(values, 0.0) + LOG_OFFSET))]
    return [_standardised(values)]


def _standardised(values: FloatArray) -> FloatArray:
    """Scale to zero mean and unit deviation over the known values, clipped at 4 deviations; unknown becomes 0."""
    known = values[~np.isnan(values)].astype(np.float64)
    if not known.size or known.std() == 0:
        return np.zeros_like(values)
    scaled = (values - np.float32(known.mean())) / np.float32(known.std())
    return as_float32(np.nan_to_num(np.clip(scaled, -4.0, 4.0), nan=0.0))
