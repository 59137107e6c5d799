"""What was typed, key by key: the line that the keys alone would make.

Three editors are followed at once, for the keys do not say which one reads them: GNU readline with its emacs keys (bash,
psql, python, irb …), the same with vi keys, and the kernel's plain line mode (`cat`, `read`, questions of scripts).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

# Answers of the terminal to a program's questions, mouse and focus reports: nobody typed them.
ANSWER = re.compile(
    r"\x1b\[\??[0-9;]*R|\x1b\[[?>=][0-9;]*[cunmy]|\x1b\[\?[0-9;]*\$y|\x1b\[[IO]|\x1b\[<[0-9;]*[mM]|\x1b\[M.{3}"
    r"|\x1b[\]P_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-9;]*t",
    re.DOTALL,
)
KEY = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1bO[ -~]|\x1b\x1b\[[0-?]*[@-~]|\x1b[^\x1b]|[^\x00-\x1f\x7f]+|.", re.DOTALL)
# A key whose end has not come yet. ESC alone is a key too, and the begin of one if what comes next goes on so.
UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*+|O)?\Z")
GOES_ON = re.compile(r"[\[O]")
PASTE_BEGINS, PASTE_ENDS = "\x1b[200~", "\x1b[201~"

# Stands in a line for text that the keys do not tell: completed, recalled, searched.
WILD = "\ufffc"
ENTER = ("\r", "\n")
INTERRUPT = "\x03"
# Keys that accept the line too: operate-and-get-next, insert-comment. A line recorder does not know them.
ACCEPTS = ("\x0f", "\x1b#")
COMMENT = "#"


def pressed(text: str) -> str:
    """What a person typed, without the terminal's own answers."""
    return ANSWER.sub("", text) if "\x1b" in text else text


def keys(text: str) -> Iterator[str]:
    for match in KEY.finditer(text):
        yield match.group()


# Of what is longer, or further back, only the screen tells.
LONGEST_TYPED_LINE = 32 * 1024
LONGEST_BLOCK = 4 * 1024
LONGEST_KEY = 32
# Behind these bash puts no semicolon where it joins the lines of a command.
OPEN = re.compile(r"(?:[{(;&|]|\b(?:do|then|else|elif|if|while|until|in))\s*\Z")
MOST_UNDONE = 200
UNDOES = ("\x1f", "\x18\x15")
TYPED_TOGETHER = 20  # characters that readline undoes at once (text.c)


@dataclass(slots=True)
class Line:
    """A line being edited: `text` may hold WILD. `known` is False once a key did what cannot be followed."""

    text: str = ""
    point: int = 0
    known: bool = True

    def insert(self, text: str) -> None:
        if len(self.text) + len(text) > LONGEST_TYPED_LINE:
            self.known = False
            return
        self.text = self.text[: self.point] + text + self.text[self.point :]
        self.point += len(text)

    def cut(self, start: int, end: int) -> str:
        start, end = max(0, start), max(0, end)
        gone = self.text[start:end]
        self.text = self.text[:start] + self.text[end:]
        self.point = start
        return gone

    def replace(self, text: str) -> None:
        self.text, self.point = text, len(text)


def _joined(begun: str, line: str) -> str:
    """As bash keeps a command of several lines in its history (bashhist.c)."""
    if "<<" in begun or begun.count("'") % 2 or begun.count('"') % 2:
        return f"{begun}\n{line}"
    if begun.endswith("\\"):
        return begun[:-1] + line
    return begun + (" " if OPEN.search(begun) else "; ") + line


def _word_start(text: str, point: int) -> int:
    point = _known_start(text, point, lambda character: not character.isalnum())
    return _known_start(text, point, str.isalnum)


def _known_start(text: str, point: int, within: Callable[[str], bool]) -> int:
    """Back over what is `within` a word; how far a word reaches into what is not known, is not known either."""
    while point > 0 and text[point - 1] != WILD and within(text[point - 1]):
        point -= 1
    return point


def _word_end(text: str, point: int) -> int:
    while point < len(text) and not text[point].isalnum():
        point += 1
    while point < len(text) and text[point].isalnum():
        point += 1
    return point


def _blank_word_start(text: str, point: int) -> int:
    point = _known_start(text, point, str.isspace)
    return _known_start(text, point, lambda character: not character.isspace())


