"""Recipes in PNG and APNG, GIF, WebP and MP4 files: one chunk, extension or box more, and all others as they were."""

from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

from scripts.recipes.container import HEADER, Container, Taken, from_xmp, xmp

# PNG: https://www.w3.org/TR/png-3/

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# The header chunk, which comes first, has this end in every file.
PNG_HEADER_END = 33
# An international text (iTXt) begins with its keyword; zeros say that it is not compressed and names no language.
PNG_TEXT = b"Recipe" + bytes(5)


def _png_chunk(text: bytes) -> bytes:
    content = b"iTXt" + PNG_TEXT + text
    return (len(content) - 4).to_bytes(4, "big") + content + crc32(content).to_bytes(4, "big")


def _put_png(content: bytes, text: bytes) -> bytes:
    return content[:PNG_HEADER_END] + _png_chunk(text) + content[PNG_HEADER_END:]


def _take_png(content: bytes) -> Taken | None:
    at = len(PNG_SIGNATURE)
    while at + 12 <= len(content):
        start, end = at, at + 12 + int.from_bytes(content[at : at + 4], "big")
        if content.startswith(b"iTXt" + PNG_TEXT, start + 4):
            text = content[start + 8 + len(PNG_TEXT) : end - 4]
            if content[start:end] == _png_chunk(text):
                return Taken(text, content[:start] + content[end:])
        at = end
    return None


# GIF: https://www.w3.org/Graphics/GIF/spec-gif89a.txt

COMMENT = b"\x21\xfe"
# No picture has as many extensions before its first frame, and no recipe is as long.
MOST_EXTENSIONS, MOST_PARTS = 100, 10_000


class _Extension(NamedTuple):
    """An extension of a GIF, from its introducer to its terminator."""

    start: int
    end: int
    content: bytes


def _after_palette(content: bytes) -> int:
    """The end of a GIF's header and palette."""
    (flags,) = content[10:11] or b"\0"
    return 13 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)


def _extensions(content: bytes) -> Iterator[_Extension]:
    """The first extensions before the first frame."""
    at = _after_palette(content)
    for _ in range(MOST_EXTENSIONS):
        if content[at : at + 1] != b"\x21":
            return
        end, parts = at + 2, list[bytes]()
        while (length := content[end : end + 1]) not in (b"", b"\0") and len(parts) < MOST_PARTS:
            parts.append(content[end + 1 : end + 1 + length[0]])
            end += 1 + length[0]
        yield _Extension(at, end + 1, b"".join(parts))
        at = end + 1


def _comment(text: bytes) -> bytes:
    parts = (text[at : at + 255] for at in range(0, len(text), 255))
    return COMMENT + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def _put_gif(content: bytes, text: bytes) -> bytes:
    # After the extension that makes it endless, which some readers look for only in the first place.
    ends = (one.end for one in _extensions(content) if one.content.startswith(b"NETSCAPE2.0"))
    at = next(ends, _after_palette(content))
    return content[:at] + _comment(text) + content[at:]


def _take_gif(content: bytes) -> Taken | None:
    for start, end, text in _extensions(content):
        if text.startswith(HEADER) and content[start:end] == _comment(text):
            return Taken(text, content[:start] + content[end:])
    return None


# WebP: https://developers.google.com/speed/webp/docs/riff_container

Chunk = tuple[bytes, bytes]  # its name and its content
# No picture has as many frames.
MOST_CHUNKS = 10_000
XMP_FLAG, ALPHA_FLAG = 0x04, 0x10


def _webp_chunks(content: bytes) -> list[Chunk]:
    """The whole chunks of a file."""
    chunks, at = list[Chunk](), 12
    while at + 8 <= len(content) and len(chunks) < MOST_CHUNKS:
        end = at + 8 + int.from_bytes(content[at + 4 : at + 8], "little")
        if end > len(content):
            break
        chunks.append((content[at : at + 4], content[at + 8 : end]))
        at = end + end % 2
    return chunks


def _webp(chunks: list[Chunk]) -> bytes:
    parts = [name + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2) for name, data in chunks]
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _with_header(chunks: list[Chunk]) -> list[Chunk]:
    """A simple file's only chunk behind the header of an extended one; only such a file may have metadata."""
    name, image = chunks[0]
    if name == b"VP8X":
        return chunks
    if name != b"VP8L":
        raise ValueError("not a lossless WebP")
    bits = int.from_bytes(image[1:5], "little")
    width, height, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
    return [
        (b"VP8X", _webp_header(alpha * ALPHA_FLAG, width.to_bytes(3, "little") + height.to_bytes(3, "little"))),
        *chunks,
    ]


def _webp_header(flags: int, size: bytes) -> bytes:
    return flags.to_bytes(4, "little") + size


def _put_webp(content: bytes, text: bytes) -> bytes:
    (name, header), *others = _with_header(_webp_chunks(content))
    return _webp([(name, _webp_header(header[0] | XMP_FLAG, header[4:])), *others, (b"XMP ", xmp(text))])


def _take_webp(content: bytes) -> Taken | None:
    match _webp_chunks(content):
        case [(b"VP8X", header), *others, (b"XMP ", packet)] if len(header) == 10 and others:
            text = from_xmp(packet)
            if text is None:
                return None
            is_simple = [name for name, _ in others] == [b"VP8L"]
            first = [] if is_simple else [(b"VP8X", _webp_header(header[0] & ~XMP_FLAG, header[4:]))]
            return Taken(text, _webp([*first, *others]))
    return None


# MP4: ISO/IEC 14496-12 for boxes; the XMP specification, part 3, for the box of its packet.

XMP_BOX = b"uuid" + bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")


def _put_mp4(content: bytes, text: bytes) -> bytes:
    box = XMP_BOX + xmp(text)
    # The last box, so that no offset into the file changes.
    return content + (len(box) + 4).to_bytes(4, "big") + box


def _take_mp4(content: bytes) -> Taken | None:
    at = 0
    while at + 8 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(content[at + 8 : at + 16], "big")
        if size < 8:
            return None
        if content.startswith(XMP_BOX, at + 4) and at + size == len(content):
            text = from_xmp(content[at + 4 + len(XMP_BOX) :])
            return None if text is None else Taken(text, content[:at])
        at += size
    return None


PNG = Container("PNG", lambda content: content.startswith(PNG_SIGNATURE), _put_png, _take_png)
GIF = Container("GIF", lambda content: content.startswith((b"GIF89a", b"GIF87a")), _put_gif, _take_gif)
WEBP = Container("WebP", lambda start: start[:4] == b"RIFF" and start[8:12] == b"WEBP", _put_webp, _take_webp)
MP4 = Container("MP4", lambda content: content[4:8] == b"ftyp", _put_mp4, _take_mp4)
