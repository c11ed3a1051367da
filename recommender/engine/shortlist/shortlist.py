"""The tracks worth scoring for a listener, out of very many.

Four sources, whose union is scored exactly as if all tracks had been: the nearest to the listener in the space of the
whole blend, by an approximate index; the best of each linear term alone; what the sparse terms name (songs of liked
artists and albums, neighbours of liked songs), the best of these together and the best of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from recommender.engine.arrays import AnyArray, FloatArray, IntArray, as_float32, as_int32, sum_by_row, top_rows
from recommender.engine.blend import BlendWeights
from recommender.engine.config import EngineConfig, ShortlistConfig
from recommender.engine.moments import Moments
from recommender.engine.shortlist.best import Best, Groups, Lists
from recommender.engine.shortlist.index import BuildIndex, NearestIndex
from recommender.engine.shortlist.outlook import Outlook
from recommender.engine.shortlist.space import Space, fit_space, usual_outlooks
from recommender.engine.terms import LinearTerm, Term

BLEND = "blend"
"""Name of the index of the whole space; those of single terms have the terms' names."""


@dataclass(frozen=True, eq=False)
class Shortlist:
    """moments, best: of each linear term. space: what `index` is an index of; see there."""

    moments: Mapping[str, Moments]
    space: Space
    index: NearestIndex
    best: Mapping[str, Best]
    config: ShortlistConfig

    @classmethod
    def build(
        cls,
        terms: Mapping[str, Term],
        weights: BlendWeights,
        moments: Mapping[str, Moments],
        listeners: FloatArray,
        config: EngineConfig,
        build_index: BuildIndex,
        seed: int,
    ) -> Self:
        """Of fitted terms, the weights of their blend and the moments of the linear ones. listeners: float32[n], who
        liked or heard each track.
        """
        n_tracks, settings = len(listeners), config.shortlist
        linear = {name: term for name, term in terms.items() if isinstance(term, LinearTerm)}
        rng = np.random.default_rng(seed)
        usual = usual_outlooks(terms, weights, moments, listeners, config, rng)
        space = fit_space(terms, weights, moments, config, usual)
        queries = np.stack([space.query(outlook) for outlook in usual])
        index = build_index(lambda rows: space.vectors(terms, rows), n_tracks, queries, seed)
        best: dict[str, Best] = {}
        for name, one in moments.items():
            # Also of terms that weigh nothing: the ranker hears them all.
            if name in weights.weights and len(one.mean):
                found = Lists.of(linear[name], settings.nearest) or Groups.of(linear[name], n_tracks)
                asked = np.stack([space.projected(name, outlook) for outlook in usual])
                best[name] = _indexed(found, space.only(name), terms, build_index, asked, seed)
        return cls(moments, space, index, best, settings)

    def rows(self, outlook: Outlook, known: int, widening: float = 1.0) -> IntArray:
        """Rows worth scoring, int32[c], increasing. known: songs the listener knows, which may be the nearest.

        widening: how many times as many as usual are wanted.
        """
        settings = self.config
        limit = round(settings.nearest * widening) + known
        found = [self.index.nearest(self.space.query(outlook), limit, settings.effort)]
        for name, best in self.best.items():
            if outlook.scales[name][1]:
                projected = self.space.projected(name, outlook)
                found.append(best.rows(outlook.directions[name], projected, settings.own + known, settings.effort))
        return as_int32(np.unique(np.concatenate([*found, *self._named(outlook, widening, known)])))

    def _named(self, outlook: Outlook, widening: float, known: int) -> list[IntArray]:
        """The best of what the sparse terms name, together and each alone."""
        said = [(opinions, outlook.factor(name)) for name, opinions in outlook.opinions.items()]
        said = [(opinions, factor) for opinions, factor in said if len(opinions.rows)]
        if not said:
            return []
        rows = np.concatenate([opinions.rows for opinions, _ in said])
        values = np.concatenate([opinions.values * np.float32(factor) for opinions, factor in said])
        distinct, total = sum_by_row(rows, values, said[0][0].n_tracks)
        found = [distinct[top_rows(total, round(self.config.named * widening) + known)]]
        for opinions, _ in said:
            order = np.argsort(opinions.rows)
            best = top_rows(opinions.values[order], self.config.own + known)
            found.append(opinions.rows[order][best])
        return found

    def indices(self) -> dict[str, NearestIndex]:
        """All indices by name; they are stored as files of their own."""
        own = {name: one.index for name, one in self.best.items() if isinstance(one, Groups) and one.index is not None}
        return {BLEND: self.index} | own

    def arrays(self) -> dict[str, AnyArray]:
        """What has to be stored besides the indices."""
        parts = {f"moments.{name}": one.arrays() for name, one in self.moments.items()}
        parts |= {f"best.{name}": one.arrays() for name, one in self.best.items()}
        arrays = {f"{prefix}.{name}": array for prefix, part in parts.items() for name, array in part.items()}
        arrays |= {f"stretch.{name}": stretch for name, stretch in self.space.stretch.items()}
        return arrays | {f"basis.{name}": basis for name, basis in self.space.bases.items()}

    def entry(self) -> dict[str, Any]:
        """Plain values that have to be stored, ready for JSON."""
        return {"space": list(self.space.stretch), "moments": list(self.moments), "best": list(self.best)}

    @classmethod
    def restored(
        cls,
        entry: Mapping[str, Any],
        arrays: Mapping[str, AnyArray],
        indices: Mapping[str, NearestIndex],
        terms: Mapping[str, Term],
        config: ShortlistConfig,
    ) -> Self:
        """The inverse of `entry`, `arrays` and `indices`. Raises KeyError if something is missing."""
        moments = {name: Moments.from_arrays(_part(arrays, f"moments.{name}")) for name in entry["moments"]}
        bases = {name: as_float32(array) for name, array in _part(arrays, "basis").items()}
        stretch = {name: as_float32(arrays[f"stretch.{name}"]) for name in entry["space"]}
        space = Space(bases, stretch)
        best = {name: _best(terms[name], _part(arrays, f"best.{name}"), indices.get(name)) for name in entry["best"]}
        return cls(moments, space, indices[BLEND], best, config)


def _indexed(
    found: Best, space: Space, terms: Mapping[str, Term], build_index: BuildIndex, queries: FloatArray, seed: int
) -> Best:
    """The same with an index, where there are too many groups to go through."""
    if not isinstance(found, Groups) or found.leaders is not None:
        return found
    tracks = found.first_tracks
    index = build_index(lambda numbers: space.vectors(terms, tracks[numbers]), len(tracks), queries, seed)
    return replace(found, index=index)


def _best(term: Term, arrays: Mapping[str, AnyArray], index: NearestIndex | None) -> Best:
    assert isinstance(term, LinearTerm)
    if "best" in arrays:
        return Lists(as_float32(arrays["directions"]), as_int32(arrays["best"]))
    return Groups.opened(term, as_int32(arrays["indptr"]), as_int32(arrays["tracks"]), index)


def _part(arrays: Mapping[str, AnyArray], prefix: str) -> dict[str, AnyArray]:
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
