"""What is shown goes on to the terminal, and what judging a typed line needs of it is kept: its characters, and how they came."""

from __future__ import annotations

import re

from bot.reading.counted import Meant, as_meant, columns_of_colours
from bot.reading.prompts import Prompts
from bot.reading.screen import width_of
from bot.reading.sequences import LEAVES_ALTERNATE, SILENT, TOKEN
from bot.reading.terminal import Terminal
from bot.reading.window import (
    CURSOR_AT,
    MOVES,
    UP,
    USUAL,
    WRAP,
    columns_counted,
    columns_shown,
    higher,
    last_row_written,
    reached_width,
    redrawn_width,
    typed_width,
    wrapped_width,
    written_behind,
)

SHORT = 4096
LONGEST_ECHO = 16 * 1024
# In the same row.
BACK = ("\b", "\r")
INSERTS = re.compile(r"\r?\x1b\[([0-9]{1,3})@")
DOWN = "\x1b[1B"
RETURNS = re.compile(r"\r(?:(?:\x1b\[C)++|\x1b\[([0-9]{1,3})C)")
GOES_BACK = re.compile(rf"\x08++|{RETURNS.pattern}")
LINE_BEGINS = re.compile(r"(?:^|\n)")
# Characters that are drawn a second time, as their editor meant them: in a whole session, and for each Enter.
PATIENCE, MORE_PATIENCE, LONGEST_DRAWN = 256 * 1024, 512, 4 * 1024


