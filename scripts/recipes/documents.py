"""Recipes in PDF, SVG and TeX files, whose other bytes stay as they were."""

import re
from io import BytesIO

import pikepdf

from scripts.recipes.container import HEADER, Container, Taken, escaped, unescaped

# SVG: https://www.w3.org/TR/SVG2/struct.html#MetadataElement

METADATA, METADATA_END = b"<metadata>", b"</metadata>"
# The root's tag, with the title and description that screen readers look for in the first place.
SVG_BEGIN = re.compile(rb"<svg\b[^>]*>(?:\s*<(title|desc)\b[^>]*>[^<]*</\1>)*")


def _put_svg(content: bytes, text: bytes) -> bytes:
    begin = SVG_BEGIN.search(content)
    if begin is None:
        raise ValueError("not an SVG")
    return content[: begin.end()] + METADATA + escaped(text) + METADATA_END + content[begin.end() :]


def _take_svg(content: bytes) -> Taken | None:
    start = content.find(METADATA + HEADER)
    end = content.find(METADATA_END, start)
    if min(start, end) < 0:
        return None
    text = unescaped(content[start + len(METADATA) : end])
    return Taken(text, content[:start] + content[end + len(METADATA_END) :])


# PDF: ISO 32000-1, 7.5.6 for updates that are appended to a file, 14.3.3 for its information dictionary.

UPDATE = b"% A recipe follows.\n"
UPDATE_BEGIN = re.compile(rb"\d+ 0 obj\n<< /Recipe (?:\(((?:[^()\\]|\\[()\\])*+)\)|<FEFF([0-9A-F]*+)>)")


def _put_pdf(content: bytes, text: bytes) -> bytes:
    """The recipe in the information dictionary, which an appended update replaces: nothing is written anew."""
    with pikepdf.open(BytesIO(content)) as document:
        trailer = document.trailer
        number = int(trailer.Size)
        information = {key: value.unparse() for key, value in document.docinfo.items()} if "/Info" in trailer else {}
        shared = b"/Root %s /Info %d 0 R" % (trailer.Root.unparse(), number)
        if "/ID" in trailer:
            shared += b" /ID " + trailer.ID.unparse()
    before = int(content[content.rindex(b"startxref") + 9 :].split()[0])
    entries = b"".join(b" " + key.encode() + b" " + value for key, value in sorted(information.items()))
    updated = content + UPDATE
    at = len(updated)
    updated += b"%d 0 obj\n<< /Recipe %s%s >>\nendobj\n" % (number, _pdf_string(text), entries)
    end = len(updated)
    if content[before : before + 4] == b"xref":
        updated += b"xref\n0 1\n0000000000 65535 f \n%d 1\n%010d 00000 n \ntrailer\n" % (number, at)
        updated += b"<< /Size %d %s /Prev %d >>\n" % (number + 1, shared, before)
    else:
        # The table of a file with such a stream is continued in one; each object has a kind, a place and a generation.
        table = b"".join(b"\1" + place.to_bytes(4, "big") + b"\0" for place in (at, end))
        updated += b"%d 0 obj\n<< /Type /XRef /Size %d %s" % (number + 1, number + 2, shared)
        updated += b" /Prev %d /Index [ %d 2 ] /W [ 1 4 1 ] /Length %d >>\n" % (before, number, len(table))
        updated += b"stream\n%s\nendstream\nendobj\n" % table
    return updated + b"startxref\n%d\n%%%%EOF\n" % end


def _pdf_string(text: bytes) -> bytes:
    if text.isascii():
        return b"(" + re.sub(rb"([()\\])", rb"\\\1", text) + b")"
    return b"<FEFF" + text.decode().encode("utf-16-be").hex().upper().encode() + b">"


def _take_pdf(content: bytes) -> Taken | None:
    start = content.rfind(UPDATE)
    found = UPDATE_BEGIN.match(content, start + len(UPDATE)) if start >= 0 else None
    if found is None:
        return None
    if found[1] is not None:
        text = re.sub(rb"\\(.)", rb"\1", found[1])
    else:
        text = bytes.fromhex(found[2][: len(found[2]) // 4 * 4].decode()).decode("utf-16-be", "replace").encode()
    return Taken(text, content[:start])


# TeX, which reads nothing after the end of the document.


def _put_tex(content: bytes, text: bytes) -> bytes:
    return content + b"".join(b"% " + line + b"\n" for line in text.splitlines())


def _take_tex(content: bytes) -> Taken | None:
    start = content.rfind(b"% " + HEADER)
    if start < 0:
        return None
    lines = content[start:].splitlines(keepends=True)
    return Taken(b"".join(line.removeprefix(b"% ") for line in lines), content[:start])


PDF = Container("PDF", lambda content: content.startswith(b"%PDF-"), _put_pdf, _take_pdf)
SVG = Container("SVG", lambda content: b"<svg" in content[:1000], _put_svg, _take_svg)
TEX = Container("TeX", lambda content: b"\\documentclass" in content[:4000], _put_tex, _take_tex)
