"""Storing a fitted model: a directory of .npy files and a manifest, written beside its place and renamed into it.

A reader sees the whole model or none. Arrays are memory-mapped, so worker processes share them. No pickle anywhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from recommender.engine.answers import Answers
from recommender.engine.arrays import AnyArray
from recommender.engine.blend import BlendWeights
from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue
from recommender.engine.errors import (
    InvalidDataError,
    ModelDamagedError,
    ModelFormatError,
    ModelMissingError,
)
from recommender.engine.model import Model
from recommender.engine.moments import Moments
from recommender.engine.ranking import Layout, Ranker, TrackAttributes, Trees
from recommender.engine.shortlist import OpenIndex, Shortlist
from recommender.engine.terms import TERMS

FORMAT = 3
MANIFEST = "manifest.json"


def save_model(model: Model, path: Path) -> None:
    """Write `model` as the new directory `path`, whole or not at all.

    Raises FileExistsError if `path` exists (a version is never overwritten) and OSError if it cannot be written.
    """
    if path.exists():
        raise FileExistsError(f"{path} exists")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        files = {name: _write_array(temporary, name, array) for name, array in _all_arrays(model).items()}
        shortlist = _write_shortlist(model.shortlist, temporary)
        _write_bytes(temporary / MANIFEST, json.dumps(_manifest(model, files, shortlist), indent=1).encode())
        _sync_directory(temporary)
        # mkdtemp makes it private; a model is as readable as the process's other files.
        temporary.chmod(0o777 & ~_umask())
        temporary.rename(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _sync_directory(path.parent)


def load_model(
    path: Path,
    verify: bool = False,
    open_index: OpenIndex | None = None,
    pause: Callable[[Path], object] | None = None,
) -> Model:
    """Open the model at `path` with its arrays memory-mapped; nothing big is read or copied.

    open_index: opens the indices of its shortlist, if it has one; without it, or where it returns None, all tracks are
    scored.
    Names, sizes, shapes and types of all files are checked, with `verify` their SHA-256 as well (reads everything).
    `pause(file)` is called before each array's file is opened, for who wants to give way to others.
    Raises ModelMissingError, ModelDamagedError or ModelFormatError.
    """
    manifest = read_manifest(path)
    try:
        arrays = {}
        for name, entry in manifest["arrays"].items():
            if pause is not None:
                pause(path / Path(entry["file"]).name)
            arrays[name] = _open_array(path, entry, verify)
        model = _assemble(manifest, arrays)
        entry = manifest.get("shortlist")
        return model if entry is None else _with_shortlist(model, entry, arrays, path, verify, open_index)
    except ModelFormatError:
        raise
    except (KeyError, TypeError, AttributeError, InvalidDataError) as error:
        raise ModelDamagedError(f"{path}: {MANIFEST} and files do not fit together: {error}") from error


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of the model at `path`: format, config, weights, metadata, arrays. Raises as `load_model`."""
    if not path.is_dir():
        raise ModelMissingError(f"{path}: no model there")
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise ModelDamagedError(f"{path}: no {MANIFEST}") from error
    except ValueError as error:
        raise ModelDamagedError(f"{path}: {MANIFEST} cannot be read: {error}") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("arrays"), dict):
        raise ModelDamagedError(f"{path}: {MANIFEST} does not describe a model")
    if manifest.get("format") != FORMAT:
        raise ModelFormatError(f"{path}: format {manifest.get('format')!r}, this engine reads {FORMAT}")
    return manifest


