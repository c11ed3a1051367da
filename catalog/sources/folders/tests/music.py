"""Small music files, made of bytes."""

import struct

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def flac(seconds: int = 200, picture: bytes = b"", **tags: str | list[str]) -> bytes:
    """Return a FLAC of silence that says how long it is; tags by the names of Vorbis comments."""
    rate = 44_100
    bits = rate << 44 | 1 << 41 | 15 << 36 | rate * seconds
    streaminfo = struct.pack(">HH", 4096, 4096) + b"\0" * 6 + bits.to_bytes(8) + b"\0" * 16
    lines = [
        f"{name}={value}".encode()
        for name, values in tags.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    comments = struct.pack("<I", 4) + b"test" + struct.pack("<I", len(lines))
    comments += b"".join(struct.pack("<I", len(line)) + line for line in lines)
    blocks = [(0, streaminfo), (4, comments)]
    if picture:
        head = struct.pack(">II", 3, 9) + b"image/png" + struct.pack(">IIIIII", 0, 1, 1, 24, 0, len(picture))
        blocks.append((6, head + picture))
    content = b"fLaC"
    for number, (kind, block) in enumerate(blocks):
        is_last = 0x80 if number == len(blocks) - 1 else 0
        content += bytes([kind | is_last]) + len(block).to_bytes(3) + block
    return content + b"\0" * 1000


def mp3(frames: int = 200, **tags: str) -> bytes:
    """Return an MP3 of silence, 26 ms a frame; tags by the names of ID3's frames, others as ``TXXX``."""
    content = b""
    for name, value in tags.items():
        if name == "UFID":
            frame_id, text = "UFID", b"http://musicbrainz.org\0" + value.encode()
        elif len(name) == 4 and name.isupper():
            frame_id, text = name, b"\3" + value.encode()
        else:
            frame_id, text = "TXXX", b"\3" + name.replace("_", " ").encode() + b"\0" + value.encode()
        content += frame_id.encode() + _synchsafe(len(text)) + b"\0\0" + text
    return b"ID3\4\0\0" + _synchsafe(len(content)) + content + (b"\xff\xfb\x90\x00" + b"\0" * 413) * frames


def wav(claimed_bytes: int) -> bytes:
    """Return a WAV of a second whose header claims more."""
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16_000, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + claimed_bytes)
        + head
        + b"data"
        + struct.pack("<I", claimed_bytes)
        + b"\0" * 16_000
    )


def _synchsafe(number: int) -> bytes:
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))
