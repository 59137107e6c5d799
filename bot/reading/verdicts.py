"""What was on a line when it was left: what stands on the screen against what the keys say."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bot.reading.echo import Echo
from bot.reading.keys import WILD, Typed
from bot.reading.prompts import Prompts
from bot.reading.screen import CONTINUES, width_of
from bot.reading.terminal import Terminal

STARS = re.compile(r"[*•●∙·xX]+\Z")
NO_BLANKS = str.maketrans("", "", " \n\r\t")
# A prompt at the right edge; typed text hardly holds so many blanks.
RIGHT_PROMPT = re.compile(r"(?<=\S) {4,}\S+(?: \S+)*\Z")
SEARCHES = "/?:"
VI_SEARCHES = "/?"
# What pagers show while they wait for a key.
PAGER = re.compile(r":|\(END\)|--More--.*|.*\blines \d+-\d+.*|.*\((?:press|type) h for help.*")
# What is left of readline's search where the line was redrawn over it in part.
SEARCH_LEFT = re.compile(r"rch\)`|i-search\)|\((?:failed )?rev")
GOES_ON = re.compile(r" {1,9}⋮ ")  # ipython's mark before a row that continues the one above
MAY_GO_ON = re.compile(r" {1,9}(?:⋮|\.{3,9}:) ")  # the same before ipython 9, which is how its other rows begin too
FEW_COLUMNS = 40  # no line editor wraps before, or counts wrong
FEWEST_SHOWN = 8  # characters that no question and its answer have in common
FEWEST_ALIKE = 3
ASKS = re.compile(r"[?:\])] ")
QUESTION = re.compile(ASKS.pattern + r"\Z")
# Whoever asks for these may get a single character that nobody should see; elsewhere that is a key, not an answer.
SECRETS = re.compile(r"pass|pin\b|secret|token|code|(?<!any )key\b", re.IGNORECASE)
SHORT_LINE = 200
LONGEST_ANSWER, LONGEST_QUESTION = 100, 1000
LONGEST_BLOCK = 40  # lines of one command
# Editors of whole blocks, which show their continuation prompt before every line of it.
REPEAT_PROMPTS = ("python", "ipython", "irb", "node")
# Not only to write the prompt, whose own end may be blanks.
DRAWS_BY_COLUMN = re.compile(r"\x1b\[[0-9;]*[GHC]|\x1b\[\?25[hl]")
SHOWN = re.compile(r"[^\x00-\x20]")


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
    lowest: bool = False  # nothing stood below it then


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a program received; `blind`: nothing of it was shown."""

    text: str
    prompt: str
    sure: bool = True
    blind: bool = False