def listed_files(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Bytes of each file that lies beside the manifest, by name. Raises ModelDamagedError.

    A name is that of a file in the model's own folder, wherever the manifest came from.
    """
    try:
        entries = [*manifest["arrays"].values(), *(manifest.get("shortlist") or {"indices": {}})["indices"].values()]
        files = {str(entry["file"]): int(entry["bytes"]) for entry in entries}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelDamagedError(f"{MANIFEST} does not list its files: {error!r}") from error
    for name in files:
        if name in ("", ".", "..", MANIFEST) or "\0" in name or "\\" in name or Path(name).name != name:
            raise ModelDamagedError(f"{MANIFEST} lists {name!r}, which is no name of a file beside it")
    return files


def _all_arrays(model: Model) -> dict[str, AnyArray]:
    arrays = {f"catalogue.{name}": array for name, array in model.catalogue.arrays().items()}
    for term_name, term in model.terms.items():
        arrays |= {f"term.{term_name}.{name}": array for name, array in term.arrays().items()}
    arrays |= {f"attributes.{name}": array for name, array in model.attributes.arrays().items()}
    for term_name, moments in model.moments.items():
        arrays |= {f"moments.{term_name}.{name}": array for name, array in moments.arrays().items()}
    if model.ranker is not None:
        arrays |= {f"ranker.{name}": array for name, array in model.ranker.trees.arrays().items()}
    if model.answers is not None:
        arrays |= {f"answers.{name}": array for name, array in model.answers.arrays().items()}
    if model.shortlist is not None:
        arrays |= {f"shortlist.{name}": array for name, array in model.shortlist.arrays().items()}
    return arrays


def _manifest(
    model: Model, files: Mapping[str, Mapping[str, Any]], shortlist: Mapping[str, Any] | None
) -> dict[str, Any]:
    more = {} if shortlist is None else {"shortlist": shortlist}
    return more | {
        "format": FORMAT,
        "config": model.config.to_dict(),
        "weights": _weights_entry(model.weights),
        "content_weights": _weights_entry(model.content_weights),
        "terms": list(model.terms),
        "ranker": _ranker_entry(model),
        "feature_columns": model.catalogue.feature_columns,
        "metadata": dict(model.metadata),
        "arrays": files,
    }


def _assemble(manifest: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> Model:
    unknown = set(manifest["terms"]) - set(TERMS)
    if unknown:
        raise ModelFormatError(f"terms unknown to this engine: {', '.join(sorted(unknown))}")
    try:
        config = EngineConfig.from_dict(manifest["config"])
    except InvalidDataError as error:
        raise ModelFormatError(str(error)) from error
    fields: dict[str, Any] = _with_prefix(arrays, "catalogue.")
    catalogue = Catalogue(feature_columns=tuple(manifest["feature_columns"]), **fields)
    terms = {
        name: TERMS[name].from_arrays(_with_prefix(arrays, f"term.{name}."), catalogue, config)
        for name in manifest["terms"]
    }
    weights = _weights(manifest["weights"])
    attributes = TrackAttributes.from_arrays(_with_prefix(arrays, "attributes."))
    ranker = _ranker(manifest["ranker"], arrays, Layout.of(tuple(name for name in terms if name in weights.weights)))
    content = _weights(manifest["content_weights"])
    # A model of an earlier release has neither, or answers of another kind.
    found = {name: _with_prefix(arrays, f"moments.{name}.") for name in terms}
    moments = {name: Moments.from_arrays(parts) for name, parts in found.items() if parts}
    told = _with_prefix(arrays, "answers.")
    more: dict[str, Any] = {"moments": moments, "answers": Answers.from_arrays(told) if "table" in told else None}
    return Model(catalogue, terms, weights, config, attributes, content, ranker, manifest["metadata"], **more)


def _weights_entry(weights: BlendWeights) -> dict[str, Any]:
    return {"amounts": weights.amounts, "terms": dict(weights.weights)}


def _weights(entry: Mapping[str, Any]) -> BlendWeights:
    return BlendWeights(tuple(entry["amounts"]), {name: tuple(values) for name, values in entry["terms"].items()})


def _ranker_entry(model: Model) -> dict[str, Any] | None:
    if model.ranker is None:
        return None
    layout = Layout.of(tuple(name for name in model.terms if name in model.weights.weights))
    return {"share": model.ranker.share, "features": layout.names}


def _ranker(entry: Mapping[str, Any] | None, arrays: Mapping[str, AnyArray], layout: Layout) -> Ranker | None:
    if entry is None:
        return None
    if tuple(entry["features"]) != layout.names:
        raise ModelFormatError("the ranker was learned from other features than this engine computes")
    return Ranker(Trees.from_arrays(_with_prefix(arrays, "ranker.")), float(entry["share"]))


def _write_shortlist(shortlist: Shortlist | None, directory: Path) -> dict[str, Any] | None:
    if shortlist is None:
        return None
    files = {}
    for name, index in shortlist.indices().items():
        file = directory / f"shortlist.{name}.index"
        index.write(file)
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
        files[name] = _file_entry(file)
    return shortlist.entry() | {"indices": files}


def _with_shortlist(
    model: Model,
    entry: Mapping[str, Any],
    arrays: Mapping[str, AnyArray],
    directory: Path,
    verify: bool,
    open_index: OpenIndex | None,
) -> Model:
    files = {name: _checked_file(directory, found, verify) for name, found in entry["indices"].items()}
    if open_index is None:
        return model
    try:
        opened = {name: open_index(file) for name, file in files.items()}
    except ValueError as error:
        raise ModelDamagedError(f"{directory}: {error}") from error
    indices = {name: index for name, index in opened.items() if index is not None}
    if len(indices) < len(opened):
        return model
    parts = _with_prefix(arrays, "shortlist.")
    return replace(model, shortlist=Shortlist.restored(entry, parts, indices, model.terms, model.config.shortlist))


def _with_prefix(arrays: Mapping[str, AnyArray], prefix: str) -> dict[str, AnyArray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _write_array(directory: Path, name: str, array: AnyArray) -> dict[str, Any]:
    file = directory / f"{name}.npy"
    with file.open("wb") as stream:
        np.save(stream, array, allow_pickle=False)
        stream.flush()
        os.fsync(stream.fileno())
    return _file_entry(file) | {"shape": list(array.shape), "dtype": str(array.dtype)}


def _file_entry(file: Path) -> dict[str, Any]:
    return {"file": file.name, "bytes": file.stat().st_size, "sha256": _checksum(file)}


def _checked_file(directory: Path, entry: Mapping[str, Any], verify: bool) -> Path:
    file = directory / Path(entry["file"]).name
    if not file.is_file():
        raise ModelDamagedError(f"{file}: missing")
    if file.stat().st_size != entry["bytes"]:
        raise ModelDamagedError(f"{file}: {file.stat().st_size} bytes instead of {entry['bytes']}")
    if verify and _checksum(file) != entry["sha256"]:
        raise ModelDamagedError(f"{file}: checksum does not match")
    return file


def _open_array(directory: Path, entry: Mapping[str, Any], verify: bool) -> AnyArray:
    file = _checked_file(directory, entry, verify)
    try:
        # An empty array cannot be memory-mapped.
        mapped = np.load(file, mmap_mode="r" if np.prod(entry["shape"]) else None, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ModelDamagedError(f"{file}: {error}") from error
    # A plain view: the memmap subclass makes every small operation slower.
    array = np.asarray(mapped)
    if list(array.shape) != entry["shape"] or str(array.dtype) != entry["dtype"]:
        raise ModelDamagedError(f"{file}: {array.dtype}{array.shape} instead of {entry['dtype']}{entry['shape']}")
    return array


def _checksum(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write_bytes(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