@dataclass(slots=True)
class Readline:
    """GNU readline's emacs keys; zle and fish share what people use of them."""

    line: Line = field(default_factory=Line)
    kills: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    place: int = 0  # in the history; its length is the line being typed
    undo: list[tuple[str, int]] = field(default_factory=list)
    typed: int = 0  # characters in a row, up to `typed_to`
    typed_to: int = 0
    draft: str = ""
    draft_known: bool = True  # where a search began
    count: str = ""
    quoting: bool = False
    prefix: str = ""
    searching: bool = False
    searched: bool = False
    sought: str = ""
    searches: str = ""  # the key of the direction that it goes in
    found: int = 0  # place in the history of what the search found
    killed: bool = False
    yanked: str = ""

    def accept(self) -> None:
        """The line was accepted, or given up: the next one begins."""
        self.line, self.undo, self.place = Line(), [], len(self.history)
        self.typed = self.typed_to = 0
        self.draft, self.count, self.prefix = "", "", ""
        self.quoting = self.searching = self.searched = self.killed = False

    def lose_track(self) -> None:
        """The line holds what the keys do not tell."""
        self.line.replace(WILD)
        self.line.known = False

    def remember(self, text: str, *, goes_on: bool) -> None:
        """`goes_on`: in the command that was remembered last."""
        if goes_on and self.history and len(self.history[-1]) < LONGEST_BLOCK:
            text = _joined(self.history.pop(), text)
        if text and self.history[-1:] != [text]:
            self.history.append(text)
            del self.history[:-500]
        self.place = len(self.history)

    def press(self, key: str) -> None:
        if self.quoting:
            self.quoting = False
            self.line.insert(key)
            return
        if self.prefix:
            prefixed, key = (self.prefix + key, "") if key[0] < " " else (self.prefix + key[0], key[1:])
            self.prefix = ""
            self._function(prefixed)
            if not key:
                return
        if key == "\x18":
            self.prefix = key
            return
        if self.searching and self._search(key):
            return
        if len(key) == 2 and key[0] == "\x1b" and (key[1] in "0123456789-"):
            self.count = (self.count + key[1])[:4]
            return
        if self.count and key.isascii() and key.isdigit():
            self.count = (self.count + key)[:4]
            return
        if self.count and len(key) > 1 and key[0] >= " ":  # several keys in a row: the first one is meant
            self.press(key[0])
            key = key[1:]
        times = int(self.count) if self.count.isdigit() else 1
        self.count = ""
        was = (self.line.text, self.line.point)
        killing, typing = False, key[0] >= " " and key[0] != "\x7f"
        if typing:
            self.line.insert(key * min(times, 999))
        else:
            for _ in range(min(times, 999)):
                killing = self._function(key)
        self.killed = killing
        if key in UNDOES:
            self.typed = 0
        elif self.line.text != was[0]:
            self._changed(*was, key if typing and times == 1 else "")

    def _changed(self, text: str, point: int, typed: str) -> None:
        """The line was `text` before; what was `typed` in a row is undone some characters at a time, all else at once."""
        if point != self.typed_to or not typed:
            self.typed = 0
        steps = range(-self.typed % TYPED_TOGETHER, len(typed) or 1, TYPED_TOGETHER)[-MOST_UNDONE:]
        self.undo += [(text[:point] + typed[:at] + text[point:], point + at) for at in steps]
        del self.undo[:-MOST_UNDONE]
        self.typed += len(typed)
        self.typed_to = self.line.point

    def _search(self, key: str) -> bool:
        """Incremental search, as far as the session's own lines tell what it finds; True if `key` was for it."""
        if key in ("\x12", "\x13"):
            if key == self.searches:  # the other one only turns round, and stays where it is
                self._seek(range(self.found - 1, -1, -1) if key == "\x12" else range(self.found + 1, len(self.history)))
            self.searches = key
        elif key in ("\x7f", "\b"):
            self.sought = self.sought[:-1]
            self._seek(range(len(self.history) - 1, -1, -1))
        elif key[0] >= " " and key[0] != "\x7f":
            self.sought += key
            self._seek(range(min(self.found, len(self.history) - 1), -1, -1))
        else:
            self.searching = key == "\x17"
            if key == "\x07":
                self.line.replace(self.draft)
                self.line.known = self.draft_known
            return key in ("\x07", "\x17")
        return True

    def _seek(self, places: range) -> None:
        for place in places:
            if self.sought and self.sought in self.history[place]:
                self.found = place
                self.seen(self.history[place])
                return

    def seen(self, text: str) -> None:
        """What the search found, wherever that is known from."""
        self.line.replace(text)
        self.line.point = max(0, text.rfind(self.sought))

    def _kill(self, start: int, end: int, *, backwards: bool) -> bool:
        gone = self.line.cut(start, end)
        self.line.known = self.line.known or not self.line.text
        if self.killed and self.kills:
            joined = gone + self.kills[-1] if backwards else self.kills[-1] + gone
            self.kills[-1] = joined[: LONGEST_TYPED_LINE + 1]  # a line has no room for more
        elif gone:
            self.kills.append(gone)
            del self.kills[:-10]
        return True

    def _function(self, key: str) -> bool:
        """Do what a key does; True if it killed text."""
        line = self.line
        text, point = line.text, line.point
        match key:
            case "\x01" | "\x1b[H" | "\x1bOH" | "\x1b[1~" | "\x1b[7~":
                line.point = 0
            case "\x05" | "\x1b[F" | "\x1bOF" | "\x1b[4~" | "\x1b[8~":
                line.known = line.known and point < len(text)
                line.point = len(text)
            case "\x02" | "\x1b[D" | "\x1bOD":
                line.point = max(0, point - 1)
            case "\x06" | "\x1b[C" | "\x1bOC":
                # At the end it accepts a suggestion, where the editor makes some.
                line.known = line.known and point < len(text)
                line.point = min(len(text), point + 1)
            case "\x7f" | "\b":
                if point:
                    line.cut(point - 1, point)
            case "\x04" | "\x1b[3~":
                line.cut(point, point + 1)
            case "\x1bb" | "\x1b[1;5D" | "\x1b[1;3D" | "\x1b[5D" | "\x1b\x1b[D":
                line.point = _word_start(text, point)
            case "\x1bf" | "\x1b[1;5C" | "\x1b[1;3C" | "\x1b[5C" | "\x1b\x1b[C":
                line.known = line.known and point < len(text)
                line.point = _word_end(text, point)
            case "\x0b":
                return self._kill(point, len(text), backwards=False)
            case "\x15" | "\x18\x7f":
                return self._kill(0, point, backwards=True)
            case "\x17":
                return self._kill(_blank_word_start(text, point), point, backwards=True)
            case "\x1b\x7f" | "\x1b\b":
                return self._kill(_word_start(text, point), point, backwards=True)
            case "\x1bd" | "\x1b[3;5~":
                return self._kill(point, _word_end(text, point), backwards=False)
            case _:
                self._rarer(key)
        return False

    def _rarer(self, key: str) -> None:
        line = self.line
        text, point = line.text, line.point
        match key:
            case "\x19":
                self.yanked = self.kills[-1] if self.kills else WILD
                line.insert(self.yanked)
            case "\x1by":
                if self.kills and text[:point].endswith(self.yanked):
                    line.cut(point - len(self.yanked), point)
                    self.kills.insert(0, self.kills.pop())
                    self.yanked = self.kills[-1]
                    line.insert(self.yanked)
            case "\x14":
                self._transpose()
            case "\x1bu" | "\x1bl" | "\x1bc":
                end = _word_end(text, point)
                word = text[point:end]
                changed = {"u": str.upper, "l": str.lower, "c": str.title}[key[1]](word)
                line.text, line.point = text[:point] + changed + text[end:], end
            case _ if key in UNDOES:
                if self.undo:
                    line.text, line.point = self.undo.pop()
            case "\x16":
                self.quoting = True
            case "\x10" | "\x1b[A" | "\x1bOA":
                self._recall(self.place - 1)
            case "\x0e" | "\x1b[B" | "\x1bOB":
                self._recall(self.place + 1)
            case "\x1b<":
                self._recall(0)
            case "\x1b>":
                self._recall(len(self.history))
            case "\x1b.":
                line.insert(self.history[-1].split()[-1] if self.history and self.history[-1].split() else WILD)
                line.known = False
            case "\x1b\\":
                left, right = text[:point].rstrip(), text[point:].lstrip()
                line.text, line.point = left + right, len(left)
            case "\x12":
                self.searching = self.searched = True
                self.draft, self.sought, self.found, self.searches = text, "", len(self.history), key
                self.draft_known = line.known
                self.lose_track()
            case "\t" | "\x1b?" | "\x1b*" | "\x1b/" | "\x1b[Z":
                line.insert(WILD)
                line.known = False
            case "\x0c" | "\x00" | "\x11":  # the last one lets output go on
                pass
            case _:  # ^S too: the terminal takes it to stop the output, unless it was told not to
                line.known = False

    def _transpose(self) -> None:
        line = self.line
        text, point = line.text, line.point
        if point == 0 or len(text) < 2:
            return
        point = min(point, len(text) - 1)
        line.text = text[: point - 1] + text[point] + text[point - 1] + text[point + 1 :]
        line.point = point + 1

    def _recall(self, place: int) -> None:
        line = self.line
        if self.place == len(self.history):
            self.draft = line.text
        line.known = False
        if place >= len(self.history):
            self.place = len(self.history)
            line.replace(self.draft)
        elif place < 0:  # from an earlier session
            self.place = place
            line.replace(WILD)
        else:
            self.place = place
            line.replace(self.history[place])


