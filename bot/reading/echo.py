"""What is shown goes on to the terminal, and what judging a typed line needs of it is kept: its characters, and how they came."""

from __future__ import annotations

import re

from bot.reading.counted import Meant, as_meant
from bot.reading.measure import SHORT, Measure
from bot.reading.prompts import Prompts
from bot.reading.sequences import LEAVES_ALTERNATE, NOT_TEXT, SILENT
from bot.reading.terminal import Terminal
from bot.reading.window import wraps

LONGEST_ECHO = 16 * 1024
KEYPAD_ON, KEYPAD_OFF = "\x1b[K\x1b[?1h\x1b=", "\x1b[?1l"  # zsh's, behind its prompt
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
        self.by_zle = False  # which has the keypad, as full-screen programs do
        self.measure = Measure(terminal, prompts)
        self._patience = PATIENCE
        # The last answer of `as_meant`, and to what.
        self._meant: tuple[tuple[str, str | None, int], Meant | None] | None = None

    def forget(self) -> None:
        """The line was left."""
        self.printed = self.after = self.came = self.row = ""

    def entered(self) -> None:
        self._patience += MORE_PATIENCE
        self.measure.entered()

    def goes_on(self, came: str) -> None:
        """The line that was left is being typed all the same, and came so."""
        self.came = came[: 2 * LONGEST_DRAWN]

    def show(self, text: str, prompt: str | None, *, measuring: bool, typing: bool) -> None:
        """`measuring`: a line editor may wrap in it; `typing`: at a line that is longer than what stands there. `prompt`:
        what stood before the line's first key, if that is known."""
        text = self._measured(text, prompt, measuring=measuring, typing=typing)
        goes_on = measuring or typing
        if "\n" in text and not goes_on:
            self.came = text[text.rfind("\n") + 1 :]
        elif len(self.came) <= LONGEST_DRAWN:
            self.came += text
        self.row = (self.row + text)[-SHORT:] if len(text) < SHORT else text[-SHORT:]
        drawn = self._terminal.alternate
        self._terminal.feed(text)
        if drawn and not self._terminal.alternate:
            text, drawn = LEAVES_ALTERNATE.split(text)[-1], False
        if "\n" in text and not goes_on:
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
        if KEYPAD_ON in text or KEYPAD_OFF in text:
            self.by_zle = text.rfind(KEYPAD_ON) > text.rfind(KEYPAD_OFF)

    def _measured(self, text: str, prompt: str | None, *, measuring: bool, typing: bool) -> str:
        """Looks at what in it tells of the window; gives what the terminal has not been fed for that."""
        if "\x1b" in text:
            self.look_for_editor(text)
            self.measure.drawn(text, self.came, edited=self.edited and len(self.came) + len(text) < LONGEST_DRAWN)
        if measuring or typing:
            self.measure.filled(text, self.came)
            self.measure.walked(text, self.came, prompt)
        if measuring:
            self.measure.typed(text, self.came)
        may_wrap = measuring and ("\x1b" in text or "\r" in text) and len(self.came) < LONGEST_DRAWN
        return self._fed_to_wrap(text, prompt or "") if may_wrap else text

    def _fed_to_wrap(self, text: str, prompt: str) -> str:
        """Feed the terminal up to where a line editor wraps, for only there the window's width shows; gives the rest."""
        at = 0
        bare = prompt.rstrip()
        for wrap in wraps(text[:SHORT]):
            if bare and printed(text[wrap.end() : SHORT]).startswith(bare):
                continue  # the line is drawn anew
            before, at = text[at : wrap.start()], wrap.start()
            self._terminal.feed(before)
            self.row += before
            self.printed += printed(before)
            self.came += before
            if self.measure.wraps(wrap, self.row, prompt, self.came):
                self.row = ""
                break
        return text[at:]

    def as_meant(self, prompt: str | None) -> Meant | None:
        """The line as its editor means it, which counts the colours of its prompt; None where it does not."""
        if not self.measure.counts_colours:
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
        return as_meant(written, found.text, self._terminal) if found else None


def printed(text: str) -> str:
    """Its characters, without what controls."""
    if "\x1b" not in text and text.isprintable():
        return text
    return NOT_TEXT.sub("", SILENT.sub("", text))
