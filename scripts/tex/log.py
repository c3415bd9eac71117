"""Errors in TeX's log: their position, message and a hint."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from scripts.errors import SourceError

# With -file-line-error TeX names file and line; errors at the end of a file have neither.
ERROR = re.compile(r"(?:! |(?:\./)?(?P<file>[^\s:]+\.\w+):(?P<line>\d+): )(?P<message>.*)")
# How many occurrences of a word a message lists.
MOST_PLACES = 4
LINE = re.compile(r"l\.(\d+) ")
# Lines of TeX's error reports that say nothing about the error.
IDLE = re.compile(r"\s*$|\s+\.\.\.|See the .* for explanation\.|Type  ?[HX] |or enter new name|Enter file name")

# Hints for the common errors, by TeX's message.  A group is the word at fault.
HINTS = {
    r"Undefined control sequence (\\.+)\.": "It is misspelt, or nothing loaded defines it.",
    r"I do not know the key '(?:/\w+)*/([^'/]+)'": "No style has this name.",
    r"Undefined color `(.*?)'": "No colour has this name.",
    r"Environment (\S+) undefined": "It is misspelt, or nothing loaded defines it.",
    r"File `(.*?)(?:\.\w+)?' not found": "It is misspelt, or the TeX package that has it is missing: see make doctor.",
    r"I did not find the tikz library '(.*?)'": "It is misspelt, or this TikZ is too old for it: see make doctor.",
    r"There is no figures/(.*)\.toml": "make list shows the figures.",
    r"Illegal unit of measure": "A length needs a unit, as in 3pt.",
    r"Unknown function `(.*?)'": "It is neither a number nor a length: a style or a key may be misspelt.",
    r"File ended while scanning|Paragraph ended before|Runaway": "A brace or bracket is opened and never closed.",
    r"Emergency stop|no legal \\end found": "The text ends too early: something is opened and never closed.",
    r"I can't write on file|No space left": "The disk may be full, or the build's folder is read-only.",
    r"TeX capacity exceeded": "A macro may call itself endlessly, or a drawing may be too large.",
}

# Errors in a style or theme at which TeX stops later, or with another message: how they are found in a text without its
# comments, and their hints.  A number that lacks a unit is one only where a length is due.
COLOUR = r"\\definecolor\{[^{}]*\}"
SUSPECTS = {
    r"(?:[^,{\[\s\w]|\w(?=\s*\n))(?=\s*[\w ]+/\.(?:append )?style\b)": "A comma is missing at the end of this style.",
    rf"{COLOUR}\{{RGB\}}\{{(?!\s*(?:\d{{1,3}}\s*,\s*){{2}}\d{{1,3}}\s*\}})": "RGB takes three numbers: {42,161,152}.",
    rf"{COLOUR}\{{HTML\}}\{{(?![0-9A-Fa-f]{{6}}\}})": "HTML is six hexadecimal digits, without #: {2AA198}.",
    r"\d(?=\x00)": r"The sign % begins a comment; a colour's share is written without it: red!40, and text with \%.",
}
NUMBER = r"\\newcommand\*?\{?(\\[A-Za-z]+)\}?\{\s*-?[\d.]+\s*\}"


class Place(NamedTuple):
    """A line of a file; lines count from 1."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"


@dataclass(frozen=True)
class Stop:
    """TeX's first error: the message, TeX's own lines about it, the file and line of its source if known.

    For common errors `word` is what is misspelt or missing, and `hint` the remedy.  `runaway` is the argument that TeX
    was reading when a file ended too early.
    """

    message: str
    context: tuple[str, ...]
    file: str | None
    line: int | None
    word: str | None
    hint: str | None
    runaway: str | None

    def where(self, source: Path) -> tuple[str, int | None]:
        """The file's name and the line at which TeX stopped, or at which the argument begins that it was reading."""
        name = self.file or source.name
        if self.runaway is None:
            return name, self.line
        return name, _where_runaway(self.runaway, source.with_name(name).read_text(encoding="utf-8", errors="replace"))


def first_stop(log: str) -> Stop | None:
    """The first error of a log, None where there is none."""
    lines = log.splitlines()
    found = ((number, match) for number, line in enumerate(lines) if (match := ERROR.match(line)))
    number, match = next(found, (0, None))
    if match is None:
        return None
    report = list(takewhile(lambda line: not line.startswith("Here is how much"), lines[number : number + 30]))
    # LaTeX breaks long messages into lines.
    wrapped = list(takewhile(lambda line: not re.match(r"\s*$|<|\\|l\.\d", line), report[1:]))
    message = " ".join([match["message"], *map(str.strip, wrapped)])
    context = [line for line in report[1 + len(wrapped) :] if not IDLE.match(line)][:6]
    if message.startswith("Undefined control sequence") and context:
        last_read = context[0].rstrip().rpartition("\\")[2]
        message = f"Undefined control sequence \\{last_read}."
    later = (at[1] for line in context if (at := LINE.match(line)))
    given = match["line"] or next(later, None)
    hints = ((at, hint) for rule, hint in HINTS.items() if (at := re.search(rule, message)))
    common, hint = next(hints, (None, None))
    word = common[1] if common is not None and common.re.groups else None
    before = lines[number - 2 : number]
    runaway = before[1] if len(before) == 2 and before[0].startswith("Runaway") else None
    if runaway is not None:
        context = [runaway]
    return Stop(message, tuple(context), match["file"], int(given) if given else None, word, hint, runaway)


