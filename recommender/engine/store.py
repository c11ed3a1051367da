"""Stores a fitted model: a directory of .npy files and a manifest, written under another name and then renamed.

A reader sees the whole model or none. Arrays are memory-mapped, so worker processes share them. No pickle anywhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue
from recommender.engine.data.arrays import AnyArray
from recommender.engine.errors import (
    InvalidDataError,
    ModelDamagedError,
    ModelFormatError,
    ModelMissingError,
    ModelStoreError,
)
from recommender.engine.model import Model
from recommender.engine.ranking import FeatureSchema, Ranker, TrackAttributes, Trees
from recommender.engine.ranking.blend import BlendWeights
from recommender.engine.ranking.score_statistics import ScoreStatistics
from recommender.engine.retrieval import CandidateRetriever, OpenIndex
from recommender.engine.terms import TERMS

FORMAT = 3
"""Stored names are older than those in the code: "shortlist" is the retriever, "moments" the score statistics, and
"share" the weight of the ranker. `config.STORED_NAMES` has those of the settings.
"""
MANIFEST = "manifest.json"
DIGEST = "sha256"
# A manifest of a million songs has 30 kB.
MANIFEST_BYTES = 1 << 24
RETIRED_TERMS = {"ease"}
"""Terms of models of earlier releases that are left out when such a model is opened."""


def save_model(model: Model, path: Path) -> None:
    """Write `model` as the new directory `path`, whole or not at all.

    Raise FileExistsError if `path` exists (a version is never overwritten) and OSError if it cannot be written.
    """
    if path.exists():
        raise FileExistsError(f"{path} exists")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        files = {name: _write_array(temporary, name, array) for name, array in _all_arrays(model).items()}
        retriever = _write_retriever(model.retriever, temporary)
        manifest = _manifest(model, files, retriever)
        sealed = {**manifest, DIGEST: manifest_digest(manifest)}
        with _new_file(temporary / MANIFEST) as stream:
            stream.write(json.dumps(sealed, indent=1).encode())
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

    open_index: opens the indices of its retriever, if it has one; without it, or if it returns None, all tracks are
    scored.
    Names, sizes, shapes and types of all files are checked, and that no index points outside; with `verify` their
    SHA-256 and that of the manifest as well (reads everything).
    `pause(file)` is called before each file is opened, so that the caller can yield to other threads.
    Raise ModelMissingError, ModelDamagedError or ModelFormatError.
    """
    manifest = read_manifest(path, verify)
    try:
        arrays = {}
        for name, entry in manifest["arrays"].items():
            if pause is not None:
                pause(path / Path(entry["file"]).name)
            arrays[name] = _open_array(path, entry, verify)
        model = _assemble(manifest, arrays)
        entry = manifest.get("shortlist")
        return model if entry is None else _with_retriever(model, entry, arrays, path, verify, open_index)
    except ModelStoreError:
        raise
    except Exception as error:
        # Whatever is wrong with it, the caller has another version to serve.
        raise ModelDamagedError(
            f"{path}: {MANIFEST} and files do not fit together: {type(error).__name__}: {error}"
        ) from error


def manifest_digest(manifest: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the manifest's values, whatever its layout, without its own digest."""
    content = json.loads(json.dumps({key: value for key, value in manifest.items() if key != DIGEST}))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_manifest(path: Path, verify: bool = False) -> dict[str, Any]:
    """Return the manifest of the model at `path`: format, config, weights, metadata, arrays. Raise as `load_model`.

    With `verify` its digest is compared; manifests of earlier releases have none.
    """
    if not path.is_dir():
        raise ModelMissingError(f"{path}: no model there")
    file = path / MANIFEST
    # Reading a named pipe would wait for ever, and a device would never end.
    if not file.is_file():
        raise ModelDamagedError(f"{path}: no {MANIFEST}")
    try:
        if file.stat().st_size > MANIFEST_BYTES:
            raise ModelDamagedError(f"{path}: {MANIFEST} is larger than {MANIFEST_BYTES} bytes")
        manifest = json.loads(file.read_bytes())
    except (ValueError, RecursionError, OSError) as error:
        raise ModelDamagedError(f"{path}: {MANIFEST} cannot be read: {error}") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("arrays"), dict):
        raise ModelDamagedError(f"{path}: {MANIFEST} does not describe a model")
    if manifest.get("format") != FORMAT:
        raise ModelFormatError(f"{path}: format {manifest.get('format')!r}, this engine reads {FORMAT}")
    if verify and manifest.get(DIGEST, "") not in ("", manifest_digest(manifest)):
        raise ModelDamagedError(f"{path}: {MANIFEST} was changed: its checksum does not match")
    return manifest