@dataclass(slots=True)
class LineMode:
    """The kernel's line discipline: erase, word erase, kill, literal next; any other key is text."""

    text: str = ""
    quoting: bool = False
    possible: bool = True  # nobody presses an arrow key there, and there is no room for a line that long

    def accept(self) -> None:
        self.text, self.quoting, self.possible = "", False, True

    def insert(self, text: str) -> None:
        self.possible = self.possible and len(self.text) + len(text) <= LONGEST_TYPED_LINE
        if self.possible:
            self.text += text

    def press(self, key: str) -> None:
        if self.quoting:
            self.quoting = False
            self.insert(key)
        elif key in ("\x7f", "\b"):
            self.text = self.text[:-1]
        elif key == "\x15":
            self.text = ""
        elif key == "\x17":
            self.text = self._without_word()
        elif key == "\x16":
            self.quoting = True
        elif key == "\t" or key >= " ":
            self.insert(key)
        elif key != "\x04":
            self.possible = False

    def _without_word(self) -> str:
        end = len(self.text)
        while end and not (self.text[end - 1].isalnum() or self.text[end - 1] == "_"):
            end -= 1
        while end and (self.text[end - 1].isalnum() or self.text[end - 1] == "_"):
            end -= 1
        return self.text[:end]


class Typed(NamedTuple):
    """What the keys say of one Enter: what each editor would have had on the line."""

    edited: str  # readline's line; WILD where the keys do not tell
    known: bool
    plain: str  # line mode's line, empty if a key was pressed that has no use there
    keys: str  # those that print, in the order in which they were pressed
    searched: bool = False  # in the history
    recalled: bool = False  # from it, as far as this session tells what it holds
    operated: bool = False  # accepted by another key than Enter

    @property
    def printed(self) -> bool:
        return bool(self.keys.strip())


