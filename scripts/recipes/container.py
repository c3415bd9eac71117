"""What a kind of file must do to carry a recipe, and the XMP packet that some kinds keep it in."""

from collections.abc import Callable
from typing import NamedTuple

# Every recipe begins with this line, which tells it from other comments and metadata.
HEADER = b"# Convolution arithmetic, step by step: recipe of this picture, for make verify and make draw\n"


class Taken(NamedTuple):
    """A recipe's text in UTF-8, and the file without it."""

    text: bytes
    bare: bytes


class Container(NamedTuple):
    """A kind of file that carries a recipe: take(put(content, text)) == (text, content).

    `recognises` looks at a file's first bytes.  `put` takes well-formed content without a recipe; `take` takes any
    bytes, and returns None where it finds no recipe that `put` wrote.
    """

    name: str
    recognises: Callable[[bytes], bool]
    put: Callable[[bytes, bytes], bytes]
    take: Callable[[bytes], Taken | None]


PACKET_BEGIN = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:source>'
)
PACKET_END = b"</dc:source></rdf:Description></rdf:RDF></x:xmpmeta>"


def xmp(text: bytes) -> bytes:
    """An XMP packet, in which the recipe is what the picture is derived from (dc:source)."""
    return PACKET_BEGIN + escaped(text) + PACKET_END


def from_xmp(packet: bytes) -> bytes | None:
    """The recipe in a packet; None if `xmp` did not write it."""
    if not (packet.startswith(PACKET_BEGIN) and packet.endswith(PACKET_END)):
        return None
    return unescaped(packet[len(PACKET_BEGIN) : -len(PACKET_END)])


def escaped(text: bytes) -> bytes:
    """Text as the content of an XML element."""
    return text.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")


def unescaped(content: bytes) -> bytes:
    """The text that `escaped` made into this."""
    return content.replace(b"&lt;", b"<").replace(b"&gt;", b">").replace(b"&amp;", b"&")