def listed_files(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Return the size in bytes of each file beside the manifest, by name. Raise ModelDamagedError.

    Only names of files in the model's own folder are accepted, so a manifest from elsewhere cannot point outside.
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
    for term_name, statistics in model.score_statistics.items():
        arrays |= {f"moments.{term_name}.{name}": array for name, array in statistics.arrays().items()}
    if model.ranker is not None:
        arrays |= {f"ranker.{name}": array for name, array in model.ranker.trees.arrays().items()}
    if model.retriever is not None:
        arrays |= {f"shortlist.{name}": array for name, array in model.retriever.arrays().items()}
    return arrays


def _manifest(
    model: Model, files: Mapping[str, Mapping[str, Any]], retriever: Mapping[str, Any] | None
) -> dict[str, Any]:
    more = {} if retriever is None else {"shortlist": retriever}
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
    unknown = set(manifest["terms"]) - set(TERMS) - RETIRED_TERMS
    if unknown:
        raise ModelFormatError(f"terms unknown to this engine: {', '.join(sorted(unknown))}")
    try:
        config = EngineConfig.from_dict(manifest["config"])
    except InvalidDataError as error:
        raise ModelFormatError(str(error)) from error
    fields: dict[str, Any] = _with_prefix(arrays, "catalogue.")
    catalogue = Catalogue(feature_columns=tuple(manifest["feature_columns"]), **fields)
    terms = {
        name: TERMS[name].from_arrays(_with_prefix(arrays, f"term.{name}."), catalogue, config.terms)
        for name in manifest["terms"]
        if name not in RETIRED_TERMS
    }
    weights = _weights(manifest["weights"])
    attributes = TrackAttributes.from_arrays(_with_prefix(arrays, "attributes."), catalogue.n_tracks)
    ranker = _ranker(
        manifest["ranker"], arrays, FeatureSchema.of(tuple(name for name in terms if name in weights.weights))
    )
    content = _weights(manifest["content_weights"])
    # A model of an earlier release has none.
    parts_by_term = {name: _with_prefix(arrays, f"moments.{name}.") for name in terms}
    statistics = {name: ScoreStatistics.from_arrays(parts) for name, parts in parts_by_term.items() if parts}
    metadata = manifest["metadata"]
    return Model(catalogue, terms, weights, config, attributes, content, ranker, metadata, score_statistics=statistics)


def _weights_entry(weights: BlendWeights) -> dict[str, Any]:
    return {"amounts": weights.amounts, "terms": dict(weights.weights)}


def _weights(entry: Mapping[str, Any]) -> BlendWeights:
    known = {name: tuple(values) for name, values in entry["terms"].items() if name not in RETIRED_TERMS}
    return BlendWeights(tuple(entry["amounts"]), known)


def _ranker_entry(model: Model) -> dict[str, Any] | None:
    if model.ranker is None:
        return None
    schema = FeatureSchema.of(tuple(name for name in model.terms if name in model.weights.weights))
    return {"share": model.ranker.weight, "features": schema.names}


def _ranker(entry: Mapping[str, Any] | None, arrays: Mapping[str, AnyArray], schema: FeatureSchema) -> Ranker | None:
    if entry is None or _has_retired(entry["features"]):
        # Without its ranker a model of an earlier release ranks by the blend alone, until the next retrain.
        return None
    if tuple(entry["features"]) != schema.names:
        raise ModelFormatError("the ranker was learned from other features than this engine computes")
    return Ranker(Trees.from_arrays(_with_prefix(arrays, "ranker."), len(schema.names)), float(entry["share"]))


def _has_retired(features: list[str]) -> bool:
    return any(feature.partition(".")[0] in RETIRED_TERMS for feature in features)


def _write_retriever(retriever: CandidateRetriever | None, directory: Path) -> dict[str, Any] | None:
    if retriever is None:
        return None
    files = {}
    for name, index in retriever.indices().items():
        file = directory / f"shortlist.{name}.index"
        with _named_in_errors(file):
            index.write(file)
            with file.open("rb") as stream:
                os.fsync(stream.fileno())
        files[name] = _file_entry(file)
    return retriever.entry() | {"indices": files}


def _with_retriever(
    model: Model,
    entry: Mapping[str, Any],
    arrays: Mapping[str, AnyArray],
    directory: Path,
    verify: bool,
    open_index: OpenIndex | None,
) -> Model:
    files = {name: _checked_file(directory, listed, verify) for name, listed in entry["indices"].items()}
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
    return replace(
        model,
        retriever=CandidateRetriever.restored(
            entry, parts, indices, model.terms, model.config.retrieval, model.catalogue.n_tracks
        ),
    )


def _with_prefix(arrays: Mapping[str, AnyArray], prefix: str) -> dict[str, AnyArray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _write_array(directory: Path, name: str, array: AnyArray) -> dict[str, Any]:
    file = directory / f"{name}.npy"
    with _new_file(file) as stream:
        np.save(_PlainWriter(stream), array, allow_pickle=False)
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
    except Exception as error:
        # A header of foreign bytes is read by Python's own parser, which raises what it likes.
        raise ModelDamagedError(f"{file}: {error}") from error
    # A plain view: the memmap subclass makes every small operation slower.
    array = np.asarray(mapped)
    if list(array.shape) != entry["shape"] or str(array.dtype) != entry["dtype"]:
        raise ModelDamagedError(f"{file}: {array.dtype}{array.shape} instead of {entry['dtype']}{entry['shape']}")
    return array


def _checksum(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _PlainWriter:
    """What numpy writes to by ``write``: its own way into a file says of a full disk only how much was written."""

    def __init__(self, stream: BinaryIO) -> None:
        self.write = stream.write


@contextmanager
def _new_file(file: Path) -> Iterator[BinaryIO]:
    with _named_in_errors(file), file.open("wb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def _named_in_errors(file: Path) -> Iterator[None]:
    """Have an OSError name the file: that of a full disk doesn't."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(file)
        raise


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
