"""What a program received of a line that was left: what stands on the screen against what the keys say.

In: an Enter, with what the keys before it make; the line on which the cursor stood when it was left; all that was echoed
since that line began. Out: a line, and at which prompt, or that nobody saw it, or that no program received one.

    the keys say    the cursor's line       verdict
    `ls -l`         `~ $ ls -l`          →  `ls -l` at `~ $ `
    `hunter2`       `Password: `         →  blind, at `Password: `
    `:q!`           `~ $ `               →  nothing: vim got it
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.reading.echo import Echo
from bot.reading.entered import NOTHING, Entered, Verdict, blind
from bot.reading.keys import WILD, Typed
from bot.reading.likeness import (
    FEWEST_ALIKE,
    FEWEST_SHOWN,
    NO_BLANKS,
    begin_of_words,
    echoes,
    ends_alike,
    fills,
    follows,
    goes_on_in,
    last,
    number_alike,
    only_in_quotes,
    same_but_blanks,
)
from bot.reading.progress import MORE
from bot.reading.prompts import ASKS, CONTINUED, QUESTION, Prompts
from bot.reading.reconciled import reconciled
from bot.reading.rows import Rows, Stood

SEARCHES = ("/", "?", ":")
VI_SEARCHES = "/?"
# What pagers show while they wait for a key.
PAGER = re.compile(r":|\(END\)|--More--.*|.*\blines \d+-\d+.*|.*\((?:press|type) h for help.*")
# What readline and zsh ask before they show many completions.
COMPLETION_ASKS = re.compile(rf"{MORE}|Display all \d+ possibilities\?|zsh: do you wish to see all \d+ possibilities")
# irb since 1.7, which indents what it draws; those before it wrote how deep it was into the prompt, and the blanks with it.
INDENTS = re.compile(r"irb\([^)]*\):\d+[^:\d]")
# Whoever asks for these may get a single character that nobody should see; elsewhere that is a key, not an answer.
SECRETS = re.compile(r"pass|pin\b|secret|token|code|(?<!any )key\b", re.IGNORECASE)
SHORT_LINE = 200
LONGEST_ANSWER, LONGEST_QUESTION = 100, 1000
# Not only to write the prompt, whose own end may be blanks.
DRAWS_BY_COLUMN = re.compile(r"\x1b\[[0-9;]*[GHC]|\x1b\[\?25[hl]")
SHOWN = re.compile(r"[^\x00-\x20]")


@dataclass(frozen=True, slots=True)
class Case:
    entered: Entered
    line: str  # the cursor's, when it was left
    echoed: str  # since that line began, however it was drawn over since
    matching: Verdict | None  # the line ends with what the keys say
    at_prompt: Stood | None  # the line begins with a prompt that is known
    block: Stood | None  # or what was entered began above it
    guessed: Stood | None  # or it begins with what only looks like a prompt

    @property
    def typed(self) -> Typed:
        return self.entered.typed

    @property
    def stood(self) -> Stood | None:
        return self.at_prompt or self.block


class Judge:
    def __init__(self, prompts: Prompts, rows: Rows, echo: Echo) -> None:
        self._prompts = prompts
        self._rows = rows
        self._echo = echo
        # The first that says anything is right; None: it says nothing.
        self._rules: tuple[Callable[[Case], Verdict | None], ...] = (
            # No prompt got it.
            self._nothing_typed, self._for_a_pager, self._left_full_screen, self._vi_searched,
            # It stands at a prompt.
            self._nothing_but_the_next_prompt, self._emptied, self._as_typed, self._as_it_stood, self._only_what_came_after, self._reconciled,
            # It does not: the prompt is a new one, or is drawn over.
            self._recalled, self._at_continuation, self._echoed_alone, self._last_answer, self._given_back, self._echoed,
            self._guessed, self._echoed_in_part, self._left_in_part, self._interrupted,
            # Nothing of it was shown.
            self._single_key, self._unseen,
        )  # fmt: skip

    def judge(self, entered: Entered, line: str, echoed: str) -> Verdict:
        case = self._case(entered, line, echoed)
        return next((verdict for rule in self._rules if (verdict := rule(case)) is not None), NOTHING)

    def _case(self, entered: Entered, line: str, echoed: str) -> Case:
        matching = self.matching(entered.typed, line)
        at_prompt, block = self._rows.at_prompt(entered, line), None
        if at_prompt is None and not (matching and self._is_prompt(matching.prompt)):
            block = self._rows.of_block(entered, line)
        return Case(entered, line, echoed, matching, at_prompt, block, self._rows.guessed(line))

    def _is_prompt(self, text: str) -> bool:
        found = self._prompts.find(text) if text.strip() else None
        return found is not None and found.text == text

    # --- what the keys' line is on a line of the screen

    def matching(self, typed: Typed, line: str) -> Verdict | None:
        """The line ends with what the keys say."""
        return self._ending(typed, line) or self._completed(typed, line)

    def _ending(self, typed: Typed, line: str) -> Verdict | None:
        for text in (typed.edited, typed.plain):
            row = text.rstrip().rpartition("\n")[2]
            if not row.strip() or WILD in text or not (typed.known or text == typed.plain):
                continue
            if line.endswith(row):
                return Verdict(text.rstrip("\t"), line[: len(line) - len(row)])
            if "\t" in row and (text is typed.edited or self._prompts.find(line) is None):
                begin = begin_of_words(row.split(), line)
                if begin is not None:
                    return Verdict(text, line[:begin])
        return None

    def _completed(self, typed: Typed, line: str) -> Verdict | None:
        """Some of it the keys do not tell."""
        edited = typed.edited.rstrip()
        if WILD not in typed.edited or not edited.strip(WILD + " "):
            return None
        prompt = self._prompts.find(line)
        text = self._rows.without_right_prompt(typed, line, prompt.behind(line)) if prompt else ""
        if prompt and fills(edited, text):
            return Verdict(text, prompt.text)
        for asks in () if prompt or len(line) > LONGEST_QUESTION else ASKS.finditer(line):
            if fills(edited, line[asks.end() :]):
                return Verdict(line[asks.end() :], line[: asks.end()])
        return None

    def of_row(self, typed: Typed, row: str) -> Verdict | None:
        """The same for a row of an editor of whole blocks, which draws its prompt and all that follows."""
        prompt = self._rows.repeated(row)
        matching = self.matching(typed, row) if prompt else None
        if matching is None or not matching.prompt[len(prompt) :].strip():
            return matching and self._with_indent(matching, block=True)
        return Verdict(row[len(prompt) :], prompt)

    def _with_indent(self, verdict: Verdict, *, block: bool = False) -> Verdict:
        """Blanks between the prompt and what was typed are the editor's indent, which the program got too."""
        found = self._prompts.find(verdict.prompt)
        typed = self._echo.row.rpartition(found.text.rstrip())[2] if found else ""
        indents = found is not None and (block or INDENTS.match(found.text) or _draws_by_column(typed))
        indent = found.behind(verdict.prompt) if found and indents else ""
        return (
            verdict._replace(prompt=found.text, text=indent + verdict.text) if found and indent.isspace() else verdict
        )

    # --- no prompt got it

    def _nothing_typed(self, case: Case) -> Verdict | None:
        typed = case.typed
        return NOTHING if typed.known and not (typed.edited.strip() or typed.plain.strip()) else None

    def _for_a_pager(self, case: Case) -> Verdict | None:
        """Its prompt, or vi's, is gone: a key was pressed there, or what is sought took its place."""
        if COMPLETION_ASKS.match(case.entered.line_at_enter) or (
            MORE in case.echoed and not (case.at_prompt or case.guessed)
        ):
            return NOTHING  # a list of completions goes on
        asked = PAGER.fullmatch((case.entered.prompt or "").strip())
        sought = case.line.startswith(SEARCHES) and case.line == case.typed.keys.strip()
        # ed, which has no prompt and draws nothing, takes such lines as commands.
        sought = sought and (case.entered.prompt != "" or "\x1b" in self._echo.came)
        return NOTHING if case.at_prompt is None and (asked or sought) else None

    def _left_full_screen(self, case: Case) -> Verdict | None:
        """The keys begin with those that the full-screen program got; the rest went to the prompt after it."""
        if not case.entered.full_screen:
            return None
        typed, stood = case.typed, case.at_prompt or case.guessed
        if stood is None or not stood.text.strip():
            return NOTHING
        prompt, text = stood
        if "\t" in typed.edited and same_but_blanks(typed.edited, text):
            return Verdict(typed.edited, prompt)
        keys = (typed.edited.rstrip(), typed.plain.rstrip())
        if typed.known and len(keys[0]) > FEWEST_ALIKE and text.rstrip().endswith(" " + keys[0]):
            # All of them, and the prompt is longer.
            return Verdict(typed.edited, prompt + text.rstrip().removesuffix(keys[0]))
        return Verdict(text, prompt, sure=not typed.known or any(k.endswith(text.strip()) for k in keys))

    def _vi_searched(self, case: Case) -> Verdict | None:
        """vi's search: its prompt came back alone, or what is sought stands there with its sign in front. Where Escape came
        before, it would have completed a name with emacs keys."""
        keys, found = case.typed.edited, self._prompts.find_stripped(case.line)
        sought = keys.removeprefix(WILD).translate(NO_BLANKS)
        if found is None or case.typed.known or not sought or WILD in sought:
            return None
        text = found.behind(case.line).translate(NO_BLANKS)
        if keys.startswith(SEARCHES):
            return NOTHING if not text and echoes(keys, case.echoed) else None
        if not keys.startswith(WILD):
            return None
        echoed = case.echoed.translate(NO_BLANKS)
        seeks = text.startswith(tuple(VI_SEARCHES)) and sought.startswith(text[1:])
        return NOTHING if seeks or any(sign + sought in echoed for sign in VI_SEARCHES) else None

    # --- it stands at a prompt

    def _nothing_but_the_next_prompt(self, case: Case) -> Verdict | None:
        """A question got one line, of which nothing was shown: what stands below is the next prompt, of several lines."""
        typed, block = case.typed, case.block
        if block is None or "\n" not in block.text or case.matching or self._prompts.find(block.prompt) is not None:
            return None
        one_line = typed.known and typed.printed and "\n" not in typed.edited
        return blind(block.prompt) if one_line and not follows(typed.keys, case.echoed) else None

    def _emptied(self, case: Case) -> Verdict | None:
        """A search found nothing at a prompt that is known, or what was shown there was wiped again: so it is no secret."""
        stood, typed = case.at_prompt, case.typed
        if stood is None or stood.text.strip() or not typed.printed or not self._is_prompt(stood.prompt):
            return None
        shown = case.echoed.replace(stood.prompt.rstrip(), "").strip() and not echoes(typed.edited, case.echoed)
        return NOTHING if typed.searched or shown else None

    def _as_typed(self, case: Case) -> Verdict | None:
        """The screen has what the keys say. Where they do not say all, it has more."""
        matching, stood = case.matching, case.stood
        if matching is None or (stood and (not case.typed.known or _is_part(matching, stood.text))):
            return None
        if "\n" in matching.text and not matching.prompt.strip():
            return matching._replace(prompt=self._rows.from_last_prompt(self._rows.since_left())[0])
        return self._with_indent(matching)

    def _as_it_stood(self, case: Case) -> Verdict | None:
        """It stood there, as the keys say, when Enter was pressed: since then an editor of blocks drew all rows."""
        stood, text = case.entered.line_at_enter, case.typed.edited
        found = self._prompts.find(stood)
        if not (case.typed.known and text.strip()):
            return None
        if found:
            return Verdict(text, found.text) if stood.rstrip() == found.text + text.rstrip() else None
        prompt = (case.entered.prompt or "").rstrip()
        at_prompt = prompt and case.line.startswith(prompt) and stood.startswith(prompt)
        return Verdict(text, f"{prompt} ") if at_prompt and stood[len(prompt) :].strip() == text.strip() else None

    def _only_what_came_after(self, case: Case) -> Verdict | None:
        """All that stands behind a question came after the Enter, which moved nothing: the same question again, for instance.
        At a prompt it is what a command says that was typed without an echo: nothing of its keys is in it."""
        typed, stood, after = case.typed, case.stood, self._echo.after
        if stood is None or not stood.text.strip() or not after.rstrip().endswith(stood.text.strip()):
            return None
        if not (typed.known and typed.printed):
            return None
        unseen = (
            case.entered.prompt is not None
            and case.echoed.strip() == after.strip()
            and not follows(typed.keys, case.echoed)
        )
        return blind(stood.prompt) if unseen or self._prompts.find(stood.prompt) is None else None

    def _reconciled(self, case: Case) -> Verdict | None:
        if case.stood is None:
            return None
        stood = self._rows.without_padding(case.stood, case.typed)
        return reconciled(case.typed, stood, case.echoed, tangled=self._echo.measure.counts_colours)

    # --- it stands at no prompt that is known

    def _recalled(self, case: Case) -> Verdict | None:
        """The keys do not tell it, and what it stands at looks like a prompt."""
        guessed = case.guessed
        seen = guessed and guessed.text.strip() and not case.typed.known and not case.typed.searched
        if guessed is None or not seen:
            return None
        edited, prompt = case.typed.edited.rstrip(), self._prompt_at_first(case)
        if case.typed.recalled and prompt and len(edited) > len(guessed.text) and case.line.endswith(edited):
            return Verdict(edited, prompt)  # that is in what was recalled
        return Verdict(guessed.text, guessed.prompt)

    def _at_continuation(self, case: Case) -> Verdict | None:
        """At the shell's prompt for one more line, which nothing has taught yet."""
        asks = CONTINUED.match(case.line)
        text = case.line[asks.end() :] if asks and self._prompts.in_shell else ""
        keys = case.typed.keys.translate(NO_BLANKS)
        if asks is None or number_alike(keys, text.translate(NO_BLANKS)) < FEWEST_ALIKE:
            return None
        return Verdict(text, asks.group(), sure=not case.typed.known)

    def _echoed_alone(self, case: Case) -> Verdict | None:
        """A prompt and what was typed at it were shown, nothing else, however they were drawn over since: the last keys,
        for a program that was left by some got those before."""
        prompt, shown = self._prompt_at_first(case), case.echoed
        if case.entered.prompt is None and (found := self._prompts.find(shown)):
            prompt, shown = found.text, found.behind(shown)
        shown = shown.translate(NO_BLANKS)
        for text in (case.typed.edited, case.typed.plain) if case.typed.known and prompt and len(shown) > 1 else ():
            if text.translate(NO_BLANKS).endswith(shown):
                return Verdict(last(text, len(shown)), prompt)
        return None

    def _prompt_at_first(self, case: Case) -> str:
        """What stood before the first key, if it looks like a prompt; it may be drawn over since."""
        found = self._prompts.find(case.entered.prompt or "")
        return found.text if found else ""

    def _last_answer(self, case: Case) -> Verdict | None:
        """The end of the keys answers the question that stands there; others took those before it, one by one."""
        keys = case.typed.edited
        if not case.typed.known or self._prompt_at_first(case):
            return None
        for start in range(1, min(len(keys), LONGEST_ANSWER)):
            question = case.line.removesuffix(keys[start:])
            if question != case.line and QUESTION.search(question) and (start == 1 or keys[:start] not in question):
                return Verdict(keys[start:], question)
        return None

    def _given_back(self, case: Case) -> Verdict | None:
        """It was typed blind, and a console then showed the value that it has: after the Enter, or in quotes."""
        typed, shown = case.typed, case.echoed.strip()
        if not (typed.known and typed.printed) or self._prompts.find(case.line) is not None:
            return None
        after = case.entered.prompt is not None and shown == self._echo.after.strip()
        return blind(case.line) if after or only_in_quotes(typed.edited, shown) else None

    def _echoed(self, case: Case) -> Verdict | None:
        """All of it was shown, in whatever else."""
        for text in (case.typed.edited, case.typed.plain):
            if echoes(text, case.echoed):
                found = self._prompts.find(case.line) or self._prompts.find(case.echoed)
                return Verdict(text, self._prompt_at_first(case) or (found.text if found else ""))
        return None

    def _guessed(self, case: Case) -> Verdict | None:
        """What looks like a prompt is one, unless it is what is left of the one at which it was typed."""
        if case.guessed is None or not case.guessed.text.strip():
            return None
        prompt = self._prompt_at_first(case)
        if prompt and self._drawn_over(case.typed, prompt, case.guessed):
            return Verdict(case.typed.edited, prompt, sure=False)
        return reconciled(case.typed, case.guessed, case.echoed, tangled=self._echo.measure.counts_colours)

    def _drawn_over(self, typed: Typed, prompt: str, seems: Stood) -> bool:
        differs = not self._prompts.same(prompt, seems.prompt)
        alike = seems.prompt[-FEWEST_SHOWN:] == prompt[-FEWEST_SHOWN:]
        return (
            differs and alike and WILD not in typed.edited and any(word in typed.edited for word in seems.text.split())
        )

    def _echoed_in_part(self, case: Case) -> Verdict | None:
        """It was typed where its keys are shown, so no secret: at a prompt, in a search, or they came one by one."""
        typed, echoed = case.typed, case.echoed
        at_prompt = echoed.strip() and self._prompts.learnt(case.entered.prompt or echoed)
        if at_prompt or typed.searched or follows(typed.keys, echoed) or ends_alike(typed.edited, echoed):
            return Verdict(typed.edited.replace(WILD, ""), case.entered.prompt or "", sure=False)
        return None

    def _left_in_part(self, case: Case) -> Verdict | None:
        """Some of it stands there still: its end, or what is in the window of an editor that scrolls sideways, between `<`
        and `>`; or all of it, only moved."""
        line, edited = case.line, case.typed.edited
        part = line.strip("<> ")
        within = len(part) >= FEWEST_SHOWN and part in edited
        left = (
            within
            or (len(edited) > FEWEST_SHOWN and line.endswith(edited[-FEWEST_SHOWN:]))
            or (case.typed.printed and same_but_blanks(edited, line))
        )
        sure = within and line.startswith("<") and case.typed.known
        return Verdict(edited, "", sure=sure) if left else None

    def _interrupted(self, case: Case) -> Verdict | None:
        """It was begun in a row above, and went on in each row below: a job wrote in the midst of it."""
        edited = case.typed.edited
        prompt, rows = self._rows.from_last_prompt(self._rows.since_left())
        if not (case.typed.known and prompt) or len(edited) > SHORT_LINE:
            return None
        went_on = goes_on_in([rows[0][len(prompt) :], *rows[1:], case.line], edited)
        return Verdict(edited, prompt) if went_on else None

    # --- nothing of it was shown

    def _single_key(self, case: Case) -> Verdict | None:
        """Any key would have done."""
        return NOTHING if len(case.typed.keys.strip()) == 1 and not SECRETS.search(case.line) else None

    def _unseen(self, case: Case) -> Verdict | None:
        return blind(case.line) if case.typed.printed else None

    def unseen(self, typed: Typed) -> Verdict:
        """Nothing was shown until the Enter after it."""
        return blind("") if typed.printed and typed.keys[0] not in SEARCHES else NOTHING


def _is_part(matching: Verdict, text: str) -> bool:
    """The keys' line is only the end of what stands at the prompt: more came from elsewhere, and it was not drawn twice."""
    more = text.removesuffix(matching.text).strip()
    longer = len(text.translate(NO_BLANKS)) > len(matching.text.translate(NO_BLANKS))
    return longer and "\n" not in matching.text and not (more and matching.text.startswith(more))


def _draws_by_column(typed: str) -> bool:
    """An editor moved to a column after it had shown something."""
    shown = SHOWN.search(typed)
    return shown is not None and DRAWS_BY_COLUMN.search(typed, shown.end()) is not None
