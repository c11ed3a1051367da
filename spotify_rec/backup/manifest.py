"""Reads a backup's manifest, which may be a stranger's: whatever it holds, it is usable or refused in one line."""

import json
import lzma
import struct
import zipfile
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

from spotify_rec.backup.common import FORMAT, MANIFEST, BackupError

# What ``zipfile`` raises for a damaged file. RuntimeError: of parts that are encrypted, packed in a way that is not
# known here, or nested too deep for JSON.
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError, RuntimeError,
)  # fmt: skip
_MAX_BYTES = 64 << 20
_MAX_TEXT = 250


def read_manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    """Return the manifest of the backup at ``path``. Raise ``BackupError``."""
    try:
        if archive.getinfo(MANIFEST).file_size > _MAX_BYTES:
            raise BackupError(f"{path} is damaged: {MANIFEST} is too long")
        manifest = json.loads(archive.read(MANIFEST))
    except KeyError as error:
        raise BackupError(f"{path} isn't an Earworm backup: {MANIFEST} is missing") from error
    except UNREADABLE as error:
        raise BackupError(f"{path} is damaged: {MANIFEST}: {error}") from error
    if not isinstance(manifest, dict):
        raise BackupError(f"{path} isn't an Earworm backup: {MANIFEST} holds no object")
    if manifest.get("format") != FORMAT:
        raise BackupError(f"{path}: format {ascii(manifest.get('format'))[:40]}; this release reads {FORMAT}")
    for name, is_usable in _FIELDS.items():
        if not is_usable(manifest.get(name)):
            raise BackupError(f"{path} is damaged: {MANIFEST}: {name!r} is missing, or isn't what a backup holds")
    return manifest


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_TEXT and value.isprintable()


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_moment(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _is_migrations(value: object) -> bool:
    return isinstance(value, dict) and all(_is_text(app) and _is_list(names) for app, names in value.items())


_FIELDS = {"database": _is_text, "made_at": _is_moment, "members": _is_list, "migrations": _is_migrations}
