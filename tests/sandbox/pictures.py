"""Small pictures, made by hand."""

import struct
import zlib


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def chart(width: int = 640, height: int = 320) -> bytes:
    """A PNG of a few bars on a transparent ground."""
    bars = (0.3, 0.5, 0.42, 0.7, 0.9, 0.62)
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            place, within = divmod(x * len(bars), width)
            high = (height - y) / height < bars[place] and 0.2 < within / width < 0.8
            rows += b"\x1d\x6f\x63\xff" if high else b"\x00\x00\x00\x00"
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(bytes(rows)))
        + _chunk(b"IEND", b"")
    )


PNG = chart(12, 6)
JPG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00 the rest does not matter"
GIF = b"GIF89a\x01\x00\x01\x00 the rest does not matter"
