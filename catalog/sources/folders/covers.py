"""The cover of a music file: the embedded picture, else the one beside the file."""

from pathlib import Path

from catalog.sources.folders.files import FolderError
from catalog.sources.folders.tags import tag_of

_BESIDE = ("cover", "folder", "front")
_SUFFIXES = ("jpg", "jpeg", "png", "webp")


def cover_of(path: Path, limit: int) -> tuple[bytes, str]:
    """Return a picture of at most ``limit`` bytes and its type. Raise ``FolderError`` where there is none."""
    image = tag_of(path, image=True).images.any
    try:
        beside = _picture_beside(path, limit)
    except OSError as error:
        raise FolderError(f"the picture can't be read ({error.strerror})") from error
    for content in (image.data if image else b"", beside):
        content_type = _type_of(content)
        if content_type and len(content) <= limit:
            return content, content_type
    raise FolderError("no picture")


def _picture_beside(path: Path, limit: int) -> bytes:
    for name in _BESIDE:
        for suffix in _SUFFIXES:
            for spelling in (name, name.capitalize()):
                picture = path.with_name(f"{spelling}.{suffix}")
                # Links are refused, because they could lead anywhere.
                if picture.is_file() and not picture.is_symlink() and picture.stat().st_size <= limit:
                    return picture.read_bytes()
    return b""


def _type_of(content: bytes) -> str:
    """Return the type of a picture by its first bytes, "" for anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    heads = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"GIF8": "image/gif"}
    return next((kind for head, kind in heads.items() if content.startswith(head)), "")
