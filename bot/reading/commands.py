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
from bot.reading.screen import width_of
from bot.reading.terminal import Terminal
from bot.reading.window import WRAP, wrapped_width

MASKED = "••••••"
STARS = re.compile(r"[*•●∙·xX]+\Z")
SHORT = 4096
NO_BLANKS = str.maketrans("", "", " \n\r\t")
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
    ahead: bool = False


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
        self._written = ""  # of the cursor's line, as it came
        self.judged = 0  # Enters
        self._started = ""
        self._answered = True  # something was shown after the last Enter
        self.last = ""

    @property
    def waiting(self) -> bool:
        """An Enter was pressed, and its line has not been left."""
        return bool(self._entered)

    @property
    def answered(self) -> bool:
        """An Enter was pressed, something was shown since, and its line has not been left."""
        return bool(self._entered) and self._answered

    def expects_more(self, line: str, following: str) -> bool:
        """The line of the last Enter goes on, or is drawn again, in what follows: so it has not been left."""
        typed = self._entered[0].typed
        if not typed.known and "i-search)" in line:
            return self._prompts.find(following + " ") is not None
        if self._matching(typed, line.rstrip()) is not None:
            return False
        found = self._prompts.find(line + " ")
        shown = line[len(found[0]) :].rstrip() if found else ""
        rest = typed.edited[len(shown) :].lstrip()
        return bool(shown and rest) and typed.edited.startswith(shown) and rest[:8] == following.lstrip()[:8]

    # --- what happens

    def typed(self, text: str, time: str, *, live: bool) -> None:
        """`live`: the log has the keys one by one, so the screen now is what the person saw when pressing them."""
        while self._entered and (self._echo if live else self._answered):
            self._line_left(final=True)
            if live and self._entered and self._entered[0].ahead:
                break
        if live and not self._typing:
            line, place = self._terminal.line()
            self._prompt, self._typing = line[:place], True
            if not self._entered:
                self._echo = ""
        self._answered = False
        for entered in self._keyboard.feed(text):
            if entered is None:
                self._entered.clear()
            elif not (live and self._full_screen()):
                full = self._full_screen()
                self._entered.append(Entered(time, entered, self._prompt if live else None, full, bool(self._entered)))
            self._typing, self._prompt = False, None

    def _full_screen(self) -> bool:
        """A full-screen program has the keyboard; one that draws on the normal screen shows no prompt."""
        if self._terminal.keypad and not self._terminal.alternate:
            return self._prompts.find(self._prompt or self._terminal.line()[0]) is None
        return self._terminal.alternate

    def shown(self, text: str) -> None:
        start = 0
        self._answered = True
        while self._entered:
            end = text.find("\n", start)
            if end < 0:
                break
            self._show(text[start:end])
            if not self._terminal.alternate:
                self._line_left()
            self._show("\n")
            start = end + 1
        if start < len(text):
            self._show(text[start:] if start else text)

    def ended(self, ending: str, *, typing: bool) -> None:
        """The end of a line that was shown before: it leaves the line of an Enter only if that Enter came before it."""
        if self._answered:
            self.shown(ending)
            return
        if "\n" in ending and not typing:
            self._echo = ""
        self._show(ending)

    def close(self) -> None:
        while self._entered and self._answered and self._echo:
            self._line_left(final=True)

    def _show(self, text: str) -> None:
        if self._typing or self._entered:
            text = self._measured(text)
        self._written = (self._written + text)[-SHORT:] if len(text) < SHORT else ""
        drawn = self._terminal.alternate
        self._terminal.feed(text)
        if not drawn and (self._typing or self._entered or len(text) < SHORT):
            self._echo = (self._echo + _printed(text[-LONGEST_ECHO:]))[-LONGEST_ECHO:]

    def _measured(self, text: str) -> str:
        """Feed the terminal up to where a line editor wraps, for only there the window's width shows; gives the rest."""
        for wrap in WRAP.finditer(text[:SHORT]):
            before = text[: wrap.start()]
            self._terminal.feed(before)
            self._written += before
            line, place = self._terminal.line()
            written = self._written.rpartition("\n")[2].rpartition("\r")[2]
            width = wrapped_width(width_of(line[:place]), written, self._terminal.width)
            if width is not None:
                self._terminal.resize(width, self._terminal.height)
            self._echo += _printed(before)
            self._written = ""
            return text[wrap.start() :]
        return text

    # --- judging

    def _line_left(self, *, final: bool = False) -> None:
        prompt = (self._entered[0].prompt or "").rstrip()
        self._terminal.join(lambda row: bool(prompt and row.startswith(prompt)) or self._prompts.known(row) is not None)
        line = self._terminal.line()[0].rstrip()
        for entered in self._leaving(line, final=final):
            self.judged += 1
            verdict = self._judge(entered, line)
            if verdict is None:
                continue
            if verdict.blind:
                self._hide(entered, verdict)
            else:
                self._accept_line(entered, verdict)

    def _leaving(self, line: str, *, final: bool) -> list[Entered]:
        """Whose line this is, and all that were entered before: they have had theirs. Keys for a full-screen program have
        none; a line typed ahead waits for its own."""
        queue = self._entered
        for number, entered in enumerate(queue):
            if self._matching(entered.typed, line) is not None:
                leaving = [queue.popleft() for _ in range(number + 1)]
                self._echo = "" if number == 0 else self._echo
                return [entered for entered in leaving if not entered.full_screen or entered is leaving[-1]]
        if len(queue) > 1 and queue[0].full_screen:
            queue.popleft()
            return self._leaving(line, final=final)
        if len(queue) > 1 and not self._terminal.line()[0].strip():
            return []
        return [] if queue[0].ahead and not final else [queue.popleft()]

    def _hide(self, entered: Entered, verdict: Verdict) -> None:
        if entered.prompt is not None or not self._prompts.find(verdict.prompt + " "):
            for secret in {entered.typed.edited.replace(WILD, ""), entered.typed.plain}:
                self._masks.learn(secret)
        self._accept(Command(entered.time, MASKED, UNKNOWN, True))

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
        typed, echoed = entered.typed, self._echo
        self._echo = ""
        if not (typed.edited.strip() or typed.plain.strip()):
            return None
        matching = self._matching(typed, line)
        shown = self._shown(entered.prompt, line)
        if entered.full_screen:
            return self._after_full_screen(typed, shown or self._guessed(line))
        if matching is not None and (typed.known or shown is None):
            return matching
        if shown is not None:
            return self._reconciled(typed, *shown, echoed)
        for text in (typed.edited, typed.plain):
            if _echoes(text, echoed):
                return Verdict(text, self._prompt_before(echoed))
        guessed = self._guessed(line)
        if guessed is not None and guessed[1].strip():
            return self._reconciled(typed, *guessed, echoed)
        return Verdict("", line, blind=True) if typed.printed else None

    def _guessed(self, line: str) -> tuple[str, str] | None:
        found = self._prompts.guess(line)
        return (found[0], line[len(found[0]) :]) if found else None

    def _after_full_screen(self, typed: Typed, shown: tuple[str, str] | None) -> Verdict | None:
        """The keys begin with those that the program got; the rest went to the prompt after it."""
        if shown is None or not shown[1].strip():
            return None
        prompt, text = shown
        keys = (typed.edited.rstrip(), typed.plain.rstrip())
        return Verdict(text, prompt, sure=not typed.known or any(k.endswith(text.strip()) for k in keys))

    def _prompt_before(self, echoed: str) -> str:
        found = self._prompts.find(echoed)
        return found[0] if found else ""

    def _matching(self, typed: Typed, line: str) -> Verdict | None:
        """The line ends with what the keys say."""
        for text in (typed.edited, typed.plain):
            last = text.rstrip().rpartition("\n")[2]
            if last.strip() and WILD not in text and (typed.known or text == typed.plain) and line.endswith(last):
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
    wanted = text.translate(NO_BLANKS)
    echoed = echoed.translate(NO_BLANKS)
    if not wanted or WILD in wanted:
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
