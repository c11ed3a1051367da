"""The command, without any database: these tests are not given one."""

import importlib.util
import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recommender.engine import NO_REGION, TERMS, Feedback, Interactions
from recommender.operators.peers import PEERS, ease
from recommender.tests.engine.build import make_catalogue

NO_IMPLICIT = importlib.util.find_spec("implicit") is None
METRICS = ("ndcg_at_10", "ndcg_at_100", "recall_at_20")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Forty listeners with a dozen songs each, nearly all by the artists of one of two genres."""
    rng = np.random.default_rng(1)
    songs = [(f"{number:022d}", f"Song {number}", f"Artist {number % 20}", number % 2) for number in range(120)]
    catalogue, interactions = tmp_path / "songs.csv", tmp_path / "plays.csv"
    lines = [f"{pk},{title},{artist},{('folk', 'techno')[genre]}" for pk, title, artist, genre in songs]
    catalogue.write_text("track_id,track_name,artists,track_genre\n" + "\n".join(lines))
    rows = []
    for listener in range(40):
        near = [song for song in songs if song[3] == listener % 2]
        rows += [f"{listener},{near[index][0]},{1 + index % 3}" for index in rng.permutation(60)[:12]]
    interactions.write_text("listener,track_id,plays\n" + "\n".join(rows))
    return interactions, catalogue


def run(files: tuple[Path, Path], *more: str) -> str:
    out = StringIO()
    call_command("evaluate", "--interactions", str(files[0]), "--catalogue", str(files[1]), *more, stdout=out)
    return out.getvalue()


def rows_of(files: tuple[Path, Path], path: Path, *more: str) -> list[dict[str, Any]]:
    run(files, "--json", str(path), *more)
    report: dict[str, Any] = json.loads(path.read_text())
    assert list(report) == ["rows"]
    return list(report["rows"])


def test_one_row_per_scorer_and_amount(files: tuple[Path, Path], tmp_path: Path) -> None:
    rows = rows_of(files, tmp_path / "out.json", "--reveal", "1", "80%")
    assert [(row["reveal"], row["scorer"]) for row in rows] == [
        (reveal, scorer) for reveal in ("1", "80%") for scorer in (*TERMS, "content", "blend", "page")
    ]
    for row in rows:
        assert row["listeners"] == 8
        for metric in METRICS:
            assert 0 <= row[f"{metric}_low"] <= row[metric] <= row[f"{metric}_high"] <= 1
        assert 0 < row["coverage_at_10"] <= 1
    by_name = {row["scorer"]: row for row in rows if row["reveal"] == "80%"}
    assert by_name["genre"]["ndcg_at_10"] > by_name["audio"]["ndcg_at_10"]


def test_the_same_seed_gives_the_same_figures(files: tuple[Path, Path], tmp_path: Path) -> None:
    first, again, other = (
        rows_of(files, tmp_path / f"{number}.json", "--reveal", "5", "--seed", seed)
        for number, seed in enumerate(("3", "3", "4"))
    )
    assert first == again
    assert first != other


def test_the_table_says_what_was_read_and_where_the_blend_is_not_ahead(files: tuple[Path, Path]) -> None:
    output = run(files, "--reveal", "5", "5000")
    assert "catalogue: 120 rows, 120 songs" in output
    assert "8 test listeners, 5 of their tracks revealed" in output
    assert "Skipped, because no test listener has enough tracks to reveal: 5000" in output
    assert "No list covers a listener's whole taste" in output


def test_lists_of_songs_that_nobody_else_has_are_pointed_out(files: tuple[Path, Path]) -> None:
    interactions, _ = files
    one_owner = [f"{listener},{3 * listener + song:022d},1" for listener in range(40) for song in range(3)]
    interactions.write_text("listener,track_id,plays\n" + "\n".join(one_owner))
    output = run(files, "--reveal", "1")
    assert "no training listener has 100% of the test listeners' tracks and 20% of the catalogue: in these" in output


def test_cold_tracks_are_found_among_themselves(files: tuple[Path, Path], tmp_path: Path) -> None:
    rows = {row["scorer"]: row for row in rows_of(files, tmp_path / "o.json", "--reveal", "5", "--cold-tracks")}
    # Of 24 cold tracks, a list of 10 by genre holds its 12 right ones only; who has played them says nothing.
    assert rows["genre"]["ndcg_at_10"] > rows["item_to_item"]["ndcg_at_10"]
    assert rows["page"]["ndcg_at_100"] > 0


@pytest.mark.skipif(NO_IMPLICIT, reason="needs the extra bench (implicit)")
def test_the_peers_are_rows_and_the_best_is_marked(files: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    output = run(files, "--reveal", "5", "--peers", "--json", str(path))
    rows = {row["scorer"]: row for row in json.loads(path.read_text())["rows"]}
    assert set(PEERS) <= set(rows)
    best = max(PEERS, key=lambda name: rows[name]["ndcg_at_10"])
    assert f"{best} *" in output
    blend = rows["blend"]
    assert blend["best_peer"] == best
    gap = blend["ndcg_at_10"] - rows[best]["ndcg_at_10"]
    assert blend["ndcg_at_10_minus_best_peer"] == pytest.approx(gap)
    assert f"5 revealed: blend minus {best}, the best peer: {gap:+.3f}" in output
    # A quarter of the songs of the right genre is known and gone; chance would find one in ten of the others.
    assert rows["ALS-128"]["ndcg_at_10"] > rows["audio"]["ndcg_at_10"]


@pytest.mark.skipif(not NO_IMPLICIT, reason="implicit is installed")
def test_peers_without_the_library_are_refused(files: tuple[Path, Path]) -> None:
    with pytest.raises(CommandError, match="needs the library `implicit`"):
        run(files, "--peers")


def test_ease_is_the_closed_form() -> None:
    listener, row = np.array([0, 0, 1, 1, 2], np.int32), np.array([0, 1, 1, 2, 2], np.int32)
    training = Interactions(listener, row, np.ones(5, np.float32), np.full(3, NO_REGION, np.int32))
    scorer = ease(make_catalogue([[0], [0], [0]]), training, np.random.default_rng(0))
    matrix = np.zeros((3, 3))
    matrix[listener, row] = 1.0
    inverse = np.linalg.inv(matrix.T @ matrix + 100.0 * np.eye(3))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    np.testing.assert_allclose(scorer(Feedback.likes([1])), weights[1], atol=2e-6)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--reveal", "0"], "neither a positive number nor a percentage"),
        (["--reveal", "100%"], "leaves nothing to be found"),
        (["--seed", "-1"], "must be a whole number, 0 or more"),
        (["--reveal", "5000"], "no test listener has enough tracks"),
        (["--json", "/none/out.json"], "can't write there"),
    ],
)
def test_bad_arguments_are_refused(files: tuple[Path, Path], more: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(files, *more)


def test_a_bad_row_is_named(files: tuple[Path, Path]) -> None:
    with files[0].open("a") as file:
        file.write("\nx,y,none\n")
    with pytest.raises(CommandError, match=r"plays\.csv, line 482: plays: 'none' must be a positive number"):
        run(files)
