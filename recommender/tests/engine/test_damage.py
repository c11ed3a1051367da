"""A damaged model is refused with the name of what is damaged, or gives the same scores: never others, never a crash.

`-s` prints the table of what was flipped and cut, and what came of it.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from recommender.engine import EngineError, ModelDamagedError, load_model
from recommender.engine.store import DIGEST, MANIFEST, manifest_digest
from recommender.tests.engine.stored.rescore import SCORES, open_stored, scores_of

LISTENER = json.loads(SCORES.read_text())[0]
FLIPS, CUTS = 8, 4


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the stored model with a digest in its manifest, as this release writes it."""
    folder = tmp_path_factory.mktemp("damage")
    open_stored(folder)
    seal(folder / "model")
    return folder / "model"


def seal(path: Path) -> None:
    manifest = json.loads((path / MANIFEST).read_text())
    (path / MANIFEST).write_text(json.dumps(manifest | {DIGEST: manifest_digest(manifest)}, indent=1))


def damages(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the content with one bit of it flipped, at places all over it, and cut off."""
    for number in range(min(FLIPS, 8 * len(content))):
        bit = (number * 8 * len(content)) // FLIPS + number
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        yield "flipped", bytes(changed)
    for number in range(CUTS):
        yield "cut", content[: number * len(content) // CUTS]


def test_every_file_flipped_and_cut(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "model"
    shutil.copytree(whole, path)
    expected, table = scores_of(load_model(path, verify=True), LISTENER), {}
    for file in sorted(path.iterdir()):
        outcomes: Counter[str] = Counter()
        content = file.read_bytes()
        for kind, damaged in damages(content):
            file.write_bytes(damaged)
            outcomes[f"{kind}, {outcome(path, file.name, expected)}"] += 1
        file.write_bytes(content)
        table[file.name] = outcomes
    print(*(f"{name}: {dict(outcomes)}" for name, outcomes in table.items()), sep="\n")
    total = sum(table.values(), Counter[str]())
    assert set(total) <= {"flipped, refused by its name", "cut, refused by its name", "flipped, the same scores"}
    assert total["cut, refused by its name"] == CUTS * len(table)
    # What may change without a word is a manifest's white space, or the name of its digest.
    assert {name for name, outcomes in table.items() if outcomes["flipped, the same scores"]} <= {MANIFEST}


def outcome(path: Path, name: str, expected: dict[str, object]) -> str:
    try:
        model = load_model(path, verify=True)
    except EngineError as error:
        return "refused by its name" if name in str(error) else f"refused as {error}"
    return "the same scores" if scores_of(model, LISTENER) == expected else "other scores"


@pytest.mark.parametrize(
    "name",
    [
        "term.genre.indices",
        "term.genre.indptr",
        "term.artist.related_indices",
        "term.artist.related_indptr",
        "term.artist.credit_track",
        "term.artist.credit_indptr",
        "term.album.tracks",
        "term.album.indptr",
        "term.item_to_item.indices",
        "term.item_to_item.indptr",
        "term.collaborative.place",
        "term.preference.place",
        "ranker.feature",
        "moments.genre.products_indices",
        "moments.genre.products_indptr",
        "catalogue.artist_indices",
        "catalogue.genre_indptr",
    ],
)
@pytest.mark.parametrize("value", [-7, 1 << 29])
def test_an_index_that_points_outside_is_refused_though_checksums_fit(
    whole: Path, tmp_path: Path, name: str, value: int
) -> None:
    path = tmp_path / "model"
    shutil.copytree(whole, path)
    array = np.load(path / f"{name}.npy").copy()
    array.flat[array.size - 1] = value
    np.save(path / f"{name}.npy", array)
    with pytest.raises(ModelDamagedError, match=r"outside|must not decrease|expected"):
        load_model(path)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("[" * 100_000, id="deep list"),
        pytest.param('{"a":' * 100_000, id="deep object"),
        pytest.param('{"format": ' + "9" * 5000 + "}", id="a number of 5,000 digits"),
        pytest.param("\ud800".encode("utf-16", "surrogatepass").decode("latin-1"), id="foreign bytes"),
    ],
)
def test_a_manifest_that_no_parser_takes_is_one_line(whole: Path, tmp_path: Path, content: str) -> None:
    path = tmp_path / "model"
    shutil.copytree(whole, path)
    (path / MANIFEST).write_text(content)
    with pytest.raises(ModelDamagedError, match=MANIFEST) as refused:
        load_model(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("spoil", [lambda entry: entry.update(arrays=7), lambda entry: entry.update(terms=None)])
def test_whatever_is_wrong_counts_as_damaged(
    whole: Path, tmp_path: Path, spoil: Callable[[dict[str, object]], None]
) -> None:
    path = tmp_path / "model"
    shutil.copytree(whole, path)
    manifest = json.loads((path / MANIFEST).read_text())
    spoil(manifest)
    (path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ModelDamagedError):
        load_model(path)
