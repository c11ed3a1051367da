"""Files that people are given: whole or not there, and named where they can't be written."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def named_in_errors(path: Path) -> Iterator[None]:
    """Have an ``OSError`` name the file: that of a full disk doesn't."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give the path of a draft beside ``path``, which takes its place at the end; after an error nothing is left.

    What is no plain file, such as ``/dev/stdout``, is written directly. Raise ``OSError`` that names ``path``.
    """
    if path.exists() and not path.is_file():
        with named_in_errors(path):
            yield path
        return
    # Where a link leads, not the link itself.
    target = path.resolve()
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, draft)
        draft.replace(target)
    except OSError as error:
        # Nobody knows the draft by its name.
        if error.errno is not None:
            error.filename = str(path)
        raise
    finally:
        draft.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raise ``OSError``."""
    with whole_file(path) as draft:
        draft.write_bytes(content)