class Echo:
    def __init__(self, terminal: Terminal, prompts: Prompts) -> None:
        self._terminal = terminal
        self._prompts = prompts
        self.printed = ""  # since the line began, without what controls
        self.after = ""  # the same since the last key
        self.came = ""  # since the line began, as it came
        self.row = ""  # of the cursor's row, as it came
        self.edited = False  # by a line editor that takes pastes in brackets
        self.counts_colours = False  # the editor takes them for text, as its last wrap told
        self._asks = (
            False  # where the cursor is: an editor that does knows when it is in the last row, and goes down no more
        )
        self._returned = 0  # from this place, by a return that came alone
        self._patience = PATIENCE
        # The last answer of `as_meant`, and to what.
        self._meant: tuple[tuple[str, str | None, int], Meant | None] | None = None

    def asked(self, answer: str) -> None:
        """The terminal gave this answer."""
        for row in map(int, CURSOR_AT.findall(answer)):
            self._asks = True
            if row > self._terminal.height:
                self._terminal.resize(self._terminal.width, higher(row))

    def forget(self) -> None:
        """The line was left."""
        self.printed = self.after = self.came = self.row = ""

    def entered(self) -> None:
        self._patience += MORE_PATIENCE

    def goes_on(self, came: str) -> None:
        """The line that was left is being typed all the same, and came so."""
        self.came = came[: 2 * LONGEST_DRAWN]

    def show(self, text: str, prompt: str | None, *, measuring: bool, typing: bool) -> None:
        """`measuring`: a line editor may wrap in it; `typing`: at a line that is longer than what stands there. `prompt`:
        what stood before the line's first key, if that is known."""
        if "\x1b" in text:
            if len(text) < SHORT and (reached := reached_width(text)) > self._terminal.width:
                self._terminal.resize(reached, self._terminal.height)
            self.look_for_editor(text)
            if DOWN in text and self._asks and self._terminal.lowest:
                self._terminal.resize(self._terminal.width, higher(self._terminal.height))
            if UP in text and self.edited and len(self.came) + len(text) < LONGEST_DRAWN:
                width = redrawn_width(self.came + text)
                if width is not None:
                    self._terminal.resize(width, self._terminal.height)
        if measuring:
            self._look_at_way_back(text, prompt)
        if measuring and ("\x1b" in text or "\r" in text):
            text = self._measured(text, prompt or "")
        begins_anew = "\n" in text and not (measuring or typing)
        if begins_anew:
            self.came = text[text.rfind("\n") + 1 :]
        elif len(self.came) <= LONGEST_DRAWN:
            self.came += text
        self.row = (self.row + text)[-SHORT:] if len(text) < SHORT else text[-SHORT:]
        drawn = self._terminal.alternate
        self._terminal.feed(text)
        if drawn and not self._terminal.alternate:
            text, drawn = LEAVES_ALTERNATE.split(text)[-1], False
            begins_anew = "\n" in text and not (measuring or typing)
        if begins_anew:
            self.printed = ""
            text = text[text.rfind("\n") + 1 :]
        if not drawn and (measuring or len(text) < SHORT):
            shown = printed(text[-LONGEST_ECHO:])
            self.printed = (self.printed + shown)[-LONGEST_ECHO:]
            self.after = (self.after + shown)[-SHORT:]

    def pass_lines(self, lines: bytes) -> bool:
        """The same for many lines at once, in UTF-8, while nobody types; False if they must be shown as others are."""
        if len(lines) < SHORT or b"\n" not in lines or not self._terminal.pass_lines(lines):
            return False
        self.row = ""
        self.came = lines[lines.rfind(b"\n") + 1 :].decode()[-LONGEST_ECHO:]
        self.printed = printed(self.came)
        self.after = (self.after + self.printed)[-SHORT:]
        return True

    def look_for_editor(self, text: str) -> None:
        if "\x1b[?2004" in text:
            if self.edited:
                self._terminal.forget_keypad()  # a line editor's, whether or not it gives it back
            self.edited = text.rfind("\x1b[?2004h") > text.rfind("\x1b[?2004l")

    def _look_at_way_back(self, text: str, prompt: str | None) -> None:
        """How a line editor moves within its row tells what it thinks that this row holds."""
        returned, self._returned = self._returned, 0
        text = "\r" + text if returned else text
        returns = "\r\x1b[" in text
        if not (returns or len(text) == 1 or text[:1] in BACK or "@" in text):
            return
        line, place = self._terminal.line()
        place = returned or place
        if text == "\r":
            self._returned = place
            return
        if returns and not self.counts_colours:
            self.counts_colours = self._strays(text, line, place, prompt)
        if wider := self._wider(text, line, place):
            self._terminal.resize(wider, self._terminal.height)

    def _strays(self, text: str, line: str, place: int, prompt: str | None) -> bool:
        """It returns to a column in its own prompt, or behind the line: it takes the prompt for a longer one."""
        found = self._prompts.find(line if prompt is None else prompt)
        back = RETURNS.search(text, 0, SHORT)
        if back is None or found is None or place >= self._terminal.width or not line.startswith(found[0].rstrip()):
            return False
        reached = back.group().count("C") if back[1] is None else int(back[1])
        return not width_of(found[0]) <= reached <= width_of(line) + len(text[: back.start()])

    def _wider(self, text: str, line: str, place: int) -> int | None:
        """The usual width of a window in which it need not go up a row, or wrap, where it would have in this one."""
        width, reached = self._terminal.width, len(line) + 1
        if self._terminal.width_is_told or self.counts_colours or width_of(line) > len(line):
            return None
        right = 0
        if (inserts := INSERTS.match(text)) and len(line) < width < len(line) + int(inserts[1]):
            goes_on, reached = True, len(line) + int(inserts[1])
        elif place < width:
            return None
        elif goes_back := GOES_BACK.match(text):
            right = goes_back.group().count("C") if goes_back[1] is None else int(goes_back[1])
            goes_on = max(right, goes_back.group().count("\b")) > place % width
        else:
            goes_on = len(text) == 1 and text > " " and WRAP.search(self.came) is None
        if not goes_on or self._may_count(line, right):
            return None
        return next((usual for usual in USUAL if usual >= reached), None)

    def _may_count(self, line: str, right: int) -> bool:
        """The window may be as it is thought, and the colours of the prompt counted: where the line would then have been
        wrapped it has not come to yet. But who goes `right` up to where the prompt ends counts none."""
        found = self._prompts.find(line)
        colours = columns_of_colours(self.came, found[0]) if found else 0
        if found is None or not colours or right == len(found[0]):
            return False
        width = self._terminal.width
        return (len(found[0]) + colours) // width == (len(line) + colours - 1) // width

    def _measured(self, text: str, prompt: str) -> str:
        """Feed the terminal up to where a line editor wraps, for only there the window's width shows; gives the rest."""
        at = 0
        bare = prompt.rstrip()
        for wrap in WRAP.finditer(text[:SHORT]):
            if bare and printed(text[wrap.end() : SHORT]).startswith(bare):
                continue  # the line is drawn anew
            asked = self._prompts.begins(prompt)
            before, at = text[at : wrap.start()], wrap.start()
            self._terminal.feed(before)
            self.row += before
            self.printed += printed(before)
            self.came += before
            line, place = self._terminal.line()
            shown = width_of(line[asked:place])
            above, written = last_row_written(self.row)
            if wrap["column"]:
                shown = shown + 1 if shown == int(wrap["column"]) and "\b" not in written else 0
            written = written_behind(line[:asked], written)
            width = typed_width(above, written) if self.counts_colours and wrap["blank"] else None
            if width is None:
                width = wrapped_width(shown, written if wrap["blank"] else "", self._terminal.width)
                if wrap["blank"]:
                    self.wrapped(shown, written, width or self._terminal.width)
            if width not in (None, self._terminal.width):
                self._terminal.resize(width, self._terminal.height)
                self.row = ""
                break
        return text[at:]

    def wrapped(self, shown: int, written: str, width: int) -> None:
        """A line editor wrapped where the window is `width` wide, after `shown` columns of which the log has `written`."""
        if MOVES.search(written):
            return  # so it tells no columns
        if shown % width and columns_counted(written) % width == 0:
            self.counts_colours = True
        elif shown % width == 0 and shown == columns_shown(written):
            self.counts_colours = False

    def as_meant(self, prompt: str | None) -> Meant | None:
        """The line as its editor means it, which counts the colours of its prompt; None where it does not."""
        if not self.counts_colours:
            return None
        key = self.came, prompt, self._terminal.width
        if self._meant is None or self._meant[0] != key:
            if len(self.came) > min(LONGEST_DRAWN, self._patience):
                return None
            self._patience -= len(self.came)
            self._meant = key, self._drawn_again(prompt or "")
        return self._meant[1]

    def _drawn_again(self, prompt: str) -> Meant | None:
        written, found = self.came, self._prompts.find(prompt[self._prompts.begins(prompt) :])
        for start in [at.end() for at in LINE_BEGINS.finditer(written)][::-1]:
            if found is not None:
                break
            written = self.came[start:]
            found = self._prompts.find(printed(written))
        return as_meant(written, found[0], self._terminal) if found else None


def printed(text: str) -> str:
    """Its characters, without what controls."""
    if "\x1b" not in text and text.isprintable():
        return text
    return "".join(token.group() for token in TOKEN.finditer(SILENT.sub("", text)) if token.lastgroup == "text")
