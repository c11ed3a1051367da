"""Likes and dislikes of people from a file, for measuring without a database (``evaluate --answers``)."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog.importing.reading.source import Source, SourceError, open_source
from recommender.adapters.files import InputError, catalogue_of, csv_lines, plain_id, read_songs, rows_by_id
from recommender.engine import BoolArray, Catalogue, FloatArray, IntArray
from recommender.engine.evaluation import Ratings

_WORDS = {"dislike": 0.0, "like": 1.0}
# Halfway between the values of the two words.
_LIKE_FROM = 0.5
_FLAGS = {"0": False, "1": True}
_FLAG_COLUMNS = ("test", "judged", "known")


@dataclass(frozen=True, eq=False)
class AnswerInputs:
    """The data of an evaluation; ``answered`` has the rows of ``catalogue``. ``notes`` say in plain words what was
    read."""

    catalogue: Catalogue
    answered: Ratings
    notes: tuple[str, ...]


class _Answer(NamedTuple):
    """One line: ``value`` is the rating, or 1 for a like and 0 for a dislike; None where there is no such column."""

    listener: str
    track_id: str
    value: float
    is_test: bool | None
    is_judged: bool | None
    is_known: bool | None


def read_answers(answers_path: str | Path, catalogue_path: str | Path, like_from: float | None = None) -> AnswerInputs:
    """Read answers (``listener,track_id,answer``) and any catalogue that ``import_tracks`` reads.

    With ``like_from`` the column ``rating`` is read in place of ``answer``. Optional columns: ``test``, ``judged`` and
    ``known``, 1 or 0. Tracks that the catalogue does not have are left out and counted, and so are listeners with
    nothing left.

    Raises:
        InputError: a file cannot be used, a row of the answers is wrong, or nothing is left to measure on.
    """
    answers = _read(answers_path, like_from)
    songs, notes = read_songs(catalogue_path)
    rows = rows_by_id(songs, catalogue_path, answers_path)
    row = np.array([rows.get(answer.track_id, -1) for answer in answers], dtype=np.int32)
    known = [answer for answer, at in zip(answers, row, strict=True) if at >= 0]
    if not known:
        raise InputError(f"{answers_path}: none of its tracks are in {catalogue_path}")
    answered = _answered(known, row[row >= 0], like_from)
    _check_people(answered, answers_path)
    return AnswerInputs(catalogue_of(songs), answered, (*notes, *_notes(answers, known, answered)))


def answer_weights(rating: NDArray[np.float64], like_from: float) -> FloatArray:
    """Return the weight of each answer in a fit: float32[m], positive for a like.

    The best rating counts 1 and the worst -1; the likes between rise from 0 in equal steps, the dislikes fall from 0.
    """
    levels, level = np.unique(rating, return_inverse=True)
    dislikes = int(np.searchsorted(levels, like_from))
    likes = len(levels) - dislikes
    liked, disliked = (level - dislikes + 1) / max(likes, 1), (level - dislikes) / max(dislikes, 1)
    return np.where(level >= dislikes, liked, disliked).astype(np.float32)


# --- lines -----------------------------------------------------------------------------------------------------------
def _read(path: str | Path, like_from: float | None) -> list[_Answer]:
    try:
        with open_source(path) as source:
            answers = list(_checked(source, like_from))
    except SourceError as error:
        raise InputError(str(error)) from error
    if not answers:
        raise InputError(f"{path}: has a header but no rows")
    return answers


def _checked(source: Source, like_from: float | None) -> Iterator[_Answer]:
    """Yield the answers in the order of the file.

    Raises:
        InputError: no usable columns, a row that is wrong, or one that an earlier row speaks against.
    """
    lines = csv_lines(source)
    columns = _columns(next(lines, (1, []))[1], source.name, like_from)
    line_of: dict[tuple[str, str], int] = {}
    test_of: dict[str, tuple[bool | None, int]] = {}
    for number, fields in lines:
        where = f"{source.name}, line {number}"
        answer = _answer(fields, columns, where)
        first = line_of.setdefault((answer.listener, answer.track_id), number)
        if first != number:
            raise InputError(
                f"{where}: listener {answer.listener!r} already answered {answer.track_id!r} in line {first}"
            )
        is_test, first = test_of.setdefault(answer.listener, (answer.is_test, number))
        if is_test != answer.is_test:
            raise InputError(f"{where}: test: listener {answer.listener!r} has another value in line {first}")
        yield answer


def _columns(header: Sequence[str], name: str, like_from: float | None) -> dict[str, int]:
    """Return the place of each column that is read; ``value`` is the answer or the rating."""
    names = [heading.strip().lower() for heading in header]
    value = "answer" if like_from is None else "rating"
    for wanted in ("listener", "track_id", value):
        if wanted not in names:
            hint = " Ratings need --like-from." if wanted == "answer" and "rating" in names else ""
            expected = f"Expected listener,track_id,{value}[,test][,judged][,known]"
            raise InputError(f"{name}, line 1: the column {wanted!r} is missing. {expected}, found {names}.{hint}")
    read = ("listener", "track_id", *_FLAG_COLUMNS)
    columns = {wanted: names.index(wanted) for wanted in read if wanted in names}
    return columns | {value: names.index(value)}


def _answer(fields: Sequence[str], columns: Mapping[str, int], where: str) -> _Answer:
    if len(fields) <= max(columns.values()):
        raise InputError(f"{where}: has only {len(fields)} fields, fewer than there are columns")
    text = {name: fields[column].strip() for name, column in columns.items()}
    for name in ("listener", "track_id"):
        if not text[name]:
            raise InputError(f"{where}: {name} is empty")
    value = _word(text["answer"], where) if "answer" in text else _rating(text["rating"], where)
    flags = (_flag(name, text.get(name), where) for name in _FLAG_COLUMNS)
    return _Answer(text["listener"], plain_id(text["track_id"]), value, *flags)


def _word(text: str, where: str) -> float:
    if text.lower() not in _WORDS:
        raise InputError(f"{where}: answer: must be like or dislike, not {text!r}")
    return _WORDS[text.lower()]


def _rating(text: str, where: str) -> float:
    try:
        rating = float(text)
    except ValueError:
        rating = math.nan
    if not math.isfinite(rating):
        raise InputError(f"{where}: rating: {text!r} must be a number")
    return rating


def _flag(name: str, text: str | None, where: str) -> bool | None:
    if text is None:
        return None
    if text not in _FLAGS:
        raise InputError(f"{where}: {name}: must be 0 or 1, not {text!r}")
    return _FLAGS[text]


# --- arrays ----------------------------------------------------------------------------------------------------------
def _answered(answers: Sequence[_Answer], row: IntArray, like_from: float | None) -> Ratings:
    people: dict[str, int] = {}
    listener = np.array([people.setdefault(answer.listener, len(people)) for answer in answers], dtype=np.int32)
    value = np.array([answer.value for answer in answers])
    return Ratings(
        listener=listener,
        row=row,
        weight=answer_weights(value, _LIKE_FROM if like_from is None else like_from),
        grade=None if like_from is None else _scaled(value),
        judged=None if answers[0].is_judged is None else _flags([answer.is_judged for answer in answers]),
        is_test=None if answers[0].is_test is None else _test_people(answers, people),
        known=None if answers[0].is_known is None else _flags([answer.is_known for answer in answers]),
    )


def _scaled(rating: NDArray[np.float64]) -> FloatArray:
    """Return the ratings from 0, the lowest, to 1, the highest there is; all 0 if they are one."""
    low, high = float(rating.min()), float(rating.max())
    return ((rating - low) / ((high - low) or 1.0)).astype(np.float32)


def _test_people(answers: Sequence[_Answer], people: Mapping[str, int]) -> BoolArray:
    is_test = {answer.listener: answer.is_test for answer in answers}
    return _flags([is_test[name] for name in people])


def _flags(values: Sequence[bool | None]) -> BoolArray:
    return np.array(values, dtype=np.bool_)


def _check_people(answered: Ratings, path: str | Path) -> None:
    """Refuse data that leave nobody to test on or nothing to learn from."""
    if answered.is_test is not None and not answered.is_test.any():
        raise InputError(f"{path}: test is 1 for no listener")
    if answered.is_test is not None and not answered.fitted_on(~answered.is_test).any():
        raise InputError(f"{path}: there is no answer to learn from. At least one row needs 0 for test and for judged.")
    if answered.judged is not None and not answered.judged.any():
        raise InputError(f"{path}: judged is 1 for no answer")


def _notes(answers: Sequence[_Answer], known: Sequence[_Answer], answered: Ratings) -> list[str]:
    likes = float((answered.weight > 0).mean())
    tracks = len(np.unique(answered.row))
    notes = [
        f"answers: {len(answers):,} rows, {len(known):,} of {answered.n_people:,} listeners to {tracks:,} tracks used, "
        f"{likes:.0%} likes"
    ]
    if len(known) < len(answers):
        missing = {answer.track_id for answer in answers} - {answer.track_id for answer in known}
        left_out = f"{len(missing):,} tracks that aren't in the catalogue"
        notes.append(f"skipped: {left_out}, in {len(answers) - len(known):,} answers")
    if nothing_left := len({answer.listener for answer in answers}) - answered.n_people:
        notes.append(f"skipped: {nothing_left:,} listeners, because none of their tracks are in the catalogue")
    return notes
