"""Prompts: which programs have which, and those that a session has shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

SHELL, UNKNOWN = "shell", "unknown"

# Primary prompts that tell their program; the first that matches is right.
CONSOLES = (
        ("ipython", r"In \[\d+\]: | {1,9}\.{3,9}: "),
        ("python", r">>> |\.\.\. "),
        ("irb", r"irb(?:\([^)\n]{1,60}\))?:\d{3,}(?::\d+)?[>*\"'`/\]] ?|[\w-]{1,60}\((?:dev|development|prod|production|staging|test)\)[>*\"'`/\]](?: |(?![\w$# ]))"),
        ("pry", r"\[\d+\] pry\([^)\n]{1,60}\)[>*] "),
        ("sqlite", r"sqlite> | {3}\.\.\.> | {2,3}[('\"x1-9].{0,3}\.\.\.?> "),
        ("mysql", r"(?:mysql|MySQL \[[^\]\n]{1,64}\]|MariaDB \[[^\]\n]{1,64}\])> | {4}[-'\"`]> | {3}/\*> "),
        ("redis-cli", r"(?:[\w.-]{1,100}:\d{1,5}(?:\[\d+\])?(?:\(TX\))?|not connected|redis [^\s>]{1,200})> "),
        ("php", r"php [>{(\"'*/] "),
        ("mongo", r"(?:[\w.-]{1,60} \[(?:direct: |primary|secondary)[^\]\n]{0,60}\] )?[\w.-]{1,60}> (?<!-> )|[\w.-]{1,60}:(?:PRIMARY|SECONDARY|OTHER)> "),
        ("psql", r"\w[\w.@-]{0,62}[=\-'\"$*(!^][!*?]?[#>] "),
        ("iex", r"iex\(\d+\)> |\.\.\.\(\d+\)> "),
)  # fmt: skip
SHELL_PROMPT = r"➜ (?: \S|[~/]|(?=\S{1,60} git:\())\S{0,59} (?:git:\([^)\n]{1,60}\) )?(?:[✗✘]\d{0,3} )?|[^\n]{0,300}?(?:[$#❯➜»λ]|(?<!\d)%) |[\w.@-]{1,80}[ :][^\n$#%<>]{0,200}(?<![=-])> |~(?:/[^\n$#%> ]{0,200})? ?> |\[\d{1,2}:\d\d(?::\d\d)?\] [~/][\w.@~/-]{0,80} ?> "
ANY_PROMPT = re.compile(
    "|".join(
        [*(f"(?P<p{number}>{pattern})" for number, (_, pattern) in enumerate(CONSOLES)), f"(?P<shell>{SHELL_PROMPT})"]
    )
)
PROGRAMS = {SHELL: SHELL} | {f"p{number}": program for number, (program, _) in enumerate(CONSOLES)}
# Without one of these there is no prompt.
PROMPT_ENDS = (
    "> ", "$ ", "# ", "% ", "]: ", ".: ", "* ", "❯ ", "➜ ", "» ", "λ ", "irb", "php ", "(dev", "(prod", "(staging)", "(test)",
)  # fmt: skip
CONTINUED = re.compile(
    r"> |(?:dquote|quote|bquote|cmdsubst|heredoc|pipe|for|while|then|else|function|if|case|do)(?: \w+)*> "
)
# Prompts that several programs have.
SHARED = ("> ", "... ", "| ")
USE_SHARED = ("node", "mongo", "python")
# How whoever asks a question ends it.
ASKS = re.compile(r"[?:\])] ")
QUESTION = re.compile(ASKS.pattern + r"\Z")
DIGITS = re.compile(r"\d+")
STARTS = {
    "node": "node", "nodejs": "node", "mongo": "mongo", "mongosh": "mongo", "python": "python", "python3": "python",
    "php": "php", "irb": "irb", "psql": "psql", "sqlite3": "sqlite", "mysql": "mysql", "mariadb": "mysql",
    "redis-cli": "redis-cli", "ipython": "ipython",
}  # fmt: skip

# Words that come before the program in a shell's line.
BEFORE_PROGRAM = re.compile(
    r"\s*(?:(?:sudo|exec|env|time|nohup|command)\s+|[A-Za-z_]\w*=\S*\s+|bundle\s+exec\s+|\\!\s*)*"
)
LEFT = "^D"
LONGEST_PROMPT, NO_SHORT_PROMPT = 300, 8
MOST_WORDS = 12  # before a `>`: `less -S` ends each line with one that goes on beyond the edge
NAME = re.compile(r"[\w.+-]{1,32}")


def may_hold_prompt(text: str) -> bool:
    for end in PROMPT_ENDS:  # noqa: SIM110 - asked for each line, and `any` takes twice as long
        # One character is found ten times as fast as two.
        if end[0] in text and end in text:
            return True
    return False


def lines_with_prompts(text: str) -> Iterator[tuple[int, str]]:
    """Those lines of `text`, with their numbers, that may hold one."""
    ends = [end for end in PROMPT_ENDS if end[0] in text and end in text]
    for number, line in enumerate(text.split("\n") if ends else ()):
        if any(end in line for end in ends):
            yield number, line


class Prompt(NamedTuple):
    """What a line begins with."""

    text: str
    program: str

    def behind(self, line: str) -> str:
        """The rest of that line."""
        return line[len(self.text) :]


class Prompts:
    """The prompts of one session, learnt from lines whose typed part is certain."""

    MOST = 24

    def __init__(self) -> None:
        self._seen: dict[str, tuple[re.Pattern[str], str]] = {}
        self.program = UNKNOWN
        self.two_lines = False  # its prompts have an upper line: only a shell's do
        self._any: tuple[re.Pattern[bytes], ...] | None = None
        self._by_first: dict[
            str, list[tuple[re.Pattern[str], str]]
        ] = {}  # those of `_seen`, by the first of their shape

    def __bool__(self) -> bool:
        return bool(self._seen)

    @property
    def in_shell(self) -> bool:
        """As far as is known."""
        return self.program in (SHELL, UNKNOWN)

    def search(self, lines: bytes) -> int | None:
        """Where the end is after which the first of `lines`, in UTF-8, begins that does so with a learnt prompt; 0 for the
        very first."""
        if self._any is None:
            self._any = self._compiled()
        if not self._any:
            return None
        at_once, fed, by_zle, *returned = self._any
        if at_once.match(lines):
            return 0
        after = (fed, *returned) if b"\r" in lines else (fed,)
        after = (*after, by_zle) if b"\x1b" in lines and b"\n\x1b[J" in lines else after
        return min((found.start() for pattern in after if (found := pattern.search(lines))), default=None)

    def _compiled(self) -> tuple[re.Pattern[bytes], ...]:
        """One pattern for each way that a line begins, so that each begins with a literal, which is what makes it fast."""
        if not self._seen:
            return ()
        any_prompt = b"|".join(pattern.pattern.encode() for pattern, _ in self._seen.values())
        first = {shape.encode()[:1] for shape in self._seen}
        starts = re.escape(b"".join(sorted(first))) + (b"0-9" if b"0" in first else b"")
        begins = (rb"(?:\x1b\[K)?", rb"\n", rb"\n\x1b\[J", rb"\r", rb"\r\x1b\[K")
        return tuple(re.compile(begin + b"(?=[" + starts + b"])(?:" + any_prompt + b")") for begin in begins)

    def same(self, prompt: str, line: str) -> bool:
        """`line` begins with this prompt, though its numbers (a clock) may differ."""
        shape = DIGITS.sub("0", prompt.rstrip())
        return bool(shape) and DIGITS.sub("0", line).startswith(shape)

    def learn(self, prompt: str, program: str) -> None:
        guess = self.guess(prompt)
        if guess and guess.behind(prompt).isspace():
            prompt = guess.text  # and an indent, which other lines need not have
        prompt = prompt[_interrupts(prompt) :]
        shape = DIGITS.sub("0", prompt)
        if not prompt.strip() or len(prompt) > LONGEST_PROMPT:
            return
        pattern, before = self._seen.pop(shape, (None, program))
        if pattern is None:
            pattern = re.compile(r"\d+".join(re.escape(part) for part in DIGITS.split(prompt)))
            self._any = None
        self._seen[shape] = (pattern, program)
        while len(self._seen) > self.MOST:
            del self._seen[next(iter(self._seen))]
        if self._any is None or before != program:
            self._by_first = {
                first: [learnt for shape, learnt in self._seen.items() if shape[0] == first]
                for first in {shape[0] for shape in self._seen}
            }

    def learnt(self, line: str) -> Prompt | None:
        """The prompt that `line` begins with, of those that were learnt, and its program; the longest. Behind one that was
        left by ^D another may stand, and the same one behind one that tmux or screen gave back."""
        known = self._learnt(line)
        if known is None:
            return None
        left = line.startswith(LEFT, len(known.text))
        given_back = len(known.text) >= NO_SHORT_PROMPT and line.startswith(known.text, len(known.text))
        following = self._learnt(known.behind(line)) if left or given_back else None
        return Prompt(known.text + following.text, following.program) if following else known

    def _learnt(self, line: str) -> Prompt | None:
        best: Prompt | None = None
        start = _interrupts(line)
        first = "0" if line[start : start + 1].isdecimal() else line[start : start + 1]
        for pattern, program in self._by_first.get(first, ()):
            match = pattern.match(line, start)
            if match and (best is None or match.end() > len(best.text)):
                best = Prompt(line[: match.end()], program)
        return best

    def begins(self, prompt: str) -> int:
        """Where in it a learnt prompt begins: a question that was answered blind may stand before it."""
        known = self.learnt(prompt)
        if len(prompt) > LONGEST_PROMPT or (known and known.text == prompt):
            return 0
        found = [at for pattern, _ in self._seen.values() for at in pattern.finditer(prompt) if at.end() == len(prompt)]
        return min((at.start() for at in found if at.end() - at.start() >= NO_SHORT_PROMPT), default=0)

    def guess(self, line: str) -> Prompt | None:
        """A prompt that `line` begins with as far as prompts in general look."""
        if not (may_hold_prompt(line) or (line.startswith("... ") and self.program in ("python", UNKNOWN))):
            return None
        match = ANY_PROMPT.match(line, _interrupts(line))
        if match is None:
            return None
        found = Prompt(line[: match.end()], PROGRAMS[match.lastgroup or SHELL])
        if found.program != SHELL:
            return found
        chopped = found.text.endswith("> ") and len(found.text.split()) > MOST_WORDS
        return found if not chopped and (self.in_shell or _is_shells(found.text)) else None

    def find(self, line: str) -> Prompt | None:
        """The prompt that `line` begins with, learnt or guessed, and its program."""
        return self.learnt(line) or self.guess(line)

    def find_stripped(self, line: str) -> Prompt | None:
        """The same for a line whose last blanks were cut: that at the prompt's end may be among them."""
        return self.find(line + " ")

    def program_of(self, prompt: str, started: str) -> str:
        """Whose prompt it is; `started` is the program that the last command started, if it did."""
        if started and (prompt in SHARED or not self.guess(prompt)):
            return started
        if CONTINUED.fullmatch(prompt) or (prompt in SHARED and self.program in USE_SHARED):
            return SHELL if self.two_lines and self.program == UNKNOWN else self.program
        known = self.learnt(prompt)
        if known and known.text == prompt and known.program != UNKNOWN:
            return known.program
        guess = self.guess(prompt)
        if guess and guess.text.rstrip() == prompt.rstrip():
            return guess.program
        return UNKNOWN


def _is_shells(prompt: str) -> bool:
    """A shell's, though a console is at work: in that it may be a comparison, or begin a line of a chart."""
    return "@" in prompt or "~" in prompt or not (prompt.endswith("> ") or " " in prompt.strip())


def _interrupts(line: str) -> int:
    """How long the echo of ^C, or ^D, is before a prompt that came on the same line."""
    return 2 if line.startswith(("^C", LEFT)) else 0


def program_name(text: str) -> str:
    before = BEFORE_PROGRAM.match(text)
    word = text[before.end() if before else 0 :].split(maxsplit=1)
    name = word[0].rpartition("/")[2] if word else ""
    return name if NAME.fullmatch(name) else ""


def started_by(text: str) -> str:
    """The program that a shell's line starts, if it is one whose prompts look like another's."""
    name = program_name(text)
    return STARTS.get(re.sub(r"(?<=\D)[\d.]+\Z", "", name), STARTS.get(name, ""))