class Judge:
    def __init__(self, terminal: Terminal, prompts: Prompts, echo: Echo) -> None:
        self._terminal = terminal
        self._prompts = prompts
        self._echo = echo
        self.left_at = -1  # lines above the one that was left last

    def judge(self, entered: Entered, line: str, echoed: str) -> Verdict | None:
        typed = entered.typed
        if typed.known and not (typed.edited.strip() or typed.plain.strip()):
            return None
        shown = self._shown(entered, line)
        if shown and self.repeated(entered.prompt or "") and (shown[0] != entered.prompt or not shown[1].strip()):
            shown = self._shown_above(entered, line) or shown
        if shown is None and PAGER.fullmatch((entered.prompt or "").strip()):
            return None
        if entered.full_screen:
            return _after_full_screen(typed, shown or self._guessed(line))
        if shown is None and line and line[0] in SEARCHES and line == typed.keys.strip():
            return None  # a pager's prompt, or vi's, gave way to a search
        if not typed.known and typed.edited.startswith(tuple(SEARCHES)) and self._sought_in_vain(typed, line, echoed):
            return None
        if self._sought_with_escape(typed, line, echoed):
            return None
        matching = self.matching(typed, line)
        if shown is None and not (matching and matching.prompt.strip() and self._is_prompt(matching.prompt)):
            shown = self._shown_above(entered, line)
            if shown and "\n" in shown[1] and self._asked_blind(typed, shown[0], echoed):
                return Verdict("", shown[0], blind=True)
        if matching is not None and (typed.known or shown is None) and not (shown and _is_part(matching, shown[1])):
            if "\n" in matching.text and not matching.prompt.strip():
                return replace(matching, prompt=self._from_last_prompt(self.since_left())[0])
            return self.with_indent(matching)
        if shown is not None and self._came_after(entered, *shown, echoed):
            return Verdict("", shown[0], blind=True)
        if shown is not None:
            return _reconciled(typed, shown[0], self._without_padding(*shown, typed), echoed)
        return self._tangled(entered, line, echoed)

    def _sought_in_vain(self, typed: Typed, line: str, echoed: str) -> bool:
        """vi's search found nothing, and only its prompt came back."""
        found = self._prompts.find(line + " ")
        return found is not None and not line[len(found[0]) :].strip() and echoes(typed.edited, echoed)

    def _sought_with_escape(self, typed: Typed, line: str, echoed: str) -> bool:
        """The same where Escape came before: with emacs keys it would have completed a name."""
        sought = typed.edited.removeprefix(WILD).translate(NO_BLANKS)
        if sought == typed.edited or not sought or WILD in sought or not (found := self._prompts.find(line + " ")):
            return False
        text = line[len(found[0]) :].translate(NO_BLANKS)
        if not text:
            return any(sign + sought in echoed.translate(NO_BLANKS) for sign in VI_SEARCHES)
        return text[0] in VI_SEARCHES and sought.startswith(text[1:])

    def _asked_blind(self, typed: Typed, prompt: str, echoed: str) -> bool:
        """A question got one line, of which nothing was shown: what stands below is the next prompt, of several lines."""
        one_line = typed.known and typed.printed and "\n" not in typed.edited
        return one_line and self._prompts.find(prompt) is None and not _follows(typed.keys, echoed)

    def _came_after(self, entered: Entered, question: str, text: str, echoed: str) -> bool:
        """All that stands behind a question came after the Enter, which moved nothing: the same question again, for instance.
        At a prompt it is what a command says that was typed without an echo: nothing of its keys is in it."""
        typed = entered.typed
        came = text.strip() != "" and self._echo.after.rstrip().endswith(text.strip())
        if not (came and typed.known and typed.printed):
            return False
        unseen = (
            entered.prompt is not None
            and echoed.strip() == self._echo.after.strip()
            and not _follows(typed.keys, echoed)
        )
        return self._prompts.find(question) is None or unseen

    def _tangled(self, entered: Entered, line: str, echoed: str) -> Verdict | None:
        """The line begins with no prompt that is known."""
        typed = entered.typed
        guessed = self._guessed(line)
        if guessed is not None and guessed[1].strip() and not typed.known and not typed.searched:
            return Verdict(guessed[1], guessed[0])
        typed_at = self._prompts.find(entered.prompt or "")  # it may be drawn over since
        if typed.known and (verdict := self._echoed_at(entered, echoed)):
            return verdict
        if typed.known and typed_at is None and (answer := _last_answer(typed.edited, line)):
            return answer
        for text in (typed.edited, typed.plain):
            if echoes(text, echoed):
                found = typed_at or self._prompts.find(line) or self._prompts.find(echoed)
                return Verdict(text, found[0] if found else "")
        if guessed is not None and guessed[1].strip():
            if typed_at and self._drawn_over(typed, typed_at[0], *guessed):
                return Verdict(typed.edited, typed_at[0], sure=False)
            return _reconciled(typed, *guessed, echoed)
        at_prompt = echoed.strip() and self._prompts.known(entered.prompt or echoed)
        if at_prompt or typed.searched or _follows(typed.keys, echoed) or _ends_alike(typed.edited, echoed):
            return Verdict(typed.edited.replace(WILD, ""), entered.prompt or "", sure=False)
        part = line.strip("<> ")  # of a line that was scrolled sideways
        if len(part) >= FEWEST_SHOWN and part in typed.edited:
            return Verdict(typed.edited, "", sure=line.startswith("<") and typed.known)
        if len(typed.edited) > FEWEST_SHOWN and line.endswith(typed.edited[-FEWEST_SHOWN:]):
            return Verdict(typed.edited, "", sure=False)
        if typed.known and (prompt := self._interrupted(typed.edited, line)):
            return Verdict(typed.edited, prompt)
        if typed.printed and typed.edited.translate(NO_BLANKS) == line.translate(NO_BLANKS):
            return Verdict(typed.edited, "", sure=False)  # it is all there, only moved
        if len(typed.keys.strip()) == 1 and not SECRETS.search(line):
            return None
        return Verdict("", line, blind=True) if typed.printed else None

    def _drawn_over(self, typed: Typed, prompt: str, seems: str, shown: str) -> bool:
        """What `seems` to be a prompt is what is left of the one that is known: more was typed than is `shown` behind it."""
        differs = not self._prompts.same(prompt, seems) and seems[-FEWEST_SHOWN:] == prompt[-FEWEST_SHOWN:]
        return differs and WILD not in typed.edited and any(word in typed.edited for word in shown.split())

    def _interrupted(self, text: str, line: str) -> str:
        """The prompt of a row above, where `text` was begun, and went on in each row below: a job wrote in the midst of it."""
        prompt, rows = self._from_last_prompt(self.since_left()[-LONGEST_BLOCK:])
        if not rows or len(text) > SHORT_LINE:
            return ""
        ends = {0}
        for row in (rows[0][len(prompt) :], *rows[1:], line):
            # What the job wrote may begin as the rest of the text does.
            ends = {end + more for end in ends for more in range(number_alike(row, text[end:]) + 1)}
        return prompt if len(text) in ends else ""

    def _echoed_at(self, entered: Entered, echoed: str) -> Verdict | None:
        """A prompt and what was typed at it were shown, nothing else, however they were drawn over since: the last keys,
        for a program that was left by some got those before."""
        prompt, _ = self._prompts.find(echoed if entered.prompt is None else entered.prompt) or ("", "")
        shown = (echoed[len(prompt) :] if entered.prompt is None else echoed).translate(NO_BLANKS)
        for text in (entered.typed.edited, entered.typed.plain) if prompt and len(shown) > 1 else ():
            if text.translate(NO_BLANKS).endswith(shown):
                return Verdict(_last(text, len(shown)), prompt)
        return None

    def matching(self, typed: Typed, line: str) -> Verdict | None:
        """The line ends with what the keys say."""
        for text in (typed.edited, typed.plain):
            last = text.rstrip().rpartition("\n")[2]
            if not last.strip() or WILD in text or not (typed.known or text == typed.plain):
                continue
            if line.endswith(last):
                return Verdict(text, line[: len(line) - len(last)])
            if "\t" in last and (text is typed.edited or self._prompts.find(line) is None):
                begin = _begin_of_words(last.split(), line)
                if begin is not None:
                    return Verdict(text, line[:begin])
        if WILD in typed.edited and typed.edited.strip(WILD + " "):
            edited = typed.edited.rstrip()
            prompt = self._prompts.find(line)
            if prompt and _fills(edited, line[len(prompt[0]) :]):
                return Verdict(line[len(prompt[0]) :], prompt[0])
            for asks in () if prompt or len(line) > LONGEST_QUESTION else ASKS.finditer(line):
                if _fills(edited, line[asks.end() :]):
                    return Verdict(line[asks.end() :], line[: asks.end()])
        return None

    def of_row(self, typed: Typed, row: str) -> Verdict | None:
        """The same for a row of an editor of whole blocks, which draws its prompt and all that follows."""
        prompt = self.repeated(row)
        matching = self.matching(typed, row) if prompt else None
        if matching is None or not matching.prompt[len(prompt) :].strip():
            return matching and self.with_indent(matching, block=True)
        return Verdict(row[len(prompt) :], prompt)

    def with_indent(self, verdict: Verdict, *, block: bool = False) -> Verdict:
        """Blanks between the prompt and what was typed are the editor's indent, which the program got too."""
        found = self._prompts.find(verdict.prompt)
        typed = self._echo.row.rpartition(found[0].rstrip())[2] if found else ""
        indent = verdict.prompt[len(found[0]) :] if found and (block or _draws_by_column(typed)) else ""
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
        elif (
            width_of(line) >= self._terminal.width - 2
            and "    " not in entered.typed.edited
            and not SEARCH_LEFT.search(text)
        ):
            text = RIGHT_PROMPT.sub("", text)
        following = self._prompts.known(text + " ")
        if following and not text[len(following[0]) :].strip():
            text = ""  # the next prompt, on the line of an answer that moved nothing
        return prompt, text

    def _shown_above(self, entered: Entered, line: str) -> tuple[str, str] | None:
        """The same for a line of several, recalled or pasted: it begins where the prompt stood at its first key."""
        if entered.prompt is None:
            rows = [*self.since_left(), line]
            prompt, block = self._from_last_prompt(rows[:-1]) if not entered.typed.known else ("", [])
            block.append(line)
            if self.repeated(prompt):
                block = self._last_block(rows)
                if len(block) < 2:
                    return None
            elif any(row.startswith(" " * len(prompt)) for row in block):
                return None
        else:
            prompt = self._without_indent(entered.prompt)
            block = _from_last(prompt, self._lines_above(self._terminal.lines - entered.lines))
            if block and not self._is_answer(line, prompt):
                block.append(line)
        if block and self.repeated(prompt) and not block[0].startswith(prompt.rstrip()):
            prompt = self.repeated(block[0])  # irb's tells how deep the block is, and changes while it is typed
        if not block or not prompt.strip() or not block[0].startswith(prompt.rstrip()):
            return None
        rest = [self._without_continuation(part) for part in block[1:]]
        if all(row.startswith(" " * len(prompt)) for row in rest):
            rest = [row.lstrip() for row in rest]  # fish draws it so; the line has no such blanks
        text = "\n".join([block[0][len(prompt) :].rstrip(), *rest])
        keys = entered.typed.edited if entered.typed.known else ""
        # irb moves a line that was typed with an indent of its own to where it belongs, but only later.
        return prompt, keys if keys[:1] == " " and keys.strip() == text.strip() else text

    def _without_padding(self, prompt: str, text: str, typed: Typed) -> str:
        """A block that was recalled over a longer line: readline wipes what stood there with blanks, which wrap."""
        width, line = self._terminal.width, prompt + text
        if typed.known or len(line) <= width or not line.isascii():
            return text
        rows = [line[at : at + width] for at in range(0, len(line), width)]
        return "".join(row.rstrip() + "\n" if row.endswith("  ") else row for row in rows)[len(prompt) :]

    def whole(self, line: str) -> str:
        """The cursor's line with the rows above that go on in it."""
        if not any(self._breaks(row, line) for row in self._above(min(self._terminal.lines, 1))):
            return line
        return self._unbroken([*self._above(min(self._terminal.lines, LONGEST_BLOCK)), line])[-1]

    def _lines_above(self, count: int) -> list[str]:
        return self._unbroken([*self._above(count), self._terminal.line()[0]])[:-1]

    def _unbroken(self, block: list[str]) -> list[str]:
        """Rows that the editor broke and marked so, put together."""
        lines: list[str] = []
        for number, row in enumerate(block):
            if number and self._breaks(block[number - 1], row):
                missing = self._terminal.width - width_of(block[number - 1])
                lines[-1] = lines[-1].removesuffix(CONTINUES) + " " * missing + MAY_GO_ON.sub("", row)
            else:
                lines.append(row)
        return lines

    def _breaks(self, row: str, following: str) -> bool:
        """python marks the end of a row that goes on in the next one, ipython the beginning of that."""
        full = width_of(row) >= self._terminal.width - 1
        marked = row.endswith(CONTINUES) or MAY_GO_ON.match(following) is not None
        return (full and marked) or GOES_ON.match(following) is not None

    def rows_entered(self, entered: Entered) -> int:
        """How many lines above the cursor's may be of what was entered, as far as they are looked at."""
        since = self.left_at + 1 if entered.prompt is None else entered.lines
        return min(self._terminal.lines - since, LONGEST_BLOCK)

    def _above(self, count: int) -> list[str]:
        return self._terminal.above(count) if 0 < count <= LONGEST_BLOCK else []

    def since_left(self) -> list[str]:
        """The lines below the one that was left last, without the cursor's."""
        return self._lines_above(self._terminal.lines - self.left_at - 1)

    def _last_block(self, rows: list[str]) -> list[str]:
        """The last rows that an editor of whole blocks drew, each with a prompt before its text."""
        block: list[str] = []
        for row in reversed(rows):
            if row[len(self.repeated(row)) :].strip() and self.repeated(row):
                block.insert(0, row)
            elif block:
                break
        return block

    def _from_last_prompt(self, block: list[str]) -> tuple[str, list[str]]:
        for number in range(len(block) - 1, -1, -1):
            found = self._prompts.known(block[number])
            if found is not None and block[number][len(found[0]) :].strip():
                return found[0], block[number:]
        return "", []

    def _is_answer(self, line: str, prompt: str) -> bool:
        """`line` stands below what was entered at `prompt`, and is no part of it."""
        if self.repeated(prompt):
            found = self.repeated(line + " ")
            return not (found and line[len(found) :].strip())
        return bool(self._echo.after.strip()) and line.endswith(self._echo.after.strip())

    def _without_continuation(self, line: str) -> str:
        return line[len(self.repeated(line)) :]

    def repeated(self, line: str) -> str:
        """The prompt of an editor of whole blocks that `line` begins with."""
        found = self._prompts.guess(line)
        return found[0] if found and found[1] in REPEAT_PROMPTS else ""

    def begins(self, row: str) -> bool:
        """An editor drew it with something before what was typed, so it does not just go on from the row above."""
        prompt = self._prompts.known(row) if self._prompts or row[:1].isspace() else self._prompts.guess(row)
        return bool(self.repeated(row) or prompt or GOES_ON.match(row))

    def _without_indent(self, prompt: str) -> str:
        known = self._prompts.known(prompt)
        found = known or self._prompts.guess(prompt)
        return found[0] if found and (known or prompt[len(found[0]) :].isspace()) else prompt

    def _is_prompt(self, text: str) -> bool:
        found = self._prompts.find(text)
        return found is not None and found[0] == text

    def _guessed(self, line: str) -> tuple[str, str] | None:
        found = self._prompts.guess(line)
        return (found[0], line[len(found[0]) :]) if found else None

    def unseen(self, typed: Typed) -> Verdict | None:
        """Nothing was shown until the Enter after it."""
        if not typed.printed or typed.keys[0] in SEARCHES:
            return None
        return Verdict("", "", blind=True)


