"""Which lines programs received: the keys say when Enter was pressed and what was meant, the screen says what became of it.

A command is judged when its line is left, at the first line feed after its Enter: only then has everything been echoed
that will be. What the screen never showed is never told: an answer typed blind is masked, here and wherever it turns up.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from bot.reading.keys import WILD, Keyboard, Typed, pressed
from bot.reading.prompts import SHELL, STARTS, UNKNOWN, Prompts
from bot.reading.screen import width_of
from bot.reading.sequences import SILENT, TOKEN
from bot.reading.terminal import Terminal
from bot.reading.window import WRAP, reached_width, wrapped_width

MASKED = "••••••"
STARS = re.compile(r"[*•●∙·xX]+\Z")
SHORT = 4096
# A line feed, or the end of bracketed paste: some editors leave their line with a movement of the cursor.
LINE_LEFT = re.compile(r"\n|\x1b\[\?2004l")
NO_BLANKS = str.maketrans("", "", " \n\r\t")
# A prompt at the right edge; typed text hardly holds so many blanks.
RIGHT_PROMPT = re.compile(r"(?<=\S) {4,}\S+(?: \S+)*\Z")
SEARCHES = "/?:"
# What pagers show while they wait for a key.
PAGER = re.compile(r":|\(END\)|--More--.*|.*\blines \d+-\d+.*|.*\((?:press|type) h for help.*")
# readline's search, and what is left of it where the line was redrawn over it in part.
SEARCHED = re.compile(r"i-search\)`[^']*': (.*)", re.DOTALL)
SEARCH_LEFT = re.compile(r"rch\)`|i-search\)|\((?:failed )?rev")
FEW_COLUMNS = 40  # no line editor wraps before, or counts wrong
MOST_ENTERED = 64  # Enters ahead of their lines
MOST_PASSED = 200
NAME = re.compile(r"[\w.+-]{1,32}")
# A control character that was quoted into a line, as editors show it.
CARETS = {code: f"^{chr(code ^ 64)}" for code in (*range(32), 127) if chr(code) not in "\n\t"} | dict.fromkeys(
    range(128, 160)
)
LONGEST_BLOCK = 40  # lines of one command
# Editors of whole blocks, which show their continuation prompt before every line of it.
REPEAT_PROMPTS = ("python", "ipython", "irb", "node")
DRAWS_BY_COLUMN = re.compile(r"\x1b\[[0-9;]*[GHC]|\x1b\[\?25[hl]")
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
    lines: int = 0  # how many lines stood above it then
    right: str = ""  # a prompt at the right edge, which stood behind the cursor then
    full_screen: bool = False
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
        self._lines = 0  # above it
        self._after = ""  # what was shown after the last key
        self._right = ""  # what stood behind the cursor then
        self._typing = False
        self._echo = ""
        self._written = ""  # of the cursor's line, as it came
        self.judged = 0  # Enters
        self._passed = 0  # lines that were not the one that was typed ahead
        self._started = ""
        self._left_at = -1  # lines above the one that was left last
        self._edited = False  # by a line editor that takes pastes in brackets
        self._answered = True  # something was shown after the last Enter
        self.last = ""

    @property
    def waiting(self) -> bool:
        """An Enter was pressed, and its line has not been left."""
        return bool(self._entered)

    @property
    def started(self) -> str:
        """The name of the program that the last command started, as far as it has one."""
        return _program_name(self.last) or "program"

    @property
    def answered(self) -> bool:
        """An Enter was pressed, something was shown since, and its line has not been left."""
        return bool(self._entered) and self._answered

    def complete(self, line: str) -> bool:
        """The line of the last Enter stands there as it was typed."""
        typed = self._entered[0].typed
        if not typed.edited and typed.known:
            found = self._prompts.known(line + " ")
            return found is not None and found[0].rstrip() == line
        return typed.known and self._matching(typed, line) is not None

    def expects_more(self, line: str, following: str) -> bool:
        """The line of the last Enter goes on, or is drawn again, in what follows: so it has not been left."""
        typed = self._entered[0].typed
        if not typed.known and "i-search)" in line:
            return self._prompts.find(following + " ") is not None
        found = self._prompts.find(line + " ")
        shown = (line[len(found[0]) :] if found else line).translate(NO_BLANKS)
        wanted, rest = typed.edited.translate(NO_BLANKS), following.translate(NO_BLANKS)
        return bool(shown and rest) and shown[-8:] + rest[:8] in wanted

    # --- what happens

    def typed(self, text: str, time: str, *, live: bool) -> None:
        """`live`: the log has the keys one by one, so the screen now is what the person saw when pressing them."""
        text = pressed(text)
        if not text:
            return
        while self._entered and (self._echo if live else self._answered):
            if live and self._still_typed():
                self._entered.popleft()
                self._keyboard.editor.lose_track()
                continue
            self._line_left(final=True)
            if live and self._entered and self._entered[0].ahead:
                break
        if live:
            self._look()
            self._look_at_search()
            if self._full_screen():
                self._keyboard.forget()
                self._typing = False
                return
        self._answered = False
        self._after = ""
        for entered in self._keyboard.feed(text, live=live):
            if entered is None:
                self._entered.clear()
            elif entered.operated and not live:
                self._operated(entered, time)
            else:
                full = self._full_screen()
                self._entered.append(
                    Entered(
                        time,
                        entered,
                        self._prompt if live else None,
                        self._lines,
                        self._right,
                        full,
                        bool(self._entered),
                    )
                )
            self._typing, self._prompt, self._right = False, None, ""
        while len(self._entered) > MOST_ENTERED:
            self._entered.popleft()

    def _operated(self, typed: Typed, time: str) -> None:
        """A line recorder tells of ^O only with the Enter after it: the line was left long before."""
        for number, row in enumerate(self._since_left(), self._left_at + 1):
            found = self._prompts.find(row)
            if found is not None and row[len(found[0]) :].strip():
                self._told(Entered(time, typed, None), Verdict(row[len(found[0]) :], found[0]))
                self._left_at = number
                return

    def _look(self) -> None:
        """What stands before and behind the cursor at a line's first key; keys that a pager got are no first keys."""
        line, place = self._terminal.line()
        before = line[:place]
        if self._typing:
            found = self._prompts.find(before)
            if before == self._prompt or found is None or found[0] != before:
                return
        right = "" if self._keyboard.editor.line.text else line[place:].strip()
        self._prompt, self._right, self._typing = before, right, True
        self._lines = self._terminal.lines
        if not self._entered:
            self._echo = ""

    def _look_at_search(self) -> None:
        editor = self._keyboard.editor
        if editor.searching and (found := SEARCHED.search(self._terminal.line()[0])):
            editor.seen(found[1].rstrip())

    def _still_typed(self) -> bool:
        """The Enter was for a search, or a menu, of the line editor: its line is being typed where it was."""
        entered = self._entered[0]
        known = self._prompts.known(entered.prompt or "")
        return (
            not entered.ahead
            and known is not None
            and known[0] == entered.prompt
            and self._terminal.lines == entered.lines
            and self._terminal.line()[0].startswith(entered.prompt)
        )

    def _full_screen(self) -> bool:
        """A full-screen program has the keyboard; one that draws on the normal screen shows no prompt."""
        if self._terminal.keypad and not (self._terminal.alternate or self._edited):
            return self._prompts.find(self._prompt or self._terminal.line()[0]) is None
        return self._terminal.alternate

    def shown(self, text: str) -> None:
        start = 0
        self._answered = True
        while self._entered:
            left = LINE_LEFT.search(text, start)
            if left is None:
                break
            self._show(text[start : left.start()])
            if self._terminal.alternate:
                self._entered = deque(replace(entered, full_screen=True) for entered in self._entered)
            elif left.group() == "\n" or self._terminal.line()[0].strip():
                self._line_left()
            self._show(left.group())
            start = left.end()
        if start < len(text):
            self._show(text[start:] if start else text)

    def ended(self, ending: str, *, typing: bool) -> None:
        """The end of a line that was shown before: it leaves the line of an Enter only if that Enter came before it."""
        if self._answered:
            self.shown(ending)
            return
        self._show(ending, typing=typing)

    def cut(self, time: str) -> None:
        """The log ended at `time`: what its recorder then still held was written away, with no Enter behind it."""
        if self._entered and self._entered[-1].time == time:
            self._entered.pop()

    def close(self) -> None:
        while self._entered and self._answered and self._echo:
            self._line_left(final=True)

    def _show(self, text: str, *, typing: bool = False) -> None:
        if len(text) < SHORT and (reached := reached_width(text)) > self._terminal.width:
            self._terminal.resize(reached, self._terminal.height)
        if self._typing or self._entered:
            text = self._measured(text)
        if "\x1b[?2004" in text:
            self._edited = text.rfind("\x1b[?2004h") > text.rfind("\x1b[?2004l")
        self._written = (self._written + text)[-SHORT:] if len(text) < SHORT else ""
        drawn = self._terminal.alternate
        self._terminal.feed(text)
        if "\n" in text and not (typing or self._typing or self._entered):
            self._echo = ""
            text = text[text.rfind("\n") + 1 :]
        if not drawn and (self._typing or self._entered or len(text) < SHORT):
            printed = _printed(text[-LONGEST_ECHO:])
            self._echo = (self._echo + printed)[-LONGEST_ECHO:]
            self._after = (self._after + printed)[-SHORT:]

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
        self._block_left()
        line = self._terminal.line()[0].rstrip()
        leaving = self._leaving(line, final=final) if self._entered else []
        for number, entered in enumerate(leaving, 1):
            overtaken = number < len(leaving) and entered.prompt is None and self._matching(entered.typed, line) is None
            self._told(entered, self._unseen(entered.typed) if overtaken else self._judge(entered, line))
        self._left_at = self._terminal.lines

    def _told(self, entered: Entered, verdict: Verdict | None) -> None:
        self.judged += 1
        if verdict is None:
            return
        if verdict.blind:
            self._hide(entered, verdict)
        else:
            self._accept_line(entered, verdict)

    def _block_left(self) -> None:
        """Lines that an editor of whole blocks drew and left by moving the cursor: a line recorder has them in one piece."""
        if self._entered[0].prompt is not None:
            return
        for row in self._since_left():
            matching = self._matching(self._entered[0].typed, row) if self._repeated(row) else None
            if matching is not None:
                self._told(self._entered.popleft(), self._with_indent(matching))
                if not self._entered:
                    return

    def _unseen(self, typed: Typed) -> Verdict | None:
        """Nothing was shown until the Enter after it."""
        if not typed.printed or typed.keys[0] in SEARCHES:
            return None
        return Verdict("", "", blind=True)

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
        if len(queue) > 1 and not line and not final:
            return []
        self._passed += 1
        if queue[0].ahead and not final and self._passed < MOST_PASSED:
            return []
        self._passed = 0
        return [queue.popleft()]

    def _hide(self, entered: Entered, verdict: Verdict) -> None:
        if entered.prompt is not None or not self._prompts.find(verdict.prompt + " "):
            for secret in {entered.typed.edited.replace(WILD, ""), entered.typed.plain}:
                self._masks.learn(secret)
        self._accept(Command(entered.time, MASKED, UNKNOWN, True))

    def _accept_line(self, entered: Entered, verdict: Verdict) -> None:
        text = verdict.text.translate(CARETS)
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
        if typed.known and not (typed.edited.strip() or typed.plain.strip()):
            return None
        shown = self._shown(entered, line)
        if shown and self._repeated(entered.prompt or "") and (shown[0] != entered.prompt or not shown[1].strip()):
            shown = self._shown_above(entered, line) or shown
        if shown is None and PAGER.fullmatch((entered.prompt or "").strip()):
            return None
        if entered.full_screen:
            return _after_full_screen(typed, shown or self._guessed(line))
        if shown is None and line and line[0] in SEARCHES and line == typed.keys.strip():
            return None  # a pager's prompt, or vi's, gave way to a search
        if shown is None:
            shown = self._shown_above(entered, line)
        matching = self._matching(typed, line)
        if matching is not None and (typed.known or shown is None) and not (shown and _is_part(matching, shown[1])):
            return self._with_indent(matching)
        if shown is not None:
            return _reconciled(typed, *shown, echoed)
        return self._tangled(typed, line, echoed)

    def _tangled(self, typed: Typed, line: str, echoed: str) -> Verdict | None:
        """The line begins with no prompt that is known."""
        guessed = self._guessed(line)
        if guessed is not None and guessed[1].strip() and not typed.known and not typed.searched:
            return Verdict(guessed[1], guessed[0])
        for text in (typed.edited, typed.plain):
            if echoes(text, echoed):
                found = self._prompts.find(echoed)
                return Verdict(text, found[0] if found else "")
        if guessed is not None and guessed[1].strip():
            return _reconciled(typed, *guessed, echoed)
        if _follows(typed.keys, echoed):
            return Verdict(typed.edited.replace(WILD, ""), "", sure=False)
        return Verdict("", line, blind=True) if typed.printed else None

    def _matching(self, typed: Typed, line: str) -> Verdict | None:
        """The line ends with what the keys say."""
        for text in (typed.edited, typed.plain):
            last = text.rstrip().rpartition("\n")[2]
            if not last.strip() or WILD in text or not (typed.known or text == typed.plain):
                continue
            if line.endswith(last):
                return Verdict(text, line[: len(line) - len(last)])
            if "\t" in last and (text is typed.edited or self._prompts.find(line) is None):
                blanks = re.compile(r"\s+".join(map(re.escape, last.split())) + r"\Z").search(line)
                if blanks is not None:
                    return Verdict(text, line[: blanks.start()])
        if WILD in typed.edited and typed.edited.strip(WILD + " "):
            pattern = ".*?".join(map(re.escape, typed.edited.rstrip().split(WILD)))
            prompt = self._prompts.find(line)
            if prompt and re.fullmatch(pattern, line[len(prompt[0]) :], re.DOTALL):
                return Verdict(line[len(prompt[0]) :], prompt[0])
        return None

    def _with_indent(self, verdict: Verdict) -> Verdict:
        """Blanks between the prompt and what was typed are the editor's indent, which the program got too."""
        found = self._prompts.find(verdict.prompt)
        typed = self._written[self._written.rfind(found[0].rstrip()) + 1 :] if found else ""
        indent = verdict.prompt[len(found[0]) :] if found and DRAWS_BY_COLUMN.search(typed) else ""
        return replace(verdict, prompt=found[0], text=indent + verdict.text) if found and indent.isspace() else verdict

    def _shown(self, entered: Entered, line: str) -> tuple[str, str] | None:
        """The prompt that the line begins with, and what follows it."""
        prompt = self._without_indent(entered.prompt or "")
        if prompt.strip() and line.startswith(prompt.rstrip()):
            text = line[len(prompt) :]
        else:
            known = self._prompts.known(line + " ")
            if known is None:
                return None
            prompt, text = known[0], line[len(known[0]) :]
        if entered.right and text.endswith(entered.right):
            text = text.removesuffix(entered.right).rstrip()
        elif width_of(line) >= self._terminal.width - 2 and "    " not in entered.typed.edited:
            text = RIGHT_PROMPT.sub("", text)
        following = self._prompts.known(text + " ")
        if following and not text[len(following[0]) :].strip():
            text = ""  # the next prompt, on the line of an answer that moved nothing
        return prompt, text

    def _shown_above(self, entered: Entered, line: str) -> tuple[str, str] | None:
        """The same for a line of several, recalled or pasted: it begins where the prompt stood at its first key."""
        if entered.prompt is None:
            prompt, block = self._from_last_prompt(self._since_left()) if not entered.typed.known else ("", [])
            block.append(line)
            if self._repeated(prompt) or any(row.startswith(" " * len(prompt)) for row in block):
                return None
        else:
            prompt, block = self._without_indent(entered.prompt), self._above(self._terminal.lines - entered.lines)
            if block and not self._is_answer(line, prompt):
                block.append(line)
        if not block or not prompt.strip() or not block[0].startswith(prompt.rstrip()):
            return None
        rest = [self._without_continuation(part) for part in block[1:]]
        return prompt, "\n".join([block[0][len(prompt) :].rstrip(), *rest])

    def _above(self, count: int) -> list[str]:
        return self._terminal.above(count) if 0 < count <= LONGEST_BLOCK else []

    def _since_left(self) -> list[str]:
        """The lines below the one that was left last, without the cursor's."""
        return self._above(self._terminal.lines - self._left_at - 1)

    def _from_last_prompt(self, block: list[str]) -> tuple[str, list[str]]:
        for number in range(len(block) - 1, -1, -1):
            found = self._prompts.known(block[number])
            if found is not None and block[number][len(found[0]) :].strip():
                return found[0], block[number:]
        return "", []

    def _is_answer(self, line: str, prompt: str) -> bool:
        """`line` stands below what was entered at `prompt`, and is no part of it."""
        if self._repeated(prompt):
            found = self._repeated(line + " ")
            return not (found and line[len(found) :].strip())
        return bool(self._after.strip()) and line.endswith(self._after.strip())

    def _without_continuation(self, line: str) -> str:
        return line[len(self._repeated(line)) :]

    def _repeated(self, line: str) -> str:
        """The prompt of an editor of whole blocks that `line` begins with."""
        found = self._prompts.guess(line)
        return found[0] if found and found[1] in REPEAT_PROMPTS else ""

    def _without_indent(self, prompt: str) -> str:
        known = self._prompts.known(prompt)
        found = known or self._prompts.guess(prompt)
        return found[0] if found and (known or prompt[len(found[0]) :].isspace()) else prompt

    def _guessed(self, line: str) -> tuple[str, str] | None:
        found = self._prompts.guess(line)
        return (found[0], line[len(found[0]) :]) if found else None


