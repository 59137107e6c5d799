"""A line recorder cuts output at `\\r\\n`, `\\n` and a bare `\\r`, and writes each piece with `\\n` at its end. Which it was
is lost; here it is told from what stands around it, as far as it can be: by the rules in `endings`.

While a line is being typed nobody has pressed Enter, so its pieces end in returns: a redrawn prompt, a wrap, a search; each
is looked at. Elsewhere a piece ends in a return if the next one erases it, or is the next state of the same progress bar:
many are looked at together.
"""

from __future__ import annotations

import re

from bot.reading import pieces
from bot.reading.commands import Commands
from bot.reading.doubled import Doubled
from bot.reading.endings import CursorLine, Endings
from bot.reading.foreseen import height_of
from bot.reading.heads import Heads
from bot.reading.pieces import with_returns
from bot.reading.progress import may_hold_bars, without_old_states
from bot.reading.prompts import CONTINUED, Prompts, lines_with_prompts
from bot.reading.repaints import last_frames
from bot.reading.sequences import LEAVES_ALTERNATE, SILENT, rows_risen
from bot.reading.terminal import Terminal

RETURN, NEW_LINE = "\r", "\n"

LONGEST_HEAD = 5  # pieces before a prompt that belong to it
BELL = b"\x07"
MARK_WIPED = " \n"
HEADING = "# "  # or root's prompt
DRAWN_ANEW = re.compile(r"\A\x1b\[0?K")
NODE = "Welcome to Node.js"  # whose prompt is many others' too
FEW = 300  # pieces that are looked at one by one while no prompt is known yet
LONGEST_TYPED = 80  # pieces of a line that is being typed at an unknown prompt
LINGER = 6
LONGEST_EDIT = 100  # pieces without a prompt