def number_alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(one), len(other)))


def begins_over_its_prompt(typed: str, row: str) -> bool:
    """`row` ends as what was typed begins: where colours are counted it may stand over its own prompt."""
    begin = typed[:FEWEST_SHOWN]
    at = row.find(begin) if len(begin) == FEWEST_SHOWN and WILD not in begin else -1
    return at >= 0 and typed.startswith(row[at:])


def _fills(edited: str, text: str) -> bool:
    """`text` is what was `edited`, with anything in place of each WILD."""
    first, *others = edited.split(WILD)
    if not others or not text.startswith(first):
        return edited == text
    at = len(first)
    *middle, last = others
    for part in middle:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - at >= len(last) and text.endswith(last)


def _begin_of_words(words: list[str], line: str) -> int | None:
    """Where the words begin that `line` ends with, however many blanks part them."""
    at = len(line)
    for number, word in enumerate(reversed(words)):
        end = len(line[:at].rstrip()) if number else at
        if (number and end == at) or not line.endswith(word, 0, end):
            return None
        at = end - len(word)
    return at


def _last(text: str, count: int) -> str:
    """The end of `text` that holds `count` characters beside blanks."""
    at = len(text)
    while count and at:
        at -= 1
        count -= text[at] not in " \n\r\t"
    return text if not text[:at].strip() else text[at:]


