"""The command, without any database: these tests are not given one."""

import importlib.util
import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

NO_IMPLICIT = importlib.util.find_spec("implicit") is None
POLICIES = ["popularity", "static", "greedy", "explore", "explore@0", "explore@1"]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Fifty listeners with twenty songs each by the artists of one of four genres, among 240 songs."""
    rng = np.random.default_rng(1)
    songs = [(f"{number:022d}", f"Song {number}", f"Artist {number % 40}", number % 4) for number in range(240)]
    catalogue, interactions = tmp_path / "songs.csv", tmp_path / "plays.csv"
    lines = [f"{pk},{title},{artist},genre {genre}" for pk, title, artist, genre in songs]
    catalogue.write_text("track_id,track_name,artists,track_genre\n" + "\n".join(lines))
    rows = []
    for listener in range(50):
        near = [song for song in songs if song[3] == listener % 4]
        rows += [f"{listener},{near[index][0]}" for index in rng.permutation(60)[:20]]
    interactions.write_text("listener,track_id\n" + "\n".join(rows))
    return interactions, catalogue


def run(files: tuple[Path, Path], *more: str) -> str:
    out = StringIO()
    args = ("--interactions", str(files[0]), "--catalogue", str(files[1]), "--jobs", "1", *more)
    call_command("simulate", *args, stdout=out)
    return out.getvalue()


def rows_of(files: tuple[Path, Path], path: Path, *more: str) -> list[dict[str, Any]]:
    run(files, "--json", str(path), "--dials", "0", "1", *more)
    report: dict[str, Any] = json.loads(path.read_text())
    assert list(report) == ["rows"]
    return list(report["rows"])


@pytest.fixture
def short() -> tuple[str, ...]:
    return "--rounds", "3", "--listeners", "5"


def test_one_row_per_policy(files: tuple[Path, Path], tmp_path: Path) -> None:
    rows = rows_of(files, tmp_path / "out.json", "--rounds", "4")
    assert [row["policy"] for row in rows] == POLICIES
    for row in rows:
        assert row["listeners"] == 10
        assert len(row["likes_per_round"]) == 4
        assert sum(row["likes_per_round"]) == pytest.approx(row["likes_total"])
        assert 0 <= row["likes_total_low"] <= row["likes_total"] <= row["likes_total_high"] <= 19
        assert 40 / 240 <= row["songs_shown_share"] <= 1
    by_name = {row["policy"]: row for row in rows}
    # Songs of the right genre are half found by chance among 60; what is popular is so in any genre.
    assert by_name["greedy"]["likes_total"] > 2 * by_name["popularity"]["likes_total"]
    assert by_name["explore@0"] == by_name["greedy"] | {"policy": "explore@0"}
    assert by_name["greedy"]["explored_share"] == 0 < by_name["explore"]["explored_share"]
    assert by_name["explore"]["explored_share"] < by_name["explore@1"]["explored_share"]


def test_the_same_seed_gives_the_same_figures_in_any_number_of_processes(
    files: tuple[Path, Path], tmp_path: Path, short: tuple[str, ...]
) -> None:
    first, again, other = (
        rows_of(files, tmp_path / f"{number}.json", *short, "--seed", seed, "--jobs", jobs)
        for number, (seed, jobs) in enumerate((("3", "1"), ("3", "2"), ("4", "1")))
    )
    assert first == again
    assert first != other


def test_a_start_from_nothing(files: tuple[Path, Path], tmp_path: Path, short: tuple[str, ...]) -> None:
    rows = rows_of(files, tmp_path / "out.json", *short, "--start", "0")
    by_name = {row["policy"]: row for row in rows}
    # Nothing is known yet: the first page is the same for all who do not explore.
    assert len({by_name[name]["likes_per_round"][0] for name in ("static", "greedy", "explore@0")}) == 1


def test_page_rules_are_for_every_policy(files: tuple[Path, Path], tmp_path: Path, short: tuple[str, ...]) -> None:
    free, ruled = (rows_of(files, tmp_path / "out.json", *short, *more) for more in ((), ("--page-rules",)))
    changed = [a["policy"] for a, b in zip(free, ruled, strict=True) if a != b]
    assert {"static", "greedy", "explore@1"} <= set(changed)


def test_the_table_names_every_policy(files: tuple[Path, Path], short: tuple[str, ...]) -> None:
    output = run(files, *short, "--dials", "1")
    assert "5 test listeners, 30 songs shown to each, starting from 1" in output
    for policy in ("popularity", "static", "greedy", "explore", "explore@1"):
        assert policy in output


@pytest.mark.skipif(NO_IMPLICIT, reason="needs the extra bench")
def test_als_plays_too(files: tuple[Path, Path], tmp_path: Path, short: tuple[str, ...]) -> None:
    for start in ("1", "0"):
        rows = rows_of(files, tmp_path / "out.json", *short, "--peers", "--start", start)
        assert [row["policy"] for row in rows] == [*POLICIES, "als"]
        assert rows[-1]["likes_total"] > 0


@pytest.mark.skipif(not NO_IMPLICIT, reason="the extra bench is there")
def test_peers_that_are_missing_are_named(files: tuple[Path, Path]) -> None:
    with pytest.raises(CommandError, match="needs the library `implicit`"):
        run(files, "--peers")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--start", "20"), "no test listener has more than 20 songs"),
        (("--start", "-1"), "'-1' must be a whole number, 0 or more"),
        (("--rounds", "0"), "'0' must be a whole number, 1 to 1,000"),
        (("--rounds", "100000"), "'100000' must be a whole number, 1 to 1,000"),
        (("--dials", "1.5"), r"'1\.5' must be between 0 and 1"),
        (("--json", "/nowhere/out.json"), "/nowhere/out.json: "),
    ],
)
def test_bad_arguments_are_named(files: tuple[Path, Path], more: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(files, "--listeners", "2", *more)


def test_a_file_that_is_missing_is_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.csv"):
        run((tmp_path / "none.csv", files[1]))


# --- answers ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def answers(tmp_path: Path) -> tuple[Path, Path]:
    """Eighty listeners who have rated 20 of 60 songs: 4 those of one of two kinds, the others 2."""
    rng = np.random.default_rng(1)
    path, catalogue = tmp_path / "answers.csv", tmp_path / "answered.csv"
    songs = [f"{number:022d},Song {number},Artist {number}" for number in range(60)]
    catalogue.write_text("track_id,track_name,artists\n" + "\n".join(songs))
    lines = [
        f"{listener},{song:022d},{4 if song % 2 == listener % 2 else 2}"
        for listener in range(80)
        for song in rng.permutation(60)[:20]
    ]
    path.write_text("listener,track_id,rating\n" + "\n".join(lines))
    return path, catalogue


def run_answers(files: tuple[Path, Path], *more: str) -> str:
    out = StringIO()
    call_command("simulate", "--answers", str(files[0]), "--catalogue", str(files[1]), "--jobs", "1", *more, stdout=out)
    return out.getvalue()


def answer_rows_of(files: tuple[Path, Path], path: Path, *more: str) -> dict[str, dict[str, Any]]:
    run_answers(files, "--like-from", "3", "--rounds", "2", "--dials", "0", "--json", str(path), *more)
    return {row["policy"]: row for row in json.loads(path.read_text())["rows"]}


def test_listeners_who_answer_like_dislike_and_skip(answers: tuple[Path, Path], tmp_path: Path) -> None:
    by_name = answer_rows_of(answers, tmp_path / "out.json", "--dislike-share", "1")
    assert list(by_name) == ["popularity", "static", "greedy", "explore", "explore@0"]
    for row in by_name.values():
        assert row["listeners"] == 16
        # Twenty songs are shown, and what is not liked is disliked.
        assert row["likes_total"] + row["dislikes_total"] == pytest.approx(20)
        assert row["dislikes_total_low"] <= row["dislikes_total"] <= row["dislikes_total_high"]
    # Half of the songs are for each kind of listener.
    assert by_name["greedy"]["likes_total"] > by_name["popularity"]["likes_total"] + 3


def test_nobody_dislikes_where_no_share_of_the_noes_is_said(answers: tuple[Path, Path], tmp_path: Path) -> None:
    skipping = answer_rows_of(answers, tmp_path / "out.json", "--dislike-share", "0")
    usual = answer_rows_of(answers, tmp_path / "out.json")
    assert {row["dislikes_total"] for row in skipping.values()} == {0.0}
    # What is popular is so whatever is said: the same songs are shown to the same people.
    assert usual["popularity"]["likes_total"] == skipping["popularity"]["likes_total"]
    noes = 20 - usual["popularity"]["likes_total"]
    assert 0.1 * noes < usual["popularity"]["dislikes_total"] < 0.5 * noes


def test_answers_give_the_same_figures_in_any_number_of_processes(answers: tuple[Path, Path], tmp_path: Path) -> None:
    seeds = (("3", "1"), ("3", "2"), ("4", "1"))
    first, again, other = (
        answer_rows_of(answers, tmp_path / "out.json", "--seed", seed, "--jobs", jobs) for seed, jobs in seeds
    )
    assert first == again
    assert first != other


def test_only_test_listeners_of_the_file_play(answers: tuple[Path, Path], tmp_path: Path) -> None:
    header, *lines = answers[0].read_text().splitlines()
    flagged = [f"{line},{int(line.startswith('7,'))}" for line in lines]
    answers[0].write_text("\n".join([f"{header},test", *flagged]))
    assert answer_rows_of(answers, tmp_path / "out.json")["greedy"]["listeners"] == 1


def test_the_table_of_answers_tells_dislikes_and_what_likes_rest_on(answers: tuple[Path, Path]) -> None:
    printed = run_answers(answers, "--like-from", "3", "--rounds", "1", "--listeners", "2", "--dials", "0")
    assert "2 test listeners, 10 songs shown to each, starting from 1" in printed
    assert "dislikes" in printed
    assert "a model of all answers" in printed
    # No figure is cut off where nothing tells how wide the output may be.
    assert "…" not in printed


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "Ratings need --like-from"),
        (("--like-from", "3", "--start", "21"), r"answers\.csv: no test listener has liked 21 songs"),
        (("--like-from", "3", "--dislike-share", "1.1"), r"'1\.1' must be between 0 and 1"),
        (("--like-from", "three"), "'three' must be a number"),
        (("--interactions", "plays.csv"), "not allowed with argument"),
    ],
)
def test_bad_arguments_of_answers_are_named(answers: tuple[Path, Path], more: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run_answers(answers, *more)


@pytest.mark.parametrize("more", [("--like-from", "0"), ("--dislike-share", "0")])
def test_options_of_answers_are_refused_of_lists(files: tuple[Path, Path], more: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match=f"{more[0]} can't be used with --interactions"):
        run(files, *more)


def test_neither_kind_of_file_is_refused(files: tuple[Path, Path]) -> None:
    with pytest.raises(CommandError, match="one of the arguments --interactions --answers is required"):
        call_command("simulate", "--catalogue", str(files[1]))


# --- the learning loop -----------------------------------------------------------------------------------------------
CURVES = ["greedy", "explore@0.3", "explore@1", "popularity", "random"]


@pytest.fixture
def loop() -> tuple[str, ...]:
    return "--loop", "--rounds", "3", "--retrain-every", "2", "--sites", "2", "--listeners", "8", "--dials", "1"


def loop_report(output: str, path: Path) -> tuple[dict[str, dict[str, Any]], Any]:
    report = json.loads(path.read_text())
    assert list(report) == ["curves", "answer_model"]
    curves = {curve["policy"]: curve for curve in report["curves"]}
    assert list(curves) == CURVES
    for name in CURVES:
        assert f"\n{name} " in output
    return curves, report["answer_model"]


def test_sites_of_people_who_answer_learn(answers: tuple[Path, Path], tmp_path: Path, loop: tuple[str, ...]) -> None:
    path = tmp_path / "out.json"
    output = run_answers(answers, "--like-from", "3", "--json", str(path), *loop)
    curves, check = loop_report(output, path)
    assert "8 listeners on 2 sites, retrained every 2 pages of 10 songs" in output
    assert "The answer model on 40 people it was not fitted on" in output
    assert check["people"] == 40
    # Who likes the even songs likes no odd one: the answer model finds it out, and popularity cannot.
    assert check["quality"]["answer model"]["auc"]["low"] > 0.9
    assert check["quality"]["popularity"]["auc"]["high"] < 0.65
    for curve in curves.values():
        assert [len(curve[name]) for name in ("likes", "total_likes", "total_regret", "songs_shown")] == [3] * 4
        totals = [total["mean"] for total in curve["total_likes"]]
        assert totals[-1] == pytest.approx(sum(each["mean"] for each in curve["likes"]))
        assert curve["songs_shown"] == sorted(curve["songs_shown"])
    # At best thirty songs of the sixty are liked, less the three known at first and what is drawn otherwise.
    assert curves["greedy"]["total_regret"][-1]["mean"] < curves["random"]["total_regret"][-1]["mean"]
    assert curves["greedy"]["ahead"] is None
    assert curves["explore@1"]["ahead"][-1]["mean"] == pytest.approx(
        curves["explore@1"]["total_likes"][-1]["mean"] - curves["greedy"]["total_likes"][-1]["mean"]
    )
    for name in ("explore@0.3", "explore@1"):
        is_paid = curves[name]["pays_from"] is not None
        assert (f"{name} is not behind from round" in output, f"{name} does not pay for itself" in output) == (
            is_paid,
            not is_paid,
        )


def test_sites_of_lists_start_with_nothing_or_with_the_training_listeners(
    files: tuple[Path, Path], tmp_path: Path, loop: tuple[str, ...]
) -> None:
    path = tmp_path / "out.json"
    new, check = loop_report(run(files, "--json", str(path), *loop), path)
    assert check is None
    output = run(files, "--json", str(path), "--established", *loop)
    established, _check = loop_report(output, path)
    assert "sites start with what training listeners answered and 3 likes of each listener" in output
    # Forty listeners with a quarter of the genres each have told which songs go together.
    assert established["greedy"]["total_likes"][-1]["mean"] > new["random"]["total_likes"][-1]["mean"] + 2.0
    assert established["random"] == new["random"] | {"ahead": established["random"]["ahead"]} | {
        "pays_from": established["random"]["pays_from"]
    }


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--loop", "--peers"), "--peers can't be used with --loop"),
        (("--loop", "--page-rules"), "--page-rules can't be used with --loop"),
        (("--sites", "2"), "--sites can only be used with --loop"),
        (("--retrain-every", "2"), "--retrain-every can only be used with --loop"),
        (("--established",), "--established can only be used with --loop"),
        (("--loop", "--retrain-every", "0"), "'0' must be a whole number, 1 or more"),
        (("--loop", "--start", "20"), "no test listener has 20 liked songs to start from"),
        (("--loop", "--like-from", "3"), "--like-from can't be used with --interactions"),
    ],
)
def test_bad_arguments_of_the_loop_are_named(files: tuple[Path, Path], more: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(files, *more)
