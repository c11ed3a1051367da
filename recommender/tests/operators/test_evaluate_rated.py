"""``evaluate --answers`` and ``--without``, without any database: these tests are not given one."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Forty listeners who have rated 20 of 40 songs: 4 those of one of two kinds, the others 2."""
    rng = np.random.default_rng(1)
    answers, catalogue = tmp_path / "answers.csv", tmp_path / "songs.csv"
    songs = [f"{number:022d},Song {number},Artist {number}" for number in range(40)]
    catalogue.write_text("track_id,track_name,artists\n" + "\n".join(songs))
    lines = [
        f"{listener},{song:022d},{4 if song % 2 == listener % 2 else 2},{int(listener < 6)}"
        for listener in range(40)
        for song in rng.permutation(40)[:20]
    ]
    answers.write_text("listener,track_id,rating,test\n" + "\n".join(lines))
    return answers, catalogue


def run(files: tuple[Path, Path], *more: str, source: str = "--answers") -> str:
    out = StringIO()
    call_command("evaluate", source, str(files[0]), "--catalogue", str(files[1]), *more, stdout=out)
    return out.getvalue()


def test_rows_and_tables(files: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    printed = run(files, "--like-from", "3", "--reveal", "5", "10", "20", "--without", "genre", "--json", str(path))
    rows: list[dict[str, Any]] = json.loads(path.read_text())["rows"]
    scorers = [row["scorer"] for row in rows if row["reveal"] == "10"]
    assert scorers[:3] == ["model", "model, likes only", "content"]
    assert scorers[-4:] == ["share of likes", "popularity", "low-rank gaussian", "low-rank gaussian, graded"]
    assert "artist" in scorers
    assert "genre" not in scorers
    assert len(rows) == 2 * len(scorers)
    for row in rows:
        assert row["people"] == 6
        for figure in ("auc", "ndcg_at_5"):
            assert 0 <= row[f"{figure}_low"] <= row[figure] <= row[f"{figure}_high"] <= 1
        assert ("auc_minus_likes_only" in row) == (row["scorer"] == "model")
    by_name = {row["scorer"]: row for row in rows if row["reveal"] == "10"}
    assert by_name["low-rank gaussian"]["auc"] > by_name["share of likes"]["auc"] + 0.2
    gain = by_name["model"]["auc"] - by_name["model, likes only"]["auc"]
    assert by_name["model"]["auc_minus_likes_only"] == pytest.approx(gain)
    assert by_name["model"]["auc_minus_likes_only_low"] <= gain <= by_name["model"]["auc_minus_likes_only_high"]
    assert "answers: 800 rows, 800 of 40 listeners to 40 tracks used, 50% likes" in printed
    assert "6 test people, 5 of their answers revealed" in printed
    assert f"10 revealed: AUC of model minus model, likes only: {gain:+.3f} (" in printed
    assert "left out: no test person has enough answers to reveal 20" in printed


def test_in_folds_everybody_is_tested(files: tuple[Path, Path], tmp_path: Path) -> None:
    text = files[0].read_text().replace(",test", ",group")
    files[0].write_text(text)
    path = tmp_path / "out.json"
    run(files, "--like-from", "3", "--reveal", "5", "--folds", "2", "--json", str(path))
    assert {row["people"] for row in json.loads(path.read_text())["rows"]} == {40}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "Ratings need --like-from"),
        (["--like-from", "3", "--reveal", "20"], "no test person has enough answers for --reveal"),
        (["--like-from", "5"], "no test person has enough answers for --reveal"),
        (["--like-from", "3", "--folds", "5"], "told already who is a test person"),
        (["--like-from", "three"], "'three' must be a number"),
        (["--like-from", "3", "--folds", "-1"], "must be a whole number, 0 or more"),
        (["--like-from", "3", "--peers"], "--peers can't be used with --answers"),
        (["--like-from", "3", "--cold-tracks"], "--cold-tracks can't be used with --answers"),
        (["--like-from", "3", "--without", "tempo"], "no term is named 'tempo'; there are artist, album"),
        (["--interactions", "plays.csv"], "not allowed with argument"),
    ],
)
def test_bad_arguments_are_refused(files: tuple[Path, Path], more: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(files, *more)


@pytest.mark.parametrize(("more", "name"), [(["--folds", "0"], "--folds"), (["--like-from", "0"], "--like-from")])
def test_options_of_answers_are_refused_of_interactions(files: tuple[Path, Path], more: list[str], name: str) -> None:
    with pytest.raises(CommandError, match=f"{name} can't be used with --interactions"):
        run(files, *more, source="--interactions")


def test_neither_kind_of_file_is_refused(files: tuple[Path, Path]) -> None:
    with pytest.raises(CommandError, match="one of the arguments --interactions --answers is required"):
        call_command("evaluate", "--catalogue", str(files[1]))


def test_a_term_is_left_out_of_interactions_too(files: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    left_out = ("--without", "item_to_item", "--without", "era")
    run(files, "--reveal", "5", *left_out, "--json", str(path), source="--interactions")
    scorers = {row["scorer"] for row in json.loads(path.read_text())["rows"]}
    assert {"artist", "collaborative", "blend"} <= scorers
    assert not {"item_to_item", "era"} & scorers
