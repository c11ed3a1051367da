import gzip
from pathlib import Path

import numpy as np
import pytest

from recommender.adapters.files import InputError
from recommender.adapters.rated_files import AnswerInputs, answer_weights, read_answers

SONGS = [f"{letter * 22},Song {letter},Artist {letter}" for letter in "abc"]


def read(folder: Path, text: str, like_from: float | None = None) -> AnswerInputs:
    answers, catalogue = folder / "answers.csv", folder / "songs.csv"
    answers.write_text(text, encoding="utf-8")
    catalogue.write_text("track_id,track_name,artists\n" + "\n".join(SONGS) + "\n", encoding="utf-8")
    return read_answers(answers, catalogue, like_from)


def test_words_are_likes_and_dislikes(tmp_path: Path) -> None:
    rows = [f"x,one,{'b' * 22},like", f"y,two,{'a' * 22},Dislike", f"x,three,spotify:track:{'c' * 22}, DISLIKE "]
    answered = read(tmp_path, "Listener,more,TRACK_ID,answer\n" + "\n".join(rows)).answered
    assert answered.listener.tolist() == [0, 1, 0]
    assert answered.row.tolist() == [1, 0, 2]
    assert answered.weight.tolist() == [1.0, -1.0, -1.0]
    assert answered.grade is None
    assert answered.judged is None
    assert answered.is_test is None


def test_ratings_are_likes_from_a_number_on(tmp_path: Path) -> None:
    rows = [f"x,{letter * 22},{rating}" for letter, rating in zip("abc", ("1", "2.5", "4"), strict=True)]
    answered = read(tmp_path, "listener,track_id,rating\n" + "\n".join(rows), like_from=2.5).answered
    assert answered.weight.tolist() == [-1.0, 0.5, 1.0]
    assert answered.grade is not None
    assert answered.grade.tolist() == [0.0, 0.5, 1.0]


def test_the_ratings_decide_where_they_are_asked_for(tmp_path: Path) -> None:
    text = f"listener,track_id,answer,rating\nx,{'a' * 22},like,1\nx,{'b' * 22},odd,5\n"
    assert read(tmp_path, text, like_from=3).answered.weight.tolist() == [-1.0, 1.0]
    with pytest.raises(InputError, match="line 3: answer: must be like or dislike, not 'odd'"):
        read(tmp_path, text)


def test_ratings_that_are_all_one_are_of_grade_zero(tmp_path: Path) -> None:
    answered = read(tmp_path, f"listener,track_id,rating\nx,{'a' * 22},4\ny,{'a' * 22},4\n", like_from=5).answered
    assert answered.grade is not None
    assert answered.grade.tolist() == [0.0, 0.0]
    assert answered.weight.tolist() == [-1.0, -1.0]


def test_who_is_tested_and_what_is_judged(tmp_path: Path) -> None:
    rows = [f"x,{'a' * 22},like,1,0", f"y,{'a' * 22},like,0,1", f"x,{'b' * 22},dislike,1,1", f"y,{'b' * 22},like,0,0"]
    answered = read(tmp_path, "listener,track_id,answer,test,judged\n" + "\n".join(rows)).answered
    assert answered.is_test is not None
    assert answered.is_test.tolist() == [True, False]
    assert answered.judged is not None
    assert answered.judged.tolist() == [False, True, True, False]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    rows = [f"x,{'a' * 22},like,0", f"y,{'z' * 22},like,1", f"x,{'z' * 22},like,0", f"z,{'c' * 22},dislike,1"]
    inputs = read(tmp_path, "listener,track_id,answer,test\n" + "\n".join(rows))
    assert inputs.answered.listener.tolist() == [0, 1]
    assert inputs.answered.is_test is not None
    assert inputs.answered.is_test.tolist() == [False, True]
    assert inputs.notes == (
        "catalogue: 3 rows, 3 songs",
        "answers: 4 rows, 2 of 2 listeners to 2 tracks used, 50% likes",
        "skipped: 1 tracks that aren't in the catalogue, in 2 answers",
        "skipped: 1 listeners, because none of their tracks are in the catalogue",
    )


def test_gzip_is_read(tmp_path: Path) -> None:
    read(tmp_path, f"listener,track_id,answer\nx,{'a' * 22},like\n")
    path = tmp_path / "answers.csv.gz"
    path.write_bytes(gzip.compress(f"\ufefflistener,track_id,answer\r\nx,{'c' * 22},like\r\n".encode()))
    assert read_answers(path, tmp_path / "songs.csv").answered.row.tolist() == [2]


