"""Which lines programs received: the keys say when Enter was pressed and what was meant, the screen says what became of it.

A command is judged when its line is left, at the first line feed after its Enter: only then has everything been echoed
that will be. What the screen never showed is never told: an answer typed blind is masked, here and wherever it turns up.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.reading.keys import WILD, Keyboard, Typed
from bot.reading.prompts import SHELL, STARTS, UNKNOWN, Prompts
from bot.reading.sequences import SILENT, TOKEN
from bot.reading.terminal import Terminal

MASKED = "••••••"
STARS = re.compile(r"[*•●∙·xX]+\Z")
LONGEST_ECHO = 16 * 1024
# Words that come before the program in a shell's line.
BEFORE_PROGRAM = re.compile(
    r"\s*(?:(?:sudo|exec|env|time|nohup|command)\s+|[A-Za-z_]\w*=\S*\s+|bundle\s+exec\s+|\\!\s*)*"
)


@dataclass(frozen=True, slots=True)
class Command:
    """A line that a program received; `text` is masked, `sure` is False where keys and screen disagree."""

    time: str
    text: str
    program: str
    masked: bool
    sure: bool = True


class Masks(Protocol):
    def line(self, text: str) -> str: ...
    def learn(self, value: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Entered:
    """An Enter whose line has not been left yet. `prompt` is what stood before the cursor at the line's first key,
    None where the log does not tell."""

    time: str
    typed: Typed
    prompt: str | None
    full_screen: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    text: str
    prompt: str
    sure: bool = True
    blind: bool = False


class Commands:
    def __init__(self, terminal: Terminal, masks: Masks, prompts: Prompts, accept: Callable[[Command], None]) -> None:
        self._terminal = terminal
        self._masks = masks
        self._accept = accept
        self._prompts = prompts
        self._keyboard = Keyboard()
        self._entered: deque[Entered] = deque()
        self._prompt: str | None = None  # of the line being typed
        self._typing = False
        self._echo = ""
        self._started = ""
        self._answered = True  # something was shown after the last Enter
        self.last = ""

    @property
    def waiting(self) -> bool:
        """An Enter was pressed, and its line has not been left."""
        return bool(self._entered)

    # --- what happens

    def typed(self, text: str, time: str, *, live: bool) -> None:
        """`live`: the log has the keys one by one, so the screen now is what the person saw when pressing them."""
        if live and self._entered and self._echo:
            self._line_left(time)
        if live and not self._typing:
            line, place = self._terminal.line()
            self._prompt, self._typing, self._echo = line[:place], True, ""
        self._answered = False
        for entered in self._keyboard.feed(text):
            if entered is None:
                self._given_up()
            elif not (live and self._terminal.alternate):
                full = self._terminal.alternate or self._terminal.keypad
                self._entered.append(Entered(time, entered, self._prompt if live else None, full))
            self._typing, self._prompt = False, None

    def shown(self, text: str) -> None:
        start = 0
        self._answered = True
        while self._entered:
            end = text.find("\n", start)
            if end < 0:
                break
            self._show(text[start:end])
            if not self._terminal.alternate:
                self._line_left("")
            start = end
            self._show(text[start : start + 1])
            start += 1
        if start < len(text):
            self._show(text[start:] if start else text)

    def ended(self, ending: str) -> None:
        """The end of a line that was shown before: it leaves the line of an Enter only if something followed that Enter."""
        if self._answered:
            self.shown(ending)
            return
        if "\n" in ending:
            self._echo = ""
        self._show(ending)

    def close(self) -> None:
        while self._entered and self._echo:
            self._line_left("")

    def _show(self, text: str) -> None:
        self._terminal.feed(text)
        if self._typing or self._entered or len(text) < 4096:
            self._echo = (self._echo + _printed(text[-LONGEST_ECHO:]))[-LONGEST_ECHO:]

    def _given_up(self) -> None:
        self._entered.clear()

    # --- judging

    def _line_left(self, _time: str) -> None:
        line, _place = self._terminal.line()
        entered = self._next(line)
        verdict = self._judge(entered, line.rstrip())
        self._echo = ""
        if verdict is None:
            return
        if verdict.blind:
            for secret in {entered.typed.edited.replace(WILD, ""), entered.typed.plain}:
                self._masks.learn(secret)
            self._accept(Command(entered.time, MASKED, UNKNOWN, True))
            return
        self._accept_line(entered, verdict)

    def _next(self, line: str) -> Entered:
        """Which Enter left this line: keys for a full-screen program have no line of their own."""
        while len(self._entered) > 1 and self._entered[0].full_screen:
            if self._matching(self._entered[0].typed, line.rstrip()) is not None:
                break
            self._entered.popleft()
        return self._entered.popleft()

    def _accept_line(self, entered: Entered, verdict: Verdict) -> None:
        text = verdict.text
        if not text.strip():
            return
        program = self._prompts.program_of(verdict.prompt, self._started) if verdict.prompt.strip() else UNKNOWN
        if verdict.sure and program != UNKNOWN:
            self._prompts.learn(verdict.prompt, program)
        if program != UNKNOWN:
            self._prompts.program = program
            self._started = _started_by(text)
        self._keyboard.editor.remember(text)
        self.last = text
        self._accept(Command(entered.time, self._masks.line(text), program, False, verdict.sure))

    def _judge(self, entered: Entered, line: str) -> Verdict | None:
        typed = entered.typed
        echoed = self._echo
        if not typed.printed and not typed.edited.strip():
            return None
        prompt = entered.prompt
        if prompt is not None and typed.printed and line == prompt.rstrip() and not _echoes(typed.plain, echoed):
            return Verdict("", prompt, blind=True)
        matching = self._matching(typed, line)
        if matching is not None:
            return matching
        shown = self._shown(prompt, line)
        if shown is not None:
            return self._reconciled(typed, *shown, echoed)
        for text in (typed.edited, typed.plain):
            if _echoes(text, echoed):
                return Verdict(text, self._prompt_before(echoed))
        found = self._prompts.guess(line)
        if found is not None and line[len(found[0]) :].strip():
            return self._reconciled(typed, found[0], line[len(found[0]) :], echoed)
        if typed.printed:
            return Verdict("", line, blind=True)
        return Verdict(line, "", sure=False) if line and typed.edited == WILD else None

    def _prompt_before(self, echoed: str) -> str:
        found = self._prompts.find(echoed)
        return found[0] if found else ""

    def _matching(self, typed: Typed, line: str) -> Verdict | None:
        """The line ends with what the keys say."""
        for text in (typed.edited, typed.plain):
            last = text.rstrip().rpartition("\n")[2]
            if text.strip() and WILD not in text and last and line.endswith(last):
                return Verdict(text, line[: len(line) - len(last)])
        if WILD in typed.edited and typed.edited.strip(WILD + " "):
            pattern = ".*?".join(map(re.escape, typed.edited.rstrip().split(WILD)))
            prompt = self._prompts.find(line)
            if prompt and re.fullmatch(pattern, line[len(prompt[0]) :], re.DOTALL):
                return Verdict(line[len(prompt[0]) :], prompt[0])
        return None

    def _shown(self, prompt: str | None, line: str) -> tuple[str, str] | None:
        if prompt and prompt.strip() and line.startswith(prompt.rstrip()):
            return prompt, line[len(prompt) :]
        known = self._prompts.known(line + " ")
        return (known[0], line[len(known[0]) :]) if known else None

    def _reconciled(self, typed: Typed, prompt: str, text: str, echoed: str) -> Verdict | None:
        if not text.strip():
            return Verdict("", prompt, blind=True) if typed.printed and typed.edited.strip() else None
        if typed.printed and STARS.fullmatch(text.strip()) and typed.plain != text.strip():
            return Verdict("", prompt, blind=True)
        if not typed.known:
            return Verdict(text, prompt)
        if text.startswith(typed.edited.rstrip() + "  ") and typed.edited.strip():
            return Verdict(typed.edited, prompt)
        if typed.edited.endswith(text.strip()):  # keys for a full-screen program came before it
            return Verdict(text, prompt)
        if _echoes(typed.edited, echoed):
            return Verdict(typed.edited, prompt)
        return Verdict(text, prompt, sure=False)


def _printed(text: str) -> str:
    if "\x1b" not in text and text.isprintable():
        return text
    return "".join(token.group() for token in TOKEN.finditer(SILENT.sub("", text)) if token.lastgroup == "text")


def _echoes(text: str, echoed: str) -> bool:
    """The screen showed every character of `text`, in order and in few pieces."""
    wanted = text.replace("\n", "").rstrip()
    if not wanted.strip() or WILD in wanted:
        return False
    if wanted in echoed:
        return True
    at = pieces = 0
    rest = wanted
    while rest:
        length = min(len(rest), 4) if len(rest) < 8 or pieces else 2
        at = echoed.find(rest[:length], at)
        if at < 0:
            return False
        taken = 0
        while taken < len(rest) and at + taken < len(echoed) and echoed[at + taken] == rest[taken]:
            taken += 1
        at += taken
        rest = rest[taken:]
        pieces += 1
        if pieces > 2 + len(wanted) // 24:
            return False
    return True


def _started_by(text: str) -> str:
    """The program that a shell's line starts, if it is one whose prompts look like another's."""
    before = BEFORE_PROGRAM.match(text)
    word = text[before.end() if before else 0 :].split(maxsplit=1)
    name = word[0].rpartition("/")[2] if word else ""
    return STARTS.get(re.sub(r"(?<=\D)[\d.]+\Z", "", name), STARTS.get(name, ""))


__all__ = ["MASKED", "SHELL", "Command", "Commands"]
