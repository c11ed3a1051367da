"""Whether the chances of an answer model are true of people it was not fitted on.

Half of each person's answers are revealed; the model gives a chance to each other one. Chances are calibrated if of
the songs with a chance of 30 % about 30 % are liked. Popularity is the share of likes of each song among those fitted
on, and knows nothing of the person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.engine.data.arrays import BoolArray
from recommender.engine.data.statistics import roc_auc
from recommender.engine.evaluation.learning_loop.answer_model import AnswerModel, Person
from recommender.engine.evaluation.low_rank_gaussian import shrunk_means
from recommender.engine.evaluation.metrics import Interval, bootstrap_intervals
from recommender.engine.evaluation.rated import Ratings

Doubles = NDArray[np.float64]
DRAWS = 64
"""Draws of a taste that a chance is the mean of."""
BINS = 10
SMALLEST_CHANCE = 1e-6
MODEL, MODEL_OF_KNOWN, POPULARITY = "answer model", "answer model, told what is known", "popularity"


class CalibrationBin(NamedTuple):
    """A tenth of the answers, by chance: mean chance, share that was liked, number of answers."""

    chance: float
    liked: float
    answers: int


class ChanceQuality(NamedTuple):
    """Means over people: AUC of likes before the rest, log-loss in nats per answer, and both less popularity's."""

    auc: Interval
    log_loss: Interval
    auc_gain: Interval
    log_loss_gain: Interval


@dataclass(frozen=True)
class AnswerCheck:
    """people: who were checked; quality by what gave the chances; bins: of the model that is not told what is known.

    expected_error: mean distance of chance and share liked over the bins, weighted by their answers.
    """

    people: int
    quality: dict[str, ChanceQuality]
    bins: tuple[CalibrationBin, ...]

    @property
    def expected_error(self) -> float:
        """Return the expected calibration error (Naeini, Cooper & Hauskrecht 2015)."""
        answers = sum(each.answers for each in self.bins)
        return sum(each.answers * abs(each.chance - each.liked) for each in self.bins) / answers


class _Checked(NamedTuple):
    """One person's other half: liked: bool[r]; chances by name, float64[r]."""

    liked: BoolArray
    chances: dict[str, Doubles]


def check_answers(
    model: AnswerModel, ratings: Ratings, fitted: BoolArray, people: BoolArray, rng: np.random.Generator
) -> AnswerCheck:
    """Check the model, fitted on the people `fitted`, on other `people` (bool[n_people] each).

    Who has no like, or nothing but likes, among the answers to judge is left out.
    """
    reveal_rng, draw_rng, bootstrap_rng = rng.spawn(3)
    seen = ratings.fitted_on(fitted)
    share = shrunk_means(ratings.row[seen], (ratings.weight[seen] > 0).astype(np.float64), model.n_tracks)
    checked = list(_checked(model, ratings, people, share, reveal_rng, draw_rng))
    names = (MODEL, MODEL_OF_KNOWN, POPULARITY)
    # A person has four figures by each name: AUC, log-loss, and both less popularity's.
    figures = np.array([[_figures(each, name) for name in names] for each in checked])
    gains = figures - figures[:, [names.index(POPULARITY)]]
    columns = np.concatenate([figures, gains], axis=2).reshape(len(checked), -1)
    intervals = iter(bootstrap_intervals(columns, bootstrap_rng))
    quality = {name: ChanceQuality(*(next(intervals) for _figure in range(4))) for name in names}
    return AnswerCheck(len(checked), quality, _bins(checked))


def _checked(
    model: AnswerModel,
    ratings: Ratings,
    people: BoolArray,
    share: Doubles,
    reveal_rng: np.random.Generator,
    draw_rng: np.random.Generator,
) -> Iterator[_Checked]:
    for number in np.flatnonzero(people):
        person = Person.of(ratings, int(number))
        revealed = np.zeros(len(person.rows), dtype=np.bool_)
        revealed[reveal_rng.permutation(len(person.rows))[: len(person.rows) // 2]] = True
        judged = person.at(~revealed)
        if not judged.liked.any() or judged.liked.all():
            continue
        tastes = model.tastes(person.at(revealed))
        no, yes = np.zeros_like(judged.known), np.ones_like(judged.known)
        known = model.known_chances(tastes, judged.rows, draw_rng, DRAWS)
        if_known, if_not = (model.chances(tastes, judged.rows, which, draw_rng, DRAWS) for which in (yes, no))
        chances = {
            MODEL: known * if_known + (1.0 - known) * if_not,
            MODEL_OF_KNOWN: np.where(judged.known, if_known, if_not),
            POPULARITY: share[judged.rows],
        }
        yield _Checked(judged.liked, chances)


def _figures(checked: _Checked, name: str) -> tuple[float, float]:
    chance = np.clip(checked.chances[name], SMALLEST_CHANCE, 1.0 - SMALLEST_CHANCE)
    loss = -np.log(np.where(checked.liked, chance, 1.0 - chance)).mean()
    return roc_auc(chance.astype(np.float32), checked.liked), float(loss)


def _bins(checked: list[_Checked]) -> tuple[CalibrationBin, ...]:
    chance = np.concatenate([each.chances[MODEL] for each in checked])
    liked = np.concatenate([each.liked for each in checked])
    parts = np.array_split(np.argsort(chance, kind="stable"), BINS)
    return tuple(CalibrationBin(float(chance[p].mean()), float(liked[p].mean()), len(p)) for p in parts if len(p))