def _from_last(prompt: str, block: list[str]) -> list[str]:
    """From where the prompt was drawn last: below a list of candidates it is drawn anew."""
    begins = [number for number, row in enumerate(block) if prompt.strip() and row.startswith(prompt.rstrip())]
    return block[begins[-1] :] if begins else block


def _draws_by_column(typed: str) -> bool:
    """An editor moved to a column after it had shown something."""
    shown = SHOWN.search(typed)
    return shown is not None and DRAWS_BY_COLUMN.search(typed, shown.end()) is not None


def _is_part(matching: Verdict, text: str) -> bool:
    """The keys' line is only the end of what stands at the prompt: more came from elsewhere, and it was not drawn twice."""
    more = text.removesuffix(matching.text).strip()
    longer = len(text.translate(NO_BLANKS)) > len(matching.text.translate(NO_BLANKS))
    return longer and "\n" not in matching.text and not (more and matching.text.startswith(more))


def _after_full_screen(typed: Typed, shown: tuple[str, str] | None) -> Verdict | None:
    """The keys begin with those that the program got; the rest went to the prompt after it."""
    if shown is None or not shown[1].strip():
        return None
    prompt, text = shown
    if "\t" in typed.edited and typed.edited.translate(NO_BLANKS) == text.translate(NO_BLANKS):
        return Verdict(typed.edited, prompt)
    keys = (typed.edited.rstrip(), typed.plain.rstrip())
    if typed.known and len(keys[0]) > FEWEST_ALIKE and text.rstrip().endswith(" " + keys[0]):
        # All of them, and the prompt is longer.
        return Verdict(typed.edited, prompt + text.rstrip().removesuffix(keys[0]))
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
    if typed.searched and SEARCH_LEFT.search(shown):
        return Verdict(shown.rpartition("': ")[2] if WILD in keys else typed.edited, prompt, sure=False)
    # A tab is shown as blanks, and a wide character leaves one where it does not fit at the edge.
    if ("\t" in keys or not keys.isascii()) and keys.translate(NO_BLANKS) == shown.translate(NO_BLANKS):
        return Verdict(typed.edited, prompt)
    if "\t" in typed.plain and (prompt + typed.plain).expandtabs().rstrip() == prompt + text.rstrip():
        return Verdict(typed.plain, prompt)  # nothing was completed: there are blanks up to the next stop
    if not typed.known or keys == shown or typed.plain.strip() == shown or keys.endswith(shown):
        return Verdict(text, prompt)
    if keys and text.lstrip().startswith(keys + "  "):  # a prompt at the right edge
        return Verdict(typed.edited, prompt)
    if typed.known and shown and shown in (keys.split("\n")[0].strip(), keys.split("\n")[-1].strip()):
        return Verdict(typed.edited, prompt)  # a paste of several lines, of which one stands there
    if _drawn_whole(prompt, shown, echoed):
        return Verdict(text, prompt)
    if shown.replace("\\", "") == keys.replace("\\", ""):  # python marks with it where it breaks a line
        return Verdict(typed.edited, prompt)
    emptier = len(shown) <= len(keys) and "\n" not in keys and width_of(prompt + text) < FEW_COLUMNS
    if echoed_keys and not emptier:
        return Verdict(typed.edited, prompt)
    if "\n" in shown and typed.known and _follows(typed.keys, echoed):
        return Verdict(typed.edited, prompt)  # something else was shown while it was typed
    return Verdict(text, prompt, sure=False)


