"""A line recorder cuts output at `\\r\\n`, `\\n` and a bare `\\r`, and writes each piece with `\\n` at its end. Which it was
is lost; here it is told from what stands around it, as far as it can be.

While a line is being typed nobody has pressed Enter, so its pieces end in returns: a redrawn prompt, a wrap, a search.
Elsewhere a piece ends in a return if the next one erases it, or is the next state of the same progress bar.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.reading import pieces
from bot.reading.commands import Commands
from bot.reading.keys import COMMENT
from bot.reading.likeness import number_alike
from bot.reading.pieces import Seam, shows_nothing, with_returns
from bot.reading.progress import MORE, may_hold_bars, supersedes, without_old_states
from bot.reading.prompts import CONTINUED, DIGITS, SHARED, SHELL, UNKNOWN, Prompts, may_hold_prompt
from bot.reading.repaints import last_frames
from bot.reading.screen import width_of
from bot.reading.sequences import LEAVES_ALTERNATE, SILENT, rows_risen
from bot.reading.terminal import Terminal
from bot.reading.times import moment_of, seconds_between
from bot.reading.window import (
    FEWEST_BLANKS,
    NARROWEST,
    NOT_COLOURS,
    columns_counted,
    last_row_written,
    marked_width,
    typed_width,
    wrapped_width,
    written_behind,
)

ERASE = "\x1b[K"
RETURN, NEW_LINE = "\r", "\n"

# How the upper line of a prompt of two lines often begins.
CORNER = re.compile(r"\s*[┌╭┏╔]")
LONGEST_HEAD = 5  # pieces before a prompt that belong to it
NODE = "Welcome to Node.js"  # whose prompt is many others' too
FEW = 300  # pieces that are looked at one by one while no prompt is known yet
LONGEST_TYPED = 80  # pieces of a line that is being typed at an unknown prompt
LINGER = 6
LONGEST_EDIT = 100  # pieces without a prompt
PAUSE_S = 0.25  # a person's; a completion's list comes at once


class Returns:
    """Feeds `commands` with pieces and the ends that they had; the end of the last one waits for what comes next."""

    def __init__(self, terminal: Terminal, prompts: Prompts, commands: Commands) -> None:
        self._terminal = terminal
        terminal.feeds_return = True
        self._prompts = prompts
        self._commands = commands
        self._last: str | None = None  # the piece whose end is not known yet, as it was written
        self._last_at = ""
        self._written = ""  # of the cursor's line since its last new line
        self._attentive = False  # a line is being typed
        self._at: str | None = None  # the prompt of the cursor's line
        self._known = False  # at a prompt that was learnt, not guessed
        self._lingering = False  # just after an Enter, shells tidy up
        self._since = 0  # pieces ago, the prompt was seen
        self._judged = 0
        self._marked = False  # a shell's mark was drawn, and nothing since
        self._above = ""  # the piece before the last one
        self._head = ""  # the upper line of the last prompt, if it may have had two
        self._headless = False  # a prompt came without one
        self._marks_prompts = False
        self._twice: dict[str, bool] = {}  # prompts at which an empty piece answers each Enter
        self._several = False  # it had several rows, and goes down them
        self._stepped = False  # the piece before ended in a new line
        self._unwrapped = False
        self._rose = 0  # rows that it went up, and has not come down again
        self._descending = False  # the line was entered in one of its upper rows: readline goes down, and returns
        self._descended = False  # and has returned
        # How a piece ended, by what is shown before and after it. True: in a return; False: in a new line; None: not told.
        # First what the two pieces themselves say, in whatever order. From `_fills_its_row` on the order matters: a complete line
        # before one that goes on, likeness last.
        self._rules: tuple[Callable[[Seam], bool | None], ...] = (
            self._feeds, self._comes_down, self._leaves_editor, self._drawn_without_wrapping, self._rises_above,
            self._shown_to_be_wiped, self._pager_asked, self._row_of_several, self._menu, self._moves,
            self._goes_down, self._just_left, self._fills_its_row, self._complete, self._erases, self._redrawn, self._continued, self._next_state,
        )  # fmt: skip

    def feed(self, contents: list[str], times: list[str], joined: bytes, *, followed: bool) -> None:
        """`contents`: whole pieces, each ending in `\\n`; `times`: when each was written; `joined`: all of them, in UTF-8;
        `followed`: by an Enter, so the last ones may be of a line that is being typed."""
        at, end = 0, len(contents)
        while at < end:
            if (
                self._attentive
                or self._lingering
                or self._unwrapped
                or self._commands.waiting
                or (self._commands.echo.edited and not self._terminal.alternate)
                or (not self._prompts and end - at < FEW)
            ):
                self._one(contents[at][:-1], times[at], contents[at + 1][:-1] if at + 1 < end else None)
                at += 1
            else:
                lines = joined if at == 0 else "".join(contents[at:]).encode()
                at = self._many(contents, at, lines[:-1], times[-1], followed=followed)

    def close(self) -> None:
        if self._last is not None:
            self._commands.cut(self._last_at)
            self._commands.ended(NEW_LINE, typing=False, within=False)
        self._terminal.feeds_return = False

    def _one(self, piece: str, time: str, following: str | None) -> None:
        if self._commands.waiting and not self._commands.answered:  # the first piece after keys
            if self._last == "":
                head = SILENT.sub("", self._above)
                # Of its prompts the last two had one: those before were others.
                again = self._in_shell() and self._begins_as_last(head)
                self._head, self._headless = head, self._headless and not again
            else:
                self._headless = self._headless or (self._in_shell() and not self._goes_on(piece))
        self._end(piece, time)
        self._commands.shown(piece, typing=True)
        if piece and following is not None and self._shows_at_once(following) and self._left_as_typed(following):
            return
        self._last, self._last_at = piece, time
        self._written = (self._written + piece)[-4096:]
        if "\x1b" in piece and (left := LEAVES_ALTERNATE.search(piece)):
            self._written = piece[left.end() :]
        if pieces.WRAPPING in piece:
            self._unwrapped = piece.rfind(pieces.UNWRAPS) > piece.rfind(pieces.WRAPS) and not self._terminal.alternate
        if not self._prompts and piece.startswith(NODE):
            self._prompts.program = "node"
        self._at = prompt = self._prompt()
        if prompt is None and (meant := self._commands.echo.as_meant(None)):
            # It is drawn over, but a line is still being typed.
            prompt, _ = self._prompts.find_stripped(meant.line) or (None, "")
        known = prompt is not None and (self._prompts.learnt(prompt) is not None or pieces.TAKES_PASTES in piece)
        if known or (prompt is not None and (self._attentive or self._commands.waiting or not self._prompts)):
            self._attentive, self._since, self._judged = True, 0, self._commands.judged
            self._known = known
        else:
            self._since += 1
            self._lingering = self._since < LINGER and not self._shows_at_once(piece)
            self._attentive = self._attentive and self._since < LONGEST_EDIT and self._judged == self._commands.judged

    def _goes_on(self, piece: str) -> bool:
        """It is a further row of a line, or asks for one: no prompt that could have had an upper line."""
        found = self._prompts.find_stripped(SILENT.sub("", piece))
        return self._attentive if found is None else CONTINUED.fullmatch(found[0]) is not None

    def _shows_at_once(self, piece: str) -> bool:
        """It begins with no more than colours: only node draws a line like that, with what may come next in grey."""
        return piece[:1].isprintable() or (not self._in_node() and pieces.COLOURED.match(piece) is not None)

    def _left_as_typed(self, following: str) -> bool:
        """A known prompt stands there and what was typed at it, nothing else: its line was left, and all is as it seems."""
        typed = self._commands.typed_surely
        line = self._terminal.line()[0]
        if typed is None or not line.endswith(typed) or self._commands.echo.edited or len(line) >= self._terminal.width:
            return False
        known = self._prompts.learnt(line)
        if known is None or len(known[0]) + len(typed) != len(line):
            return False
        shape = DIGITS.sub("0", known[0])
        if following == "" and self._twice.get(shape, True):
            return False
        self._twice[shape] = False
        self._commands.left_as_typed(known[0])
        self._last, self._at, self._above, self._stepped, self._written = None, None, line, True, ""
        self._attentive, self._lingering, self._rose = False, False, 0
        return True

    def _many(self, contents: list[str], at: int, body: bytes, time: str, *, followed: bool) -> int:
        """Pieces up to the next prompt: nobody types there, so a look at each block is enough. `body` is all of them from
        `at` on, without the last one's end."""
        modes = b"\x1b" in body and pieces.MODES in body
        signs = (pieces.UNWRAPS, pieces.TAKES_PASTES) if modes else ()
        sign = next((sign for sign in signs if sign.encode() in body), None)
        if sign is not None and not self._terminal.alternate:
            first = next(number for number in range(at, len(contents)) if sign in contents[number])
            first -= LONGEST_HEAD
            if first <= at:
                return self._begin(at)
            before = "".join(contents[at:first])[:-1].encode()
            return self._many(contents[:first], at, before, time, followed=False)
        self._end(contents[at][:-1], time)
        if self._terminal.alternate and not LEAVES_ALTERNATE.search(text := body.decode()):
            self._commands.shown(text)
            self._last = text[text.rfind("\n") + 1 :]
            self._last_at, self._written, self._at = time, self._last, None
            return len(contents)
        if modes:
            self._commands.echo.look_for_editor(body.decode())
        body = with_returns(last_frames(body, self._terminal.height), self._terminal.without_silent, modes=modes)
        until = self._prompts.search(body)
        if until == 0:
            return self._begin(at)
        if until is not None:
            prompt = len(contents) - body.count(b"\n", until + 1) - body.count(b"\r", until + 1) - 1
            begin = max(self._with_head(contents, prompt), at)
            body = _without_last(body[:until], prompt - begin)
        else:
            begin = self._new_prompt(contents, at) if followed else len(contents)
            body = _without_last(body, len(contents) - begin)
        if begin == at:
            return self._begin(at)
        at = begin
        self._last = body[_last_end(body, len(body)) + 1 :].decode()
        self._last_at, self._written = time, self._last
        if may_hold_bars(body):
            self._commands.shown(without_old_states(body.decode(), self._terminal.width))
        else:
            self._commands.passed(body)
        self._at = self._prompt()
        if modes or at == len(contents):
            return at
        self._end(contents[at][:-1], time)
        return self._begin(at)

    def _with_head(self, contents: list[str], prompt: int) -> int:
        """Where the piece that is a prompt begins with its upper line, which may have an empty one above: each is ended by a
        return and a new line, which leave an empty piece."""
        head = prompt - 2
        if head < 0 or contents[prompt - 1] != NEW_LINE or not self._is_head(contents[head][:-1]):
            return prompt
        return head - 2 if contents[max(0, head - 2) : head] == [NEW_LINE, NEW_LINE] else head

    def _begin(self, at: int) -> int:
        """The piece at `at` has a prompt: from here on each is looked at."""
        self._attentive = True
        self._written = ""
        return at

    def _new_prompt(self, contents: list[str], at: int) -> int:
        """The first of the last pieces that looks like a prompt, though it is none that was learnt."""
        if contents[-1] == "\n":
            return max(at, len(contents) - LONGEST_HEAD) if self._in_shell() else len(contents)
        start = max(at, len(contents) - LONGEST_TYPED)
        shown = SILENT.sub("", "".join(contents[start:])).replace("\n", " \n")
        if may_hold_prompt(shown):
            for number, line in enumerate(shown.split("\n"), start):
                if self._prompts.guess(line.removeprefix("\x1b[K")):
                    return number
        return len(contents)

    # --- how a piece ended

    def _end(self, following: str, time: str) -> None:
        if self._last is None:
            return
        entered = self._descending or (
            self._at is not None and self._commands.answered and not self._commands.echo.edited
        )
        ending = RETURN if self._returned(self._last, following, time) else NEW_LINE
        self._descended = self._descending and ending == RETURN
        # To go down a row readline writes a line feed and a return.
        self._descending = entered and ending == NEW_LINE and following == "" and self._has_rows_below()
        if ending == NEW_LINE:
            self._written = ""
        if self._last:
            rose = pieces.ROSE.search(self._last) if "A" in self._last else None
            self._rose = rows_risen(rose.group()) if rose else 0
        elif ending == NEW_LINE:
            self._rose = max(0, self._rose - 1)
        self._above, self._last, self._stepped = self._last, None, ending == NEW_LINE
        # An editor that takes pastes in brackets says itself when it leaves its line.
        within = self._commands.echo.edited and not self._terminal.alternate and pieces.ENDS_PASTES not in following
        within = within or self._descending or (ending == NEW_LINE and following == "" and self._goes_down_in_typed())
        self._commands.ended(ending, typing=self._attentive, within=within)

    def _returned(self, last: str, following: str, time: str) -> bool:
        """What the first of the rules says that says anything. Nothing is said of a line that stays, as most do."""
        seam = Seam(last, following, SILENT.sub("", following), time)
        return next((told for rule in self._rules if (told := rule(seam)) is not None), False)

    # What the control sequences of the two pieces say.

    def _feeds(self, seam: Seam) -> bool | None:
        """The first piece goes up, or hides the cursor, to go on in the next row."""
        if "\x1b" not in seam.last:
            return None
        feeds = pieces.FEEDS.search(seam.last) or (
            pieces.GOES_UP.match(seam.following) and pieces.HIDES.search(seam.last)
        )
        return False if feeds else None

    def _comes_down(self, seam: Seam) -> bool | None:
        return False if seam.last == "" and self._rose else None

    def _leaves_editor(self, seam: Seam) -> bool | None:
        if not seam.following.startswith(pieces.ENDS_PASTES) or pieces.ENDS_PASTES in seam.last:
            return None
        if self._at is not None and SILENT.sub("", seam.last) == self._at + " ":
            return True  # the prompt fills its row, as its editor counts, and was left with nothing typed at it
        return seam.last == "" and self._stepped and self._above != ""

    def _drawn_without_wrapping(self, seam: Seam) -> bool | None:
        if not self._unwrapped:
            return None
        self._reaches_last_column(seam.following)
        return seam.last != "" or self._stepped

    def _rises_above(self, seam: Seam) -> bool | None:
        """Above the first row of the line that is typed there is nothing of it."""
        at_prompt = self._marks_prompts and self._at is not None
        return False if at_prompt and pieces.ROSE.search(seam.last) and pieces.ROSE.search(seam.following) else None

    def _shown_to_be_wiped(self, seam: Seam) -> bool | None:
        if seam.following == "" and "\x1b" in seam.last:
            # A shell sets a title, then readline returns to write a prompt that begins with an empty line.
            titled = self._in_shell() and pieces.TITLE.match(seam.last)
            if titled or pieces.LEFT_VIM.search(seam.last):
                return True
        return True if self._marks(seam.last) or ("\x1b" in seam.last and shows_nothing(seam.last)) else None

    def _pager_asked(self, seam: Seam) -> bool | None:
        if seam.last == "" and seam.following == ERASE and pieces.PAGER_ASKS.match(f"{self._above}\n"):
            return True  # `more` goes on by a line
        if seam.last == ERASE and self._above.startswith(MORE) and not self._stepped:
            return True  # and readline, in a list of completions
        may_ask = "\x1b" in seam.last or seam.last.startswith((":", MORE))
        return True if may_ask and pieces.PAGER_ASKS.match(f"{seam.last}\n{seam.following}") else None

    def _row_of_several(self, seam: Seam) -> bool | None:
        """Of a line, or a prompt, of several rows: each is ended by a return and a new line, which leave an empty piece."""
        if seam.last:
            self._several = seam.following == "" and self._breaks(seam.last)
        if self._several:
            return seam.last != ""  # a new line for each row that it goes down
        above_a_prompt = seam.last == "" and self._above == "" and self._stepped
        return True if above_a_prompt and self._is_head(seam.following) else None

    def _menu(self, seam: Seam) -> bool | None:
        """An entry of zsh's menu is drawn twice, or the one that was left after it; what follows the menu begins by going up."""
        if not (self._marks_prompts and self._attentive and not self._commands.waiting):
            return None
        if seam.last == "":
            return None if self._stepped else False
        drawn_over = seam.last == seam.following or pieces.CHOSEN.match(seam.last) is not None
        return True if drawn_over or pieces.GOES_UP.match(seam.following) else None

    def _moves(self, seam: Seam) -> bool | None:
        return True if pieces.MOVES.match(seam.following) else None

    # What is known of the line says the rest.

    def _goes_down(self, seam: Seam) -> bool | None:
        if self._descended and seam.last == "":
            return False
        return not self._has_rows_below() if self._descending and seam.last == seam.following == "" else None

    def _just_left(self, seam: Seam) -> bool | None:
        """Until the next prompt comes, there is only likeness."""
        return bool(self._next_state(seam)) if self._attentive and self._judged != self._commands.judged else None

    def _fills_its_row(self, seam: Seam) -> bool | None:
        """The line ended at the edge, so the editor wrapped behind it, and goes up to draw it again."""
        if not (seam.last.endswith(" ") and pieces.GOES_UP.match(seam.following) and self._commands.answered):
            return None
        line, place = self._terminal.line()
        counted = (
            columns_counted(self._written[:-1])
            if self._commands.echo.measure.counts_colours
            else width_of(line[: place - 1])
        )
        return True if self._at is not None and counted > 0 == counted % self._terminal.width else None

    def _complete(self, seam: Seam) -> bool | None:
        line = self._line()
        if not (self._commands.answered and self._commands.complete(line)):
            return None
        drawn_again = self._drawn_once_more(seam.following, line)
        return seam.last != "" and (drawn_again or self._answers_twice(seam.following, line))

    def _erases(self, seam: Seam) -> bool | None:
        if pieces.ERASES_ONLY.match(seam.following):
            return self._at is not None or (self._attentive and self._known and seam.last == "" and self._stepped)
        if seam.last == ERASE and not pieces.REDRAWS.match(seam.following):
            return self._prompts.find_stripped(seam.shown) is not None
        return None

    def _redrawn(self, seam: Seam) -> bool | None:
        """What follows begins by going back to where the line is drawn from."""
        line = self._line()
        redrawn = (
            pieces.REDRAWS.match(seam.following) is not None
            or (
                pieces.ASIDE.match(line) is not None
                and not self._given_up()
                and self._prompts.find_stripped(seam.shown) is not None
            )
            or (
                self._at is not None
                and pieces.GOES_UP.match(seam.following) is not None
                and not self._rises_to_it(line)
            )
            or (seam.following == "" and (seam.last != "" or self._stepped) and self._returns_before_feeding(line))
            or (self._marks_prompts and self._attentive and self._wrapped_twice(seam))
        )
        return True if redrawn else None

    def _continued(self, seam: Seam) -> bool | None:
        """The line is being typed, or is a progress bar's, and goes on in what is shown next."""
        if seam.following and not seam.shown:
            return None
        if self._commands.answered:
            return self._commands.expects_more(self._line(), seam.shown)
        if self._attentive and self._known and seam.last == "" and self._stepped:
            return not self._has_rows_below()
        if seam.last.endswith(" ") and (meant := self._commands.echo.as_meant(None)) and meant.wraps:
            return True
        if self._at is not None and not self._given_up():
            return self._continued_at(self._at, seam)
        return None

    def _continued_at(self, prompt: str, seam: Seam) -> bool | None:
        line = self._line()
        if line.startswith(prompt + COMMENT) and self._prompts.same(prompt, seam.shown):
            return False  # Alt-# made a comment of what was typed, and accepted it
        if self._only_looks_so(prompt, line, seam.shown) or (seam.following == "" and self._goes_down_in_typed()):
            return False
        if self._prompts.same(prompt, seam.shown) or self._changed(prompt, seam) or self._wraps(prompt, seam):
            return True
        if self._known or (self._marks_prompts and self._commands.echo.edited):
            return seam.shown == "" and seam.last != "" and self._in_one_row(line)
        return None

    def _next_state(self, seam: Seam) -> bool | None:
        if seam.following and not seam.shown:
            return None
        return supersedes(SILENT.sub("", seam.last), seam.shown)

    # What the rules ask.

    def _line(self) -> str:
        if meant := self._commands.echo.as_meant(None):
            return meant.line.rstrip()
        return self._terminal.line()[0].rstrip()

    def _only_looks_so(self, prompt: str, line: str, shown: str) -> bool:
        """What `diff` prints begins as a shell's prompt for one more line does, and each line is another."""
        one, other = line[len(prompt) :], shown[len(prompt) :].rstrip()
        same = prompt in SHARED and self._in_shell() and self._prompts.same(prompt, shown)
        return same and not (one.startswith(other) or other.startswith(one))

    def _given_up(self) -> bool:
        line, place = self._terminal.line()
        return line[:place].endswith("^C") or line.rstrip().endswith("^C")

    def _breaks(self, piece: str) -> bool:
        """It may be a row of a prompt or a line of several: readline ends it in a return beside the line's end."""
        return self._commands.echo.edited or (not self._commands.waiting and self._is_head(piece))

    def _is_head(self, piece: str) -> bool:
        """It looks like the upper line of a prompt of two lines: it begins as the last one did."""
        shown = SILENT.sub("", piece)
        return CORNER.match(shown) is not None or (
            not self._headless and self._in_shell() and self._begins_as_last(shown)
        )

    def _begins_as_last(self, head: str) -> bool:
        last, head = DIGITS.sub("0", self._head), DIGITS.sub("0", head)
        begin = last[: (2 * len(last) + 2) // 3]
        if begin == "" or head.startswith(begin):
            return begin != ""
        # A directory stands in its midst.
        alike = number_alike(last, head)
        return alike > 0 and alike + number_alike(last[:alike:-1], head[:alike:-1]) >= len(begin)

    def _in_shell(self) -> bool:
        return self._prompts.program in (SHELL, UNKNOWN)

    def _reaches_last_column(self, following: str) -> None:
        """prompt_toolkit is not sure to be where it is, before the last column: it returns, and goes there again."""
        forward = pieces.FORWARD.match(following)
        line, place = self._terminal.line()
        if forward is not None and width_of(line[:place]) == int(forward[1]) >= NARROWEST:
            self._terminal.resize(int(forward[1]) + 1, self._terminal.height)

    def _changed(self, prompt: str, seam: Seam) -> bool:
        """The same prompt with another sign in it: of vi's modes, for instance."""
        if self._commands.echo.measure.counts_colours and not SILENT.sub("", seam.last).startswith(prompt.rstrip()):
            return False  # what stands there may be left of a line that was drawn over others
        found = self._prompts.find_stripped(seam.shown)
        return found is not None and len(found[0]) == len(prompt) and found[0][-8:] == prompt[-8:]

    def _marks(self, last: str) -> bool:
        """The mark that zsh and fish put before their prompt, and the pieces that wipe it."""
        width = marked_width(last + RETURN) if FEWEST_BLANKS in last else None
        if width is not None:
            self._terminal.resize(width, self._terminal.height)
            self._marked = self._marks_prompts = True
        elif self._marked:
            # One empty piece is of the mark, any other is what is shown before a prompt.
            self._marked = not SILENT.sub("", last).strip(" ⏎") and not (last == self._above == "")
        return self._marked

    def _wrapped_twice(self, seam: Seam) -> bool:
        """zsh writes a character that wraps to the next row, returns, and writes it again."""
        wrapped = SILENT.sub("", seam.last).removeprefix("\x1b[K")
        return len(wrapped) == 1 and seam.shown.startswith(wrapped)

    def _drawn_once_more(self, following: str, line: str) -> bool:
        """The editor answers Enter by erasing the line and drawing it anew; a line that is recalled at the next prompt
        erases nothing."""
        erased = pieces.ERASES.match(following)
        return erased is not None and SILENT.sub("", following[erased.end() :]).rstrip() == line

    def _rises_to_it(self, line: str) -> bool:
        """pry draws in colours what was entered: from the line of one row that was left, a line feed came first."""
        return self._commands.answered and not self._marks_prompts and width_of(line) < self._terminal.width

    def _has_rows_below(self) -> bool:
        """The cursor is not in the last row of its line, so a line feed only goes down to the next."""
        if meant := self._commands.echo.as_meant(None):
            return meant.below
        line, place = self._terminal.line()
        return width_of(line[:place]) // self._terminal.width < (width_of(line) - 1) // self._terminal.width

    def _goes_down_in_typed(self) -> bool:
        """The line is still typed, and is drawn over its own prompt: its next row is no new line."""
        typed = self._attentive and not self._commands.waiting and self._commands.echo.measure.counts_colours
        return typed and self._has_rows_below()

    def _in_one_row(self, line: str) -> bool:
        """Nobody pressed Enter, and there is no row of the line below to go down to."""
        if self._commands.echo.measure.counts_colours and self._terminal.below():
            return False  # of a line of several, for instance
        return self._in_shell() and not self._commands.waiting and width_of(line) < self._terminal.width

    def _answers_twice(self, following: str, line: str) -> bool:
        """Some editors answer Enter with a return before the new line: at a prompt they do always, or never."""
        shape = DIGITS.sub("0", self._at or "")
        if len(self._twice) > Prompts.MOST:
            self._twice.clear()
        by_readline = self._commands.echo.measure.counts_colours and self._in_shell()  # and that answers once
        # What asks without a prompt that looks like one reads the terminal's own line mode, which does not.
        self._twice[shape] = following == "" and self._twice.get(
            shape, (bool(shape) and not by_readline) or line.startswith(SHARED) or self._in_node()
        )
        return self._twice[shape] or (following == "" and self._returns_before_feeding(line))

    def _returns_before_feeding(self, line: str) -> bool:
        """node answers Enter with two returns and a line feed; so it ends all that it writes while a line is edited."""
        editing = self._attentive and not self._commands.waiting
        return self._in_node() and (editing or line.startswith(SHARED))

    def _in_node(self) -> bool:
        return self._commands.program in ("node", "mongo")

    def _at_shell(self) -> bool:
        """Whatever was started last: it has been left."""
        known = self._prompts.learnt(self._at or "")
        return known is not None and known[0] == self._at and known[1] == SHELL

    def _prompt(self) -> str | None:
        """The prompt of the line that is being typed, if it looks like one."""
        if self._terminal.alternate:
            return None
        found = self._prompts.find_stripped(self._terminal.line()[0])
        if found is None and self._attentive and (meant := self._commands.echo.as_meant(None)):
            found = self._prompts.find_stripped(meant.line)  # what is typed may go on in the row above
        return found[0] if found else None

    def _wraps(self, prompt: str, seam: Seam) -> bool:
        """A line editor fills the last column, then writes a blank, which wraps, and returns."""
        measure, width = self._commands.echo.measure, self._terminal.width
        line, place = self._terminal.line()
        rang = "\x07" in SILENT.sub("", seam.last)
        if rang or place <= len(prompt) or line[place - 1 : place] != " " or (self._in_node() and not self._at_shell()):
            return False
        if measure.counts_colours and not seam.last.endswith(" "):
            return False
        if measure.counts_colours and not self._stepped and (typed := typed_width(self._above, seam.last[:-1])):
            self._terminal.resize(typed, self._terminal.height)
            return True
        asked = self._prompts.begins(prompt)
        shown = width_of(line[asked : place - 1])
        drawn_anew = NOT_COLOURS.sub("", SILENT.sub("", seam.last)).startswith(line[: len(prompt)].rstrip())
        row = last_row_written((seam.last if drawn_anew else self._written)[:-1])[1]
        written = written_behind(line[:asked], row)
        told = wrapped_width(shown, written, width)
        at_once = seconds_between(moment_of(self._last_at), moment_of(seam.time)) < PAUSE_S
        if told not in (None, width) and written and not at_once:
            self._terminal.resize(told, self._terminal.height)
            measure.wrapped(shown, written, told)
            return True
        fits = shown % width == 0 or told == width
        if fits:
            measure.wrapped(shown, written, width)
        return fits


def _without_last(body: bytes, count: int) -> bytes:
    """`body` without its last `count` lines and the ends before them."""
    stop = len(body)
    for _ in range(count):
        stop = max(0, _last_end(body, stop))
    return body[:stop]


def _last_end(body: bytes, before: int) -> int:
    """Where the last line that ends `before` does so; -1 if none does."""
    return max(body.rfind(b"\n", 0, before), body.rfind(b"\r", 0, before))