class Keyboard:
    """Keys in, one Typed for each Enter. A paste in brackets is one line, whatever it holds."""

    def __init__(self) -> None:
        self.editor = Readline()
        self._plain = LineMode()
        self._pasting = False
        self._keys = ""
        self._unfinished = ""

    def feed(self, text: str, *, live: bool) -> Iterator[Typed | None]:
        """Yields a Typed for an Enter, None for a line that was given up (^C, ^Z, ^\\)."""
        for key in self._whole_keys(text):
            if key in (PASTE_BEGINS, PASTE_ENDS):
                self._pasting = key == PASTE_BEGINS
            elif self._pasting:
                self._printed(key)
                self.editor.line.insert("\n" if key in ENTER else key)
                self._plain.insert("\n" if key in ENTER else key)
            elif key in ENTER and not self.editor.quoting:
                yield self._entered()
            elif key in (INTERRUPT, "\x1c", "\x1a") and not self.editor.quoting:
                self._next()
                yield None
            elif key == "\x1b\n" and not live and not self.editor.searching:
                # With vi keys, ESC often comes before Enter; a line recorder does not tell it from Alt-Enter.
                self.editor.press("\x1b")
                yield self._entered()
            elif key in ACCEPTS and not self.editor.quoting:
                if key == "\x1b#":
                    self.editor.line.replace(COMMENT + self.editor.line.text)
                yield self._entered()._replace(operated=True)
                if key == "\x0f":
                    self.editor.lose_track()
            else:
                typed = key[1:] if self.editor.prefix else key  # what follows ^X is a key of the editor
                self._printed(typed if key[0] >= " " and key[0] != "\x7f" else "")
                self.editor.press(key)
                self._plain.press(key)

    def _whole_keys(self, text: str) -> Iterator[str]:
        """The keys of `text`, after one that it goes on with; the begin of one at its end waits for what comes next."""
        begun, self._unfinished = self._unfinished, ""
        if len(begun) > 1 or GOES_ON.match(text):
            text, begun = pressed(begun + text), ""
        cut = UNFINISHED.search(text, max(0, len(text) - LONGEST_KEY))
        if cut:
            self._unfinished = cut.group()
            text = text[: cut.start()]
        yield from keys(begun)
        yield from keys(text)

    def _printed(self, text: str) -> None:
        if len(self._keys) < LONGEST_TYPED_LINE:
            self._keys += text

    def forget(self) -> None:
        """What was pressed until now went to no line."""
        self._next()

    def _entered(self) -> Typed:
        line = self.editor.line
        plain = self._plain.text if self._plain.possible else ""
        known, recalled = line.known and WILD not in line.text, self.editor.place < len(self.editor.history)
        typed = Typed(line.text, known, plain, self._keys, searched=self.editor.searched, recalled=recalled)
        self._next()
        return typed

    def _next(self) -> None:
        self.editor.accept()
        self._plain.accept()
        self._keys = ""
        self._pasting = False