class Returns:
    """Feeds `commands` with pieces and the ends that they had; the end of the last one waits for what comes next."""

    def __init__(self, terminal: Terminal, prompts: Prompts, commands: Commands) -> None:
        self._terminal = terminal
        terminal.feeds_return = True
        self._prompts = prompts
        self._commands = commands
        self._heads = Heads(prompts)
        self._doubled = Doubled(self._is_typed)
        self._line = CursorLine()
        self._endings = Endings(terminal, prompts, commands, self._heads, self._line)
        self._last: str | None = None  # the piece whose end is not known yet, as it was written
        self._lingering = False  # just after an Enter, shells tidy up
        self._since = 0  # pieces ago, the prompt was seen

    def feed(self, contents: list[str], times: list[str], joined: bytes, *, followed: bool) -> None:
        """`contents`: whole pieces, each ending in `\\n`; `times`: when each was written; `joined`: all of them, in UTF-8;
        `followed`: by an Enter, so the last ones may be of a line that is being typed."""
        if b"\x1b" in joined and not self._terminal.alternate:
            width, height, above = self._terminal.width, self._terminal.height, self._terminal.lines
            self._terminal.resize(width, height_of(contents, joined, above=above, width=width, height=height))
        if followed and not self._prompts and contents[-4:-2] == [NEW_LINE] * 2 and contents[-1] == NEW_LINE:
            self._heads.stood(contents[-2][:-1])  # the first prompt has one, and an empty line above
        at, end = 0, len(contents)
        while at < end:
            if (
                self._line.attentive
                or self._lingering
                or self._line.unwrapped
                or self._commands.waiting
                or (self._commands.echo.edited and not self._terminal.alternate)
                or (not self._prompts and end - at < FEW)
            ):
                self._one(contents[at][:-1], times[at], contents[at + 1][:-1] if at + 1 < end else None)
                at += 1
            else:
                lines = joined if at == 0 else joined.split(b"\n", at)[-1]
                at = self._many(contents, at, lines[:-1], times[-1], followed=followed)

    def doubled(self, contents: list[str]) -> set[int]:
        """Which of whole pieces are none, before they are fed. A line editor leaves such pieces too."""
        typed = self._commands.in_node or self._commands.echo.edited
        typed = typed or (self._line.attentive and not self._commands.waiting)
        return self._doubled.among(contents, typed=typed)

    def _is_typed(self, piece: str) -> bool:
        shown = SILENT.sub("", piece)
        begins = self._prompts.learnt(shown) if shown.startswith(HEADING) else self._prompts.find(shown)
        return pieces.TAKES_PASTES in piece or begins is not None or pieces.STEPS.fullmatch(piece) is not None

    def part(self, text: str, time: str) -> None:
        """Some of a line that is too long to be held, of which more comes."""
        self._end(text, time)
        self._commands.shown(text)
        self._line.at, self._line.written = None, ""

    def close(self, *, log_ends: bool) -> None:
        """`log_ends`; else it goes on as raw chunks do, so no recorder had made its pieces."""
        if self._last is not None:
            if log_ends:
                self._commands.cut(self._line.last_at)
            self._commands.ended(NEW_LINE, typing=False, within=False)
        self._terminal.feeds_return = False

    def _one(self, piece: str, time: str, following: str | None) -> None:
        if self._commands.waiting and not self._commands.answered:  # the first piece after keys
            if self._last == "":
                self._heads.stood(self._line.above)
            elif self._line.at is None and not self._goes_on(piece):
                self._heads.missed()
        self._end(piece, time)
        self._commands.shown(piece, typing=True)
        if piece and following is not None and self._shows_at_once(following) and self._left_as_typed(following):
            return
        self._last, self._line.last_at = piece, time
        self._line.written = (self._line.written + piece)[-4096:]
        if "\x1b" in piece and (left := LEAVES_ALTERNATE.search(piece)):
            self._line.written = piece[left.end() :]
        if pieces.WRAPPING in piece:
            self._line.unwrapped = (
                piece.rfind(pieces.UNWRAPS) > piece.rfind(pieces.WRAPS) and not self._terminal.alternate
            )
        if not self._prompts and piece.startswith(NODE):
            self._prompts.program = "node"
        self._line.at = prompt = self._prompt()
        if prompt is None and (meant := self._commands.echo.as_meant(None)):
            # It is drawn over, but a line is still being typed.
            prompt, _ = self._prompts.find_stripped(meant.line) or (None, "")
        known = prompt is not None and (self._prompts.learnt(prompt) is not None or pieces.TAKES_PASTES in piece)
        if known or (prompt is not None and (self._line.attentive or self._commands.waiting or not self._prompts)):
            self._line.attentive, self._since, self._line.judged = True, 0, self._commands.judged
            self._line.known = known
        else:
            self._since += 1
            self._line.known = self._line.known and prompt is None
            self._lingering = self._since < LINGER and not self._shows_at_once(piece)
            self._line.attentive = (
                self._line.attentive and self._since < LONGEST_EDIT and self._line.judged == self._commands.judged
            )

    def _goes_on(self, piece: str) -> bool:
        """It is a further row of a line, or asks for one: no prompt that could have had an upper line."""
        found = self._prompts.find_stripped(SILENT.sub("", piece))
        return self._line.attentive if found is None else CONTINUED.fullmatch(found.text) is not None

    def _shows_at_once(self, piece: str) -> bool:
        """It begins with no more than colours: only node draws a line like that, with what may come next in grey."""
        return piece[:1].isprintable() or (not self._commands.in_node and pieces.COLOURED.match(piece) is not None)

    def _left_as_typed(self, following: str) -> bool:
        """A known prompt stands there and what was typed at it, nothing else: its line was left, and all is as it seems."""
        typed = self._commands.typed_surely
        line = self._terminal.line()[0]
        if typed is None or not line.endswith(typed) or self._commands.echo.edited or len(line) >= self._terminal.width:
            return False
        known = self._prompts.learnt(line)
        if known is None or len(known.text) + len(typed) != len(line):
            return False
        if not self._endings.answered_once(known.text, following):
            return False
        self._commands.left_as_typed(known.text)
        self._last, self._line.at, self._line.above, self._line.stepped, self._line.written = None, None, line, True, ""
        self._line.attentive, self._lingering, self._line.rose = False, False, 0
        return True

    def _many(self, contents: list[str], at: int, body: bytes, time: str, *, followed: bool) -> int:
        """Pieces up to the next prompt: nobody types there, so a look at each block is enough. `body` is all of them from
        `at` on, without the last one's end."""
        modes = b"\x1b" in body and pieces.MODES in body
        if modes and not self._terminal.alternate:
            editor = self._before_editor(contents, at, body)
            if editor <= at:
                return self._begin(at)
            if editor < len(contents):
                before = "".join(contents[at:editor])[:-1].encode()
                return self._many(contents[:editor], at, before, time, followed=False)
        self._end(contents[at][:-1], time)
        if self._terminal.alternate and not LEAVES_ALTERNATE.search(text := body.decode()):
            self._commands.shown(text)
            self._last = text[text.rfind("\n") + 1 :]
            self._line.last_at, self._line.written, self._line.at = time, self._last, None
            return len(contents)
        if modes:
            self._commands.echo.look_for_editor(body.decode())
        body = with_returns(last_frames(body, self._terminal.height), self._terminal.without_silent, modes=modes)
        if BELL in body:
            body = body.replace(b"\n" + BELL, b"\n")  # else no prompt is found behind it
        begin, body = self._up_to_prompt(contents, at, body, followed=followed)
        if begin == at:
            return self._begin(at)
        self._last = contents[begin - 1][:-1]
        self._line.last_at, self._line.written = time, self._last
        if may_hold_bars(body):
            self._commands.shown(without_old_states(body.decode(), self._terminal.width))
        else:
            self._commands.passed(body)
        self._line.at = self._prompt()
        if modes or begin == len(contents):
            return begin
        self._end(contents[begin][:-1], time)
        return self._begin(begin)

    def _before_editor(self, contents: list[str], at: int, body: bytes) -> int:
        """Where the prompt may begin of a line editor that says when it takes over; the length of `contents` where none does."""
        sign = next((sign for sign in (pieces.UNWRAPS, pieces.TAKES_PASTES) if sign.encode() in body), None)
        if sign is None:
            return len(contents)
        return next(number for number in range(at, len(contents)) if sign in contents[number]) - LONGEST_HEAD

    def _up_to_prompt(self, contents: list[str], at: int, body: bytes, *, followed: bool) -> tuple[int, bytes]:
        """The number of the piece, from `at` on, with which a prompt begins, and what of `body` comes before it."""
        until = self._prompts.search(body)
        if until == 0:
            return at, b""
        if until is None:
            begin = self._new_prompt(contents, at) if followed else len(contents)
            return begin, _without_last(body, len(contents) - begin)
        prompt = len(contents) - body.count(b"\n", until + 1) - body.count(b"\r", until + 1) - 1
        begin = max(self._with_head(contents, prompt), at)
        return begin, _without_last(body[:until], prompt - begin)

    def _with_head(self, contents: list[str], prompt: int) -> int:
        """Where the piece that is a prompt begins with its upper line, which may have an empty one above: each is ended by a
        return and a new line, which leave an empty piece."""
        head = prompt - 2
        if contents[max(0, head) : prompt] == [MARK_WIPED, NEW_LINE]:
            return max(0, head - 1)  # zsh's mark, and what wipes it
        if head < 0 or contents[prompt - 1] != NEW_LINE or not self._heads.is_head(contents[head][:-1]):
            return prompt
        return head - 2 if contents[max(0, head - 2) : head] == [NEW_LINE, NEW_LINE] else head

    def _begin(self, at: int) -> int:
        """The piece at `at` has a prompt: from here on each is looked at."""
        self._line.attentive = True
        self._line.written = ""
        return at

    def _new_prompt(self, contents: list[str], at: int) -> int:
        """The first of the last pieces that looks like a prompt, though it is none that was learnt."""
        if contents[-1] == "\n":
            return max(at, len(contents) - LONGEST_HEAD) if self._prompts.in_shell else len(contents)
        start = max(at, len(contents) - LONGEST_TYPED)
        shown = SILENT.sub("", "".join(contents[start:])).replace("\n", " \n")
        for number, line in lines_with_prompts(shown):
            if self._prompts.guess(DRAWN_ANEW.sub("", line, 1)):
                return start + number
        return len(contents)

    def _end(self, following: str, time: str) -> None:
        if self._last is None:
            return
        entered = self._line.descending or (
            self._line.at is not None and self._commands.answered and not self._commands.echo.edited
        )
        ending = RETURN if self._endings.returned(self._last, following, time) else NEW_LINE
        self._line.descended = self._line.descending and ending == RETURN
        # To go down a row readline writes a line feed and a return.
        self._line.descending = entered and ending == NEW_LINE and following == "" and self._endings.has_rows_below()
        if ending == NEW_LINE:
            self._line.written = ""
        if self._last:
            rose = pieces.ROSE.search(self._last) if "A" in self._last else None
            self._line.rose = rows_risen(rose.group()) if rose else 0
        if ending == NEW_LINE:
            self._line.rose = max(0, self._line.rose - 1)
        self._line.above, self._last, self._line.stepped = self._last, None, ending == NEW_LINE
        # An editor that takes pastes in brackets says itself when it leaves its line.
        within = self._commands.echo.edited and not self._terminal.alternate and pieces.ENDS_PASTES not in following
        within = (
            within
            or self._line.descending
            or (ending == NEW_LINE and following == "" and self._endings.goes_down_in_typed())
        )
        self._commands.ended(ending, typing=self._line.attentive, within=within)

    def _prompt(self) -> str | None:
        """The prompt of the line that is being typed, if it looks like one."""
        if self._terminal.alternate:
            return None
        found = self._prompts.find_stripped(self._terminal.line()[0])
        if found is None and self._line.attentive and (meant := self._commands.echo.as_meant(None)):
            found = self._prompts.find_stripped(meant.line)  # what is typed may go on in the row above
        return found.text if found else None


def _without_last(body: bytes, count: int) -> bytes:
    """`body` without its last `count` lines and the ends before them."""
    stop = len(body)
    for _ in range(count):
        stop = max(0, _last_end(body, stop))
    return body[:stop]


def _last_end(body: bytes, before: int) -> int:
    """Where the last line that ends `before` does so; -1 if none does."""
    return max(body.rfind(b"\n", 0, before), body.rfind(b"\r", 0, before))
