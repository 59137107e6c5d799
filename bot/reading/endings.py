"""How a piece of a line recorder ended: in a return, or in a new line. The rules, each with what it goes by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.reading import pieces
from bot.reading.commands import Commands
from bot.reading.heads import Heads
from bot.reading.keys import COMMENT
from bot.reading.pieces import Seam, shows_nothing
from bot.reading.progress import FEW_BLANKS, MORE, supersedes
from bot.reading.prompts import DIGITS, SHARED, SHELL, Prompts
from bot.reading.screen import width_of
from bot.reading.sequences import SILENT, rows_risen
from bot.reading.terminal import ERASE_TO_END, Terminal
from bot.reading.times import moment_of, seconds_between
from bot.reading.window import columns_counted

PAUSE_S = 0.25  # a person's; a completion's list comes at once
ANSWERS_IN_S = 0.02  # a line editor, which writes all of its answer at once
USE_READLINE = ("psql", "python", "mysql", "sqlite")
BASH = ("bash-0.0", "sh-0.0")  # its prompt where nobody set one, with any version


@dataclass(slots=True)
class CursorLine:
    """The line that the cursor is in, as its pieces tell of it."""

    at: str | None = None  # its prompt
    known: bool = False  # that prompt was learnt, or its editor said that it takes pastes; else it is guessed
    attentive: bool = False  # it is being typed
    judged: int = 0  # Enters whose lines had been left when its prompt came
    written: str = ""  # of it, since its last new line
    last_at: str = ""  # the time of its last piece
    above: str = ""  # the piece before that
    stepped: bool = False  # which ended in a new line
    unwrapped: bool = False  # it is drawn with DECAWM reset
    rose: int = 0  # rows that it went up, and has not come down again
    descending: bool = False  # it was entered in one of its upper rows: readline goes down, and returns
    descended: bool = False  # and has returned


class Endings:
    """`line` is kept by whoever feeds the pieces."""

    def __init__(
        self, terminal: Terminal, prompts: Prompts, commands: Commands, heads: Heads, line: CursorLine
    ) -> None:
        self._terminal = terminal
        self._prompts = prompts
        self._commands = commands
        self._heads = heads
        self._line = line
        self._marked = False  # a shell's mark was drawn, and nothing since
        self._marks_prompts = False
        self._makes_room = False
        self._in_fish = False  # whose mark it was
        self._rows_below = 0  # of a block that fish draws anew
        self._twice: dict[str, bool] = {}  # prompts at which an empty piece answers each Enter
        self._several = False  # it had several rows, and goes down them
        # How a piece ended, by what is shown before and after it. True: in a return; False: in a new line; None: not told.
        # First what the two pieces themselves say, in whatever order. From `_fills_its_row` on the order matters: a complete line
        # before one that goes on, likeness last.
        self._rules: tuple[Callable[[Seam], bool | None], ...] = (
            self._feeds, self._comes_down, self._row_of_fish, self._leaves_editor, self._drawn_without_wrapping, self._rises_above,
            self._shown_to_be_wiped, self._pager_asked, self._row_of_several, self._menu, self._moves,
            self._goes_down, self._just_left, self._fills_its_row, self._complete, self._erases, self._redrawn, self._continued, self._next_state,
        )  # fmt: skip

    def returned(self, last: str, following: str, time: str) -> bool:
        """What the first of the rules says that says anything. Nothing is said of a line that stays, as most do."""
        seam = Seam(last, following, SILENT.sub("", following), time)
        return next((told for rule in self._rules if (told := rule(seam)) is not None), False)

    def answered_once(self, prompt: str, following: str) -> bool:
        """At `prompt` its editor answers Enter with a new line alone, so the line that `following` comes after was left."""
        shape = DIGITS.sub("0", prompt)
        if following == "" and self._twice.get(shape, True):
            return False
        self._twice[shape] = False
        return True

    def has_rows_below(self) -> bool:
        """The cursor is not in the last row of its line, so a line feed only goes down to the next."""
        if meant := self._commands.echo.as_meant(None):
            return meant.has_rows_below
        line, place = self._terminal.line()
        return width_of(line[:place]) // self._terminal.width < (width_of(line) - 1) // self._terminal.width

    def goes_down_in_typed(self) -> bool:
        """The line is still typed, and is drawn over its own prompt: its next row is no new line."""
        typed = self._line.attentive and not self._commands.waiting and self._commands.echo.measure.counts_colours
        return typed and self.has_rows_below()

    # What the control sequences of the two pieces say.

    def _feeds(self, seam: Seam) -> bool | None:
        """The first piece goes up, or hides the cursor, to go on in the next row, or in as many as irb will need for a menu."""
        if seam.last == "":
            return False if self._makes_room else None
        self._makes_room = False
        if "\x1b" not in seam.last:
            return None
        if seam.following == "" and pieces.HIDES.search(seam.last):
            self._makes_room = True
            return False
        feeds = pieces.FEEDS.search(seam.last) or (
            pieces.GOES_UP.match(seam.following) and pieces.HIDES.search(seam.last)
        )
        return False if feeds else None

    def _comes_down(self, seam: Seam) -> bool | None:
        return False if seam.last == "" and self._line.rose else None

    def _row_of_fish(self, seam: Seam) -> bool | None:
        """fish draws a block row by row: a new one is erased first, and to draw those above anew it goes up to them."""
        if not (self._in_fish and self._line.attentive and seam.last):
            return None
        if pieces.ROSE.search(seam.last):
            # It returns before it comes down, but where it already is in the first column.
            return False if self._terminal.line()[1] == 0 else None
        if pieces.drawn_above(seam.last):
            self._rows_below = rows_risen(seam.last)
        if self._rows_below and pieces.GOES_TO_COLUMN.match(seam.following):
            self._rows_below -= 1
            return False
        self._rows_below = 0
        return False if pieces.NEW_ROW.match(seam.following) else None

    def _leaves_editor(self, seam: Seam) -> bool | None:
        if pieces.DRAWN_BY_IEX.match(seam.last):
            return False  # once more, after its Enter
        if not seam.following.startswith(pieces.ENDS_PASTES) or pieces.ENDS_PASTES in seam.last:
            return None
        if self._line.at is not None and SILENT.sub("", seam.last) == self._line.at + " ":
            return True  # the prompt fills its row, as its editor counts, and was left with nothing typed at it
        return seam.last == "" and self._line.stepped and self._line.above != ""

    def _drawn_without_wrapping(self, seam: Seam) -> bool | None:
        if not self._line.unwrapped:
            return None
        self._commands.echo.measure.reaches_last_column(seam.following)
        return seam.last != "" or self._line.stepped

    def _rises_above(self, seam: Seam) -> bool | None:
        """Above the first row of the line that is typed there is nothing of it."""
        at_prompt = self._marks_prompts and self._line.at is not None
        return False if at_prompt and pieces.ROSE.search(seam.last) and pieces.ROSE.search(seam.following) else None

    def _shown_to_be_wiped(self, seam: Seam) -> bool | None:
        if seam.following == "" and "\x1b" in seam.last:
            # A shell sets a title, then readline returns to write a prompt that begins with an empty line.
            titled = self._prompts.in_shell and pieces.TITLE.match(seam.last)
            if titled or pieces.LEFT_VIM.search(seam.last):
                return True
        if seam.last == "" and seam.following.startswith(pieces.DRAWN_BY_ZLE):
            return True
        if seam.following.isspace() and len(seam.following) == len(seam.last) > FEW_BLANKS:
            return True  # gpg wipes what it asked with blanks
        return True if self._marks(seam.last) or ("\x1b" in seam.last and shows_nothing(seam.last)) else None

    def _pager_asked(self, seam: Seam) -> bool | None:
        """What a pager asks with is written over; so are git's steps, and ssh returns before it asks."""
        if seam.last == "" and seam.following == ERASE_TO_END and pieces.PAGER_ASKS.match(f"{self._line.above}\n"):
            return True  # `more` goes on by a line
        if seam.last == ERASE_TO_END and self._line.above.startswith(MORE) and not self._line.stepped:
            return True  # and readline, in a list of completions
        if seam.last == "" and pieces.ASKED_AFTER_RETURN.match(seam.following):
            return True
        if seam.last.endswith(")") and pieces.REBASES.match(f"{seam.last}\n{seam.following}"):
            return True
        if pieces.SOUGHT.match(seam.last) and seam.following.startswith(ERASE_TO_END):
            return True
        may_ask = "\x1b" in seam.last or seam.last.startswith((":", MORE))
        return True if may_ask and pieces.PAGER_ASKS.match(f"{seam.last}\n{seam.following}") else None

    def _row_of_several(self, seam: Seam) -> bool | None:
        """Of a line, or a prompt, of several rows: each is ended by a return and a new line, which leave an empty piece."""
        if seam.last:
            self._several = seam.following == "" and self._breaks(seam.last)
        if self._several:
            return seam.last != ""  # a new line for each row that it goes down
        above_a_prompt = seam.last == "" and self._line.above == "" and self._line.stepped
        return True if above_a_prompt and self._heads.is_head(seam.following) else None

    def _menu(self, seam: Seam) -> bool | None:
        """An entry of zsh's menu is drawn twice, or the one that was left after it; what follows the menu begins by going up."""
        if not (self._marks_prompts and self._line.attentive and not self._commands.waiting):
            return None
        if seam.last == "":
            return None if self._line.stepped else False
        if seam.following == "" and ERASE_TO_END in seam.last:
            return True  # a row of a block that was recalled
        drawn_over = seam.last == seam.following or pieces.CHOSEN.match(seam.last) is not None
        return True if drawn_over or pieces.GOES_UP.match(seam.following) else None

    def _moves(self, seam: Seam) -> bool | None:
        return True if pieces.GOES_ON_ELSEWHERE.match(seam.following) else None

    # What is known of the line says the rest.

    def _goes_down(self, seam: Seam) -> bool | None:
        if self._line.descended and seam.last == "":
            return False
        return not self.has_rows_below() if self._line.descending and seam.last == seam.following == "" else None

    def _just_left(self, seam: Seam) -> bool | None:
        """Until the next prompt comes, there is only likeness."""
        return (
            bool(self._next_state(seam))
            if self._line.attentive and self._line.judged != self._commands.judged
            else None
        )

    def _fills_its_row(self, seam: Seam) -> bool | None:
        """The line ended at the edge, so the editor wrapped behind it, and goes up to draw it again."""
        if not (seam.last.endswith(" ") and pieces.GOES_UP.match(seam.following) and self._commands.answered):
            return None
        line, place = self._terminal.line()
        counted = (
            columns_counted(self._line.written[:-1])
            if self._commands.echo.measure.counts_colours
            else width_of(line[: place - 1])
        )
        return True if self._line.at is not None and counted > 0 == counted % self._terminal.width else None

    def _complete(self, seam: Seam) -> bool | None:
        line = self._shown()
        if not self._commands.answered:
            return None
        if seam.following == "" and pieces.DRAWN_BY_NODE.match(self._line.written):
            return True  # with its own readline, whatever asks: that answers twice
        if not self._commands.complete(line):
            # The keys do not tell what was recalled: that it was entered its editor's answer does, where that is known.
            by_zsh = self._marks_prompts and not self._in_fish and self._line.attentive
            twice = by_zsh or self._twice.get(self._shape, False)
            return True if twice and seam.following == "" != seam.last else None
        drawn_again = self._drawn_once_more(seam.following, line)
        return seam.last != "" and (drawn_again or self._answers_twice(seam, line))

    def _erases(self, seam: Seam) -> bool | None:
        if seam.following == "" and self._line.at is not None and pieces.ERASES_FROM_ABOVE.match(seam.last):
            return False  # what was in the row below is erased next
        if pieces.ERASES_ONLY.match(seam.following):
            return self._line.at is not None or (
                self._line.attentive and self._line.known and seam.last == "" and self._line.stepped
            )
        if seam.last == ERASE_TO_END and not pieces.REDRAWS.match(seam.following):
            return self._prompts.find_stripped(seam.shown) is not None
        return None

    def _redrawn(self, seam: Seam) -> bool | None:
        """What follows begins by going back to where the line is drawn from."""
        line = self._shown()
        redrawn = (
            pieces.REDRAWS.match(seam.following) is not None
            or (
                pieces.ASIDE.match(line) is not None
                and not self._given_up()
                and self._prompts.find_stripped(seam.shown) is not None
            )
            or (
                self._line.at is not None
                and pieces.GOES_UP.match(seam.following) is not None
                and not self._rises_to_it(line)
            )
            or (seam.following == "" and (seam.last != "" or self._line.stepped) and self._returns_before_feeding(line))
            or (self._marks_prompts and self._line.attentive and self._wrapped_twice(seam))
        )
        return True if redrawn else None

    def _continued(self, seam: Seam) -> bool | None:
        """The line is being typed, or is a progress bar's, and goes on in what is shown next."""
        if seam.following and not seam.shown:
            return None
        if self._commands.answered:
            return self._commands.expects_more(self._shown(), seam.shown)
        if self._line.attentive and self._line.known and seam.last == "" and self._line.stepped:
            return not self.has_rows_below()
        if seam.last.endswith(" ") and (meant := self._commands.echo.as_meant(None)) and meant.wraps:
            return True
        if self._line.at is not None and not self._given_up():
            return self._continued_at(self._line.at, seam)
        return None

    def _continued_at(self, prompt: str, seam: Seam) -> bool | None:
        line = self._shown()
        if line.startswith(prompt + COMMENT) and self._prompts.same(prompt, seam.shown):
            return False  # Alt-# made a comment of what was typed, and accepted it
        if self._only_looks_so(prompt, line, seam.shown) or (seam.following == "" and self.goes_down_in_typed()):
            return False
        if self._prompts.same(prompt, seam.shown) or self._changed(prompt, seam) or self._wraps(prompt, seam):
            return True
        if self._line.known or (self._marks_prompts and self._commands.echo.edited):
            return seam.shown == "" and seam.last != "" and self._in_one_row(line)
        return None

    def _next_state(self, seam: Seam) -> bool | None:
        if seam.following and not seam.shown:
            return None
        return supersedes(SILENT.sub("", seam.last), seam.shown)

    # What the rules ask.

    @property
    def _shape(self) -> str:
        """Of the prompt, whatever its numbers are, and without what a program left before it."""
        prompt = self._line.at or ""
        return DIGITS.sub("0", prompt[self._prompts.begins(prompt) :])

    def _shown(self) -> str:
        if meant := self._commands.echo.as_meant(None):
            return meant.line.rstrip()
        return self._terminal.line()[0].rstrip()

    def _only_looks_so(self, prompt: str, line: str, shown: str) -> bool:
        """What `diff` prints begins as a shell's prompt for one more line does, and each line is another."""
        one, other = line[len(prompt) :], shown[len(prompt) :].rstrip()
        same = prompt in SHARED and self._prompts.in_shell and self._prompts.same(prompt, shown)
        return same and not (one.startswith(other) or other.startswith(one))

    def _given_up(self) -> bool:
        line, place = self._terminal.line()
        return line[:place].endswith("^C") or line.rstrip().endswith("^C")

    def _breaks(self, piece: str) -> bool:
        """It may be a row of a prompt or a line of several: readline ends it in a return beside the line's end."""
        return self._commands.echo.edited or (not self._commands.waiting and self._heads.is_head(piece))

    def _changed(self, prompt: str, seam: Seam) -> bool:
        """The same prompt with another sign in it: of vi's modes, for instance."""
        if self._commands.echo.measure.counts_colours and not SILENT.sub("", seam.last).startswith(prompt.rstrip()):
            return False  # what stands there may be left of a line that was drawn over others
        found = self._prompts.find_stripped(seam.shown)
        return found is not None and len(found.text) == len(prompt) and found.text[-8:] == prompt[-8:]

    def _marks(self, last: str) -> bool:
        """The mark that zsh and fish put before their prompt, and the pieces that wipe it."""
        if self._commands.echo.measure.marked(last):
            self._marked = self._marks_prompts = True
            self._in_fish = pieces.FISH_MARK in last
        elif self._marked:
            # One empty piece is of the mark, any other is what is shown before a prompt.
            self._marked = not SILENT.sub("", last).strip(" ⏎") and not (last == self._line.above == "")
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

    def _in_one_row(self, line: str) -> bool:
        """Nobody pressed Enter, and there is no row of the line below to go down to."""
        if self._commands.echo.measure.counts_colours and self._terminal.below():
            return False  # of a line of several, for instance
        return self._prompts.in_shell and not self._commands.waiting and width_of(line) < self._terminal.width

    def _answers_twice(self, seam: Seam, line: str) -> bool:
        """Some editors answer Enter with a return before the new line: at a prompt they do always, or never."""
        shape = self._shape
        if self._commands.in_node and pieces.COLOURED.match(seam.following):
            return False  # what the line would give, shown below it while it is typed
        if len(self._twice) > Prompts.MOST:
            self._twice.clear()
        # readline answers once.
        by_readline = (
            shape.startswith(BASH)
            or self._commands.program in USE_READLINE
            or (self._commands.echo.measure.counts_colours and self._prompts.in_shell)
        )
        # What asks without a prompt that looks like one reads the terminal's own line mode, which does not.
        empty = seam.following == ""
        by_another = bool(shape) and not by_readline and self._pause_before(seam) < ANSWERS_IN_S
        may_be = by_another or line.startswith(SHARED) or self._commands.in_node
        self._twice[shape] = empty and self._twice.get(shape, may_be)
        return self._twice[shape] or (empty and self._returns_before_feeding(line))

    def _returns_before_feeding(self, line: str) -> bool:
        """node answers Enter with two returns and a line feed; so it ends all that it writes while a line is edited."""
        editing = self._line.attentive and not self._commands.waiting
        return self._commands.in_node and (editing or line.startswith(SHARED))

    def _wraps(self, prompt: str, seam: Seam) -> bool:
        """A line editor fills the last column, then writes a blank, which wraps, and returns."""
        if self._commands.in_node and not self._at_shell():
            return False
        at_once = self._pause_before(seam) < PAUSE_S
        above = "" if self._line.stepped else self._line.above
        return self._commands.echo.measure.wraps_at_return(
            prompt, seam.last, above=above, written=self._line.written, at_once=at_once
        )

    def _pause_before(self, seam: Seam) -> float:
        return seconds_between(moment_of(self._line.last_at), moment_of(seam.time))

    def _at_shell(self) -> bool:
        """Whatever was started last: it has been left."""
        known = self._prompts.learnt(self._line.at or "")
        return known is not None and known.text == self._line.at and known.program == SHELL