def _drawn_whole(prompt: str, shown: str, echoed: str) -> bool:
    """The editor drew its line anew, prompt and all, and that is what stands there: the keys did something else here."""
    begin = echoed.rfind(prompt.rstrip()) if prompt.strip() else -1
    return begin >= 0 and echoed[begin:].translate(NO_BLANKS).startswith((prompt + shown).translate(NO_BLANKS))


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


def _last_answer(keys: str, line: str) -> Verdict | None:
    """The end of the keys answers the question that stands there; others took those before it, one by one."""
    for start in range(1, min(len(keys), LONGEST_ANSWER)):
        question = line.removesuffix(keys[start:])
        if question != line and QUESTION.search(question) and (start == 1 or keys[:start] not in question):
            return Verdict(keys[start:], question)
    return None


def _ends_alike(text: str, echoed: str) -> bool:
    """What was shown last is the end of `text`: more than a question and a secret have in common."""
    end = echoed.translate(NO_BLANKS)[-FEWEST_ALIKE:]
    return len(end) == FEWEST_ALIKE and text.translate(NO_BLANKS).endswith(end)


def _follows(keys: str, echoed: str) -> bool:
    """The screen showed each key as it was pressed, among what else it redrew, and not much of that."""
    wanted = keys.translate(NO_BLANKS)
    if not wanted or len(echoed) > 12 * len(wanted) + 40:
        return False
    shown = iter(echoed)
    return all(key in shown for key in wanted)