def _where_runaway(runaway: str, text: str) -> int | None:
    """The line of a text at which a runaway argument begins."""
    # TeX shows it without comments, and with a space after every word.
    wanted = re.sub(r"\s|\\ETC\..*", "", runaway)
    squeezed = [(number, c) for number, line in enumerate(text.splitlines(), 1) for c in line if not c.isspace()]
    whole = "".join(c for _, c in squeezed)
    begins = [whole.find(wanted[:length]) for length in (40, 20, 10)]
    return next((squeezed[begin][0] for begin in begins if begin >= 0), None)


def source_error(
    stop: Stop, log: Path, place: Place | None, sources: Iterable[Path], theme: Path | None = None
) -> SourceError:
    """TeX's error at a place of a source that a person wrote, with a hint.

    `place` is None where TeX names none; `sources` are all files that the cause may be in, with the `theme` and others.
    """
    texts = {source: source.read_text(encoding="utf-8", errors="replace") for source in sources}
    others = {file: text for file, text in texts.items() if theme and file.parent == theme.parent and file != theme}
    texts = {file: text for file, text in texts.items() if file not in others}
    hint, word = stop.hint, stop.word
    if suspect := _suspect(stop, texts):
        (place, hint), word = suspect, None
    elif theme and word and any(map(_defines(word), others.values())) and not any(map(_defines(word), texts.values())):
        near = _nearest(word, {theme: texts[theme]})
        place = _places(near, {theme: texts[theme]})[0] if near else Place(theme, 1)
        hint = "This theme lacks it; other themes define it."
    places = [] if word is None else _places(word, texts)
    if stop.file is None and places:
        place = places[0]
    details = [f"    {line}" for line in stop.context]
    if place is not None:
        details += ["In the source:", *excerpt(*place)]
    if elsewhere := [str(other) for other in places if other != place]:
        details.append(f"{word} stands in {'; '.join(elsewhere[:MOST_PLACES])}.")
    if hint is not None:
        near = None if word is None else _nearest(word, texts)
        details.append(f"{hint}{f' Did you mean {near}?' if near else ''}")
    error = SourceError(str(place or log), f"TeX stopped. {stop.message}", [*details, f"The full log is {log}."])
    # One error in the theme stops TeX at other places in other figures.
    error.cause = stop.message
    return error


def _suspect(stop: Stop, texts: Mapping[Path, str]) -> tuple[Place, str] | None:
    """The first line of the styles or the theme that is surely wrong, if there is one, with a hint."""
    for file, text in texts.items():
        if file.suffix != ".tex":
            continue
        # Without comments; one between a number and more text is marked.
        plain = re.sub(r"(?<!\\)%.*", "", re.sub(r"(?<![#\d.])(\d[\d.]*)%\S.*", "\\1\0", text))
        rules = dict(SUSPECTS)
        if stop.message.startswith("Illegal unit"):
            used = "\n".join(texts.values())
            for number in re.finditer(NUMBER, plain):
                if re.search(rf"(?<!scale)(?:=|\\dimexpr){re.escape(number[1])}(?![A-Za-z])", used):
                    rules[re.escape(number[0])] = f"The length {number[1]} lacks its unit, as in 3pt."
        for rule, hint in rules.items():
            if found := re.search(rule, plain):
                return Place(file, plain.count("\n", 0, found.start()) + 1), hint
    return None


def _defines(word: str) -> Callable[[str], bool]:
    """Whether a theme defines a colour or command."""
    rule = re.compile(rf"\\(?:definecolor|colorlet|newcommand)\*?\{{?{re.escape(word)}(?![A-Za-z])")
    return lambda text: bool(rule.search(text))


def _places(word: str, texts: Mapping[Path, str]) -> list[Place]:
    """The lines that contain a word."""
    alone = re.compile(rf"(?<![\w\\]){re.escape(word)}(?!\w)")
    return [
        Place(file, number)
        for file, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if alone.search(line)
    ]


def _nearest(word: str, texts: Mapping[Path, str]) -> str | None:
    """The word in some texts that is most like a misspelt one; among similar ones, one that begins alike."""
    near = get_close_matches(word, _words(word, texts), n=3, cutoff=0.75)
    return min(near, key=lambda other: other[:2] != word[:2], default=None)


def _words(like: str, texts: Mapping[Path, str]) -> set[str]:
    """The commands in some texts if `like` is a command, else their names of styles, keys and colours."""
    rule = r"\\[A-Za-z@]+" if like.startswith("\\") else r"[A-Za-z][\w -]*[A-Za-z](?=[=,/}\]])"
    return {word for text in texts.values() for word in re.findall(rule, text)} - {like}


def excerpt(file: Path, line: int) -> list[str]:
    """The line of a file, marked, between its neighbours."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    shown = range(max(line - 1, 1), min(line + 1, len(lines)) + 1)
    return [f"  {'>' if number == line else ' '} {number:4} | {lines[number - 1]}" for number in shown]