def test_a_like_and_a_dislike_weigh_alike() -> None:
    assert answer_weights(np.array([1.0, 2.99, 3.0, 4.0]), 3.0).tolist() == [-1.0, -0.5, 0.5, 1.0]
    assert answer_weights(np.array([5.0, 1.0, 5.0]), 3.0).tolist() == [1.0, -1.0, 1.0]
    assert answer_weights(np.array([4.0, 3.0]), 3.0).tolist() == [1.0, 0.5]
    assert answer_weights(np.array([2.0]), 3.0).tolist() == [-1.0]


A, B = "a" * 22, "b" * 22


@pytest.mark.parametrize(
    ("text", "like_from", "message"),
    [
        (
            "listener,answer\nx,like\n",
            None,
            "line 1: the column 'track_id' is missing. Expected listener,track_id,answer[,test]",
        ),
        ("user,track_id,answer\nx,a,like\n", None, "line 1: the column 'listener' is missing."),
        ("listener,track_id\nx,a\n", None, "line 1: the column 'answer' is missing."),
        ("listener,track_id,rating\nx,a,3\n", None, "'rating']. Ratings need --like-from."),
        (
            "listener,track_id,answer\nx,a,like\n",
            3.0,
            "line 1: the column 'rating' is missing. Expected listener,track_id,rating",
        ),
        (
            "listener,track_id,answer\n\nx,a,like\nx,b,maybe\n",
            None,
            "line 4: answer: must be like or dislike, not 'maybe'",
        ),
        ("listener,track_id,answer\nx,a,\n", None, "line 2: answer: must be like or dislike, not ''"),
        ("listener,track_id,rating\nx,a,good\n", 3.0, "line 2: rating: 'good' must be a number"),
        ("listener,track_id,rating\nx,a,nan\n", 3.0, "line 2: rating: 'nan' must be a number"),
        ("listener,track_id,rating\nx,a,\n", 3.0, "line 2: rating: '' must be a number"),
        ("listener,track_id,answer,test\nx,a,like,yes\n", None, "line 2: test: must be 0 or 1, not 'yes'"),
        ("listener,track_id,answer,judged\nx,a,like,\n", None, "line 2: judged: must be 0 or 1, not ''"),
        ("listener,track_id,answer\nx, ,like\n", None, "line 2: track_id is empty"),
        ("listener,track_id,answer\n ,a,like\n", None, "line 2: listener is empty"),
        ("listener,track_id,answer\nx,a\n", None, "line 2: has only 2 fields, fewer than there are columns"),
        (
            f"listener,track_id,answer\nx,{A},like\ny,{A},like\nx,spotify:track:{A},dislike\n",
            None,
            f"line 4: listener 'x' already answered '{A}' in line 2",
        ),
        (
            "listener,track_id,answer,test\nx,a,like,1\nx,b,like,0\n",
            None,
            "line 3: test: listener 'x' has another value in line 2",
        ),
        (f"listener,track_id,answer,test\nx,{A},like,0\n", None, "test is 1 for no listener"),
        (f"listener,track_id,answer,test\nx,{A},like,1\n", None, "there is no answer to learn from"),
        (
            f"listener,track_id,answer,test,judged\nx,{A},like,1,0\ny,{B},like,0,1\n",
            None,
            "there is no answer to learn from",
        ),
        (f"listener,track_id,answer,judged\nx,{A},like,0\n", None, "judged is 1 for no answer"),
        ("listener,track_id,answer\n", None, "has a header but no rows"),
        ("listener,track_id,answer\nx,unknown,like\n", None, "none of its tracks are in"),
        ("", None, "the file is empty"),
    ],
)
def test_bad_answers_are_refused_by_file_and_line(
    tmp_path: Path, text: str, like_from: float | None, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, like_from)
    assert str(caught.value).startswith(str(tmp_path / "answers.csv"))
    assert message in str(caught.value)


def test_what_was_known_is_read_where_somebody_said(tmp_path: Path) -> None:
    rows = f"listener,track_id,answer,known\nx,{A},like,1\nx,{B},dislike,0\n"
    answered = read(tmp_path, rows).answered
    assert answered.known is not None
    assert answered.known.tolist() == [True, False]
    assert read(tmp_path, f"listener,track_id,answer\nx,{A},like\n").answered.known is None
