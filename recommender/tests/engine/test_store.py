from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender.engine import (
    Feedback,
    Model,
    ModelDamagedError,
    ModelFormatError,
    ModelMissingError,
    Request,
    load_model,
    read_manifest,
    recommend,
    save_model,
    store,
)

RNG = np.random.default_rng(0)
VECTORS = "term.audio.vectors.npy"


@pytest.fixture
def path(model: Model, tmp_path: Path) -> Path:
    save_model(model, tmp_path / "models" / "7")
    return tmp_path / "models" / "7"


def edit_manifest(path: Path, **values: object) -> None:
    file = path / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def test_a_loaded_model_recommends_the_same(model: Model, feedback: Feedback, path: Path) -> None:
    loaded = load_model(path, verify=True)
    assert recommend(loaded, feedback, Request(), RNG) == recommend(model, feedback, Request(), RNG)
    assert loaded.config == model.config
    assert loaded.weights == model.weights
    assert loaded.metadata == {"note": "a test"}
    assert read_manifest(path)["metadata"] == {"note": "a test"}


def test_moments_are_kept_and_a_model_without_them_serves(model: Model, path: Path, tmp_path: Path) -> None:
    for name, moments in load_model(path).score_statistics.items():
        stored = model.score_statistics[name].arrays().values()
        for expected, actual in zip(stored, moments.arrays().values(), strict=True):
            np.testing.assert_array_equal(expected, actual)
    save_model(replace(model, score_statistics={}), tmp_path / "earlier")
    assert load_model(tmp_path / "earlier").score_statistics == {}


def test_a_ranker_of_other_features_is_another_format(path: Path) -> None:
    ranker = read_manifest(path)["ranker"]
    edit_manifest(path, ranker=ranker | {"features": ranker["features"][1:]})
    with pytest.raises(ModelFormatError, match="other features"):
        load_model(path)


def test_a_model_with_a_term_that_is_no_longer_opens_without_it(model: Model, path: Path, feedback: Feedback) -> None:
    manifest = read_manifest(path)
    assert model.ranker is not None
    weights = {name: manifest[name] for name in ("weights", "content_weights")}
    for entry in weights.values():
        entry["terms"]["ease"] = [0.1] * len(entry["amounts"])
    ranker = manifest["ranker"] | {"features": [*manifest["ranker"]["features"], "ease.standard"]}
    config = manifest["config"] | {"ease": {"items": 4000}, "answers": {"weight": 1.2}}
    edit_manifest(path, terms=[*manifest["terms"], "ease"], ranker=ranker, config=config, **weights)
    opened = load_model(path)
    assert opened.terms.keys() == model.terms.keys()
    assert opened.weights == model.weights
    assert opened.ranker is None
    blend = replace(model, ranker=None)
    assert recommend(opened, feedback, Request(), RNG) == recommend(blend, feedback, Request(), RNG)


def test_arrays_are_memory_mapped_and_read_only(path: Path) -> None:
    vectors = load_model(path).terms["audio"].arrays()["vectors"]
    assert not vectors.flags.owndata
    assert not vectors.flags.writeable
    root = vectors
    while not isinstance(root, np.memmap):
        assert isinstance(root.base, np.ndarray)
        root = root.base
    assert Path(str(root.filename)).name == VECTORS


def test_nothing_temporary_is_left(path: Path) -> None:
    assert [entry.name for entry in path.parent.iterdir()] == ["7"]


def test_a_version_is_never_overwritten(model: Model, path: Path) -> None:
    with pytest.raises(FileExistsError):
        save_model(model, path)
    load_model(path, verify=True)


def test_a_failed_save_leaves_nothing(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(directory: Path) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(store, "_sync_directory", full)
    with pytest.raises(OSError, match="No space left"):
        save_model(model, tmp_path / "8")
    assert list(tmp_path.iterdir()) == []


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="no model there"):
        load_model(tmp_path / "9")


def test_a_file_that_is_gone(path: Path) -> None:
    (path / VECTORS).unlink()
    with pytest.raises(ModelDamagedError, match=f"{VECTORS}: missing"):
        load_model(path)


def test_a_file_that_is_cut_off(path: Path) -> None:
    content = (path / VECTORS).read_bytes()
    (path / VECTORS).write_bytes(content[:-4])
    with pytest.raises(ModelDamagedError, match=f"{VECTORS}: {len(content) - 4} bytes instead of {len(content)}"):
        load_model(path)


def test_a_changed_byte_is_found_when_verifying(path: Path) -> None:
    content = bytearray((path / VECTORS).read_bytes())
    content[-1] ^= 1
    (path / VECTORS).write_bytes(content)
    load_model(path)
    with pytest.raises(ModelDamagedError, match=f"{VECTORS}: checksum does not match"):
        load_model(path, verify=True)


def test_a_broken_header(path: Path) -> None:
    content = (path / VECTORS).read_bytes()
    (path / VECTORS).write_bytes(b"\0" * len(content))
    with pytest.raises(ModelDamagedError, match=VECTORS):
        load_model(path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 2}'])
def test_a_broken_manifest(path: Path, content: str) -> None:
    (path / "manifest.json").write_text(content)
    with pytest.raises(ModelDamagedError, match=r"manifest\.json"):
        load_model(path)


def test_no_manifest(path: Path) -> None:
    (path / "manifest.json").unlink()
    with pytest.raises(ModelDamagedError, match=r"no manifest\.json"):
        load_model(path)


@pytest.mark.parametrize("name", ["manifest.json", VECTORS])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link to nothing"])
def test_what_is_no_file_is_missing(path: Path, name: str, kind: str) -> None:
    file = path / name
    file.unlink()
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        file.symlink_to("/dev/zero" if kind == "device" else "nowhere")
    with pytest.raises(ModelDamagedError, match=f"no {name}" if name == "manifest.json" else f"{name}: missing"):
        load_model(path)


def test_a_manifest_that_is_too_large_is_not_read(path: Path) -> None:
    with (path / "manifest.json").open("r+b") as file:
        file.truncate(store.MANIFEST_BYTES + 1)
    with pytest.raises(ModelDamagedError, match=r"manifest\.json is larger than 16777216 bytes"):
        load_model(path)


def test_a_manifest_that_forgets_an_array(path: Path) -> None:
    arrays = read_manifest(path)["arrays"]
    del arrays["term.audio.vectors"]
    edit_manifest(path, arrays=arrays)
    with pytest.raises(ModelDamagedError, match="vectors"):
        load_model(path)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"format": 0}, id="format"),
        pytest.param({"terms": ["telepathy"]}, id="term"),
        pytest.param({"config": {"mood": 1}}, id="config"),
    ],
)
def test_another_format(path: Path, values: dict[str, object]) -> None:
    edit_manifest(path, **values)
    with pytest.raises(ModelFormatError):
        load_model(path)


def test_a_manifest_cannot_point_outside_its_directory(path: Path) -> None:
    arrays = read_manifest(path)["arrays"]
    arrays["term.audio.vectors"]["file"] = "../../secret.npy"
    edit_manifest(path, arrays=arrays)
    with pytest.raises(ModelDamagedError, match=r"7/secret\.npy: missing"):
        load_model(path)
