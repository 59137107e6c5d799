"""A line that stands at its prompt: what the screen has behind that against what the keys say.

the keys say      the screen has             received
`git push`        `git push`              →  either
`git pu` + Tab    `git push`              →  the screen's: it was completed
`cat <<A` + Tab   `cat <<A      `         →  the keys': a tab is shown as blanks
`secret`          nothing, or `******`    →  nobody is told
`git push`        `git pull`              →  the screen's, but that is not sure
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.reading.entered import NOTHING, Verdict, blind
from bot.reading.keys import WILD, Typed
from bot.reading.likeness import NO_BLANKS, echoes, follows
from bot.reading.rows import SEARCH_LEFT, Stood
from bot.reading.screen import LINE_DRAWING, width_of

STARS = re.compile(r"[*•●∙·xX]+\Z")
FEW_COLUMNS = 40  # no line editor wraps before, or counts wrong


@dataclass(frozen=True, slots=True)
class Line:
    typed: Typed
    stood: Stood
    echoed: str  # since the line began
    tangled: bool  # its editor counts colours as columns, and may have drawn it over itself

    @property
    def keys(self) -> str:
        return self.typed.edited.strip()

    @property
    def shown(self) -> str:
        return self.stood.text.strip()

    def as_typed(self, *, sure: bool = True) -> Verdict:
        return Verdict(self.typed.edited, self.stood.prompt, sure=sure)

    def as_shown(self, *, sure: bool = True) -> Verdict:
        return Verdict(self.stood.text, self.stood.prompt, sure=sure)


def reconciled(typed: Typed, stood: Stood, echoed: str, *, tangled: bool) -> Verdict:
    """What the first of the rules says that says anything; else the screen is right, but that is not sure."""
    line = Line(typed, stood, echoed, tangled)
    return next((verdict for rule in RULES if (verdict := rule(line)) is not None), line.as_shown(sure=False))


def nothing_shown(line: Line) -> Verdict | None:
    """An answer that is not echoed, unless something wiped it since."""
    if line.shown:
        return None
    if echoes(line.typed.edited, line.echoed):
        return line.as_typed()
    return blind(line.stood.prompt) if line.typed.printed else NOTHING


def stars_shown(line: Line) -> Verdict | None:
    hidden = line.typed.printed and STARS.fullmatch(line.shown) and line.typed.plain != line.shown
    return blind(line.stood.prompt) if hidden else None


def search_left_over(line: Line) -> Verdict | None:
    """The line was redrawn over the display of readline's search, in part."""
    if not (line.typed.searched and SEARCH_LEFT.search(line.shown)):
        return None
    if WILD in line.keys:
        return Verdict(line.shown.rpartition("': ")[2], line.stood.prompt, sure=False)
    return line.as_typed(sure=False)


def drawn_as_lines(line: Line) -> Verdict | None:
    """Some program left the terminal in its line drawing set: `reset` is then typed, and not readable."""
    return line.as_typed() if line.keys and line.keys.translate(LINE_DRAWING) == line.shown else None


def tabs_completed_nothing(line: Line) -> Verdict | None:
    """There are blanks up to the next stop."""
    plain, (prompt, text) = line.typed.plain, line.stood
    expanded = "\t" in plain and (prompt + plain).expandtabs().rstrip() == prompt + text.rstrip()
    return Verdict(plain, prompt) if expanded else None


def inserted_at_the_edge(line: Line) -> Verdict | None:
    """The row was full sooner than was thought: what stands behind the place of the insertion is left of it, and what was
    inserted goes on in the next one."""
    above, feed, below = line.shown.rpartition("\n")
    begin = line.keys.removesuffix(below)
    inserted = feed and below and line.keys.endswith(below) and above.startswith(begin)
    left = above[len(begin) :] if inserted else ""
    return line.as_typed() if left and "\n" not in line.keys and line.keys.endswith(left) else None


def blank_before_a_wide_character(line: Line) -> Verdict | None:
    """That had no room in the last column."""
    same = line.keys.translate(NO_BLANKS) == line.shown.translate(NO_BLANKS) and len(line.shown) > len(line.keys)
    return line.as_typed() if same and line.typed.known and not line.keys.isascii() else None


def left_before(line: Line) -> Verdict | None:
    """What stands before it was killed, or recalled on the way to it, and only drawn over in part."""
    told = line.tangled and (line.typed.known or line.typed.recalled) and WILD not in line.keys
    return line.as_typed() if told and line.keys and line.shown.endswith(line.keys) else None


def expanded(line: Line) -> Verdict | None:
    """What stood there of the history was put in its place while it was typed."""
    before, mark, rest = line.keys.partition("!")
    behind = rest[len(rest.split(maxsplit=1)[0]) :] if rest.strip() else ""
    stands = mark and behind and line.shown.startswith(before) and line.shown.endswith(behind)
    return line.as_shown() if stands and len(line.shown) > len(before + behind) else None


def keys_tell_no_more(line: Line) -> Verdict | None:
    """They do not tell all, or the same, or began before the prompt did."""
    same = line.shown in (line.keys, line.typed.plain.strip()) or line.keys.endswith(line.shown)
    return line.as_shown() if same or not line.typed.known else None


# From here on the keys say all, and something else.


def more_at_the_right(line: Line) -> Verdict | None:
    """A prompt at the right edge."""
    return line.as_typed() if line.keys and line.stood.text.lstrip().startswith(line.keys + "  ") else None


def more_behind(line: Line) -> Verdict | None:
    """A job wrote behind it, unless it was recalled: the history may hold other lines than those of this session."""
    if not line.keys or not line.shown.startswith(line.keys):
        return None
    return line.as_shown() if line.typed.recalled else line.as_typed()


def first_row_of_a_paste(line: Line) -> Verdict | None:
    return line.as_typed() if line.shown == line.keys.split("\n")[0].strip() else None


def drawn_whole(line: Line) -> Verdict | None:
    """The editor drew its line anew, prompt and all, and that is what stands there: the keys did something else here."""
    prompt = line.stood.prompt
    begin = line.echoed.rfind(prompt.rstrip()) if prompt.strip() else -1
    stands = (prompt + line.shown).translate(NO_BLANKS)
    return line.as_shown() if begin >= 0 and line.echoed[begin:].translate(NO_BLANKS).startswith(stands) else None


def echoed_whole(line: Line) -> Verdict | None:
    """All of it was shown, and something drew over it. But a short line that became shorter was edited."""
    prompt, text = line.stood
    shorter = len(line.shown) <= len(line.keys) and "\n" not in line.keys and width_of(prompt + text) < FEW_COLUMNS
    return line.as_typed() if not shorter and echoes(line.typed.edited, line.echoed) else None


def drawn_over_itself(line: Line) -> Verdict | None:
    """All keys were echoed, so they are no commands of vi's."""
    told = line.tangled and line.typed.printed and follows(line.typed.keys, line.echoed)
    return line.as_typed(sure=False) if told else None


def shown_among_others(line: Line) -> Verdict | None:
    """Something else was shown while it was typed."""
    return line.as_typed() if "\n" in line.shown and follows(line.typed.keys, line.echoed) else None


RULES: tuple[Callable[[Line], Verdict | None], ...] = (
    nothing_shown, stars_shown, search_left_over, drawn_as_lines, tabs_completed_nothing, inserted_at_the_edge,
    blank_before_a_wide_character, left_before, expanded, keys_tell_no_more,
    more_at_the_right, more_behind, first_row_of_a_paste, drawn_whole, echoed_whole, shown_among_others, drawn_over_itself,
)  # fmt: skip