def _is_part(matching: Verdict, text: str) -> bool:
    """The keys' line is only the end of what stands at the prompt: more came from elsewhere."""
    return len(text.translate(NO_BLANKS)) > len(matching.text.translate(NO_BLANKS)) and "\n" not in matching.text


def _after_full_screen(typed: Typed, shown: tuple[str, str] | None) -> Verdict | None:
    """The keys begin with those that the program got; the rest went to the prompt after it."""
    if shown is None or not shown[1].strip():
        return None
    prompt, text = shown
    keys = (typed.edited.rstrip(), typed.plain.rstrip())
    return Verdict(text, prompt, sure=not typed.known or any(k.endswith(text.strip()) for k in keys))


def _reconciled(typed: Typed, prompt: str, text: str, echoed: str) -> Verdict | None:
    """What the screen has after the prompt, against what the keys say."""
    keys, shown = typed.edited.strip(), text.strip()
    echoed_keys = echoes(typed.edited, echoed)
    if not shown:
        if echoed_keys:
            return Verdict(typed.edited, prompt)
        return Verdict("", prompt, blind=True) if typed.printed else None
    if typed.printed and STARS.fullmatch(shown) and typed.plain != shown:
        return Verdict("", prompt, blind=True)
    if typed.searched and WILD not in keys and SEARCH_LEFT.search(shown):
        return Verdict(typed.edited, prompt, sure=False)
    if "\t" in keys and keys.translate(NO_BLANKS) == shown.translate(NO_BLANKS):
        return Verdict(typed.edited, prompt)
    if not typed.known or keys == shown or typed.plain.strip() == shown or keys.endswith(shown):
        return Verdict(text, prompt)
    if keys and text.lstrip().startswith(keys + "  "):  # a prompt at the right edge
        return Verdict(typed.edited, prompt)
    if typed.known and shown and shown in (keys.split("\n")[0].strip(), keys.split("\n")[-1].strip()):
        return Verdict(typed.edited, prompt)  # a paste of several lines, of which one stands there
    if shown.replace("\\", "") == keys.replace("\\", ""):  # python marks with it where it breaks a line
        return Verdict(typed.edited, prompt)
    emptier = len(shown) <= len(keys) and "\n" not in keys and width_of(prompt + text) < FEW_COLUMNS
    return Verdict(typed.edited, prompt) if echoed_keys and not emptier else Verdict(text, prompt, sure=False)


def _printed(text: str) -> str:
    if "\x1b" not in text and text.isprintable():
        return text
    return "".join(token.group() for token in TOKEN.finditer(SILENT.sub("", text)) if token.lastgroup == "text")


def echoes(text: str, echoed: str) -> bool:
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


def _follows(keys: str, echoed: str) -> bool:
    """The screen showed each key as it was pressed, among what else it redrew, and not much of that."""
    wanted = keys.translate(NO_BLANKS)
    if not wanted or len(echoed) > 12 * len(wanted) + 40:
        return False
    shown = iter(echoed)
    return all(key in shown for key in wanted)


def _program_name(text: str) -> str:
    before = BEFORE_PROGRAM.match(text)
    word = text[before.end() if before else 0 :].split(maxsplit=1)
    name = word[0].rpartition("/")[2] if word else ""
    return name if NAME.fullmatch(name) else ""


def _started_by(text: str) -> str:
    """The program that a shell's line starts, if it is one whose prompts look like another's."""
    name = _program_name(text)
    return STARTS.get(re.sub(r"(?<=\D)[\d.]+\Z", "", name), STARTS.get(name, ""))


__all__ = ["MASKED", "SHELL", "Command", "Commands"]
