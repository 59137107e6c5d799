"""How alike what was typed and what was shown are. Blanks hardly count: editors draw them in many ways, or not at all.

A `text` that was typed may hold WILD; `echoed` is all that was shown while it was typed, in the order in which it came.
"""

from __future__ import annotations

from bot.reading.keys import WILD

NO_BLANKS = str.maketrans("", "", " \n\r\t")
FEWEST_SHOWN = 8  # characters that no question and its answer have in common
FEWEST_ALIKE = 3
LONGEST_KEYS = 1000


def number_alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(one), len(other)))


def same_but_blanks(one: str, other: str) -> bool:
    return one.translate(NO_BLANKS) == other.translate(NO_BLANKS)


# --- with a line, as it stands


def begins_over_its_prompt(typed: str, row: str) -> bool:
    """`row` ends as what was typed begins: where colours are counted it may stand over its own prompt."""
    begin = typed[:FEWEST_SHOWN]
    at = row.find(begin) if len(begin) == FEWEST_SHOWN and WILD not in begin else -1
    return at >= 0 and typed.startswith(row[at:])


def fills(typed: str, text: str) -> bool:
    """`text` is what was `typed`, with anything in place of each WILD."""
    first, *others = typed.split(WILD)
    if not others or not text.startswith(first):
        return typed == text
    at = len(first)
    *middle, last = others
    for part in middle:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - at >= len(last) and text.endswith(last)


def begin_of_words(words: list[str], line: str) -> int | None:
    """Where the words begin that `line` ends with, however many blanks part them."""
    at = len(line)
    for number, word in enumerate(reversed(words)):
        end = len(line[:at].rstrip()) if number else at
        if (number and end == at) or not line.endswith(word, 0, end):
            return None
        at = end - len(word)
    return at


def goes_on_in(rows: list[str], text: str) -> bool:
    """Each row begins with some of `text`, where the one above stopped, and together they have all of it."""
    ends = {0}
    for row in rows:
        # What else stands in a row may begin as the rest of the text does.
        ends = {end + more for end in ends for more in range(number_alike(row, text[end:]) + 1)}
    return len(text) in ends


def last(text: str, count: int) -> str:
    """The end of `text` that holds `count` characters beside blanks."""
    at = len(text)
    while count and at:
        at -= 1
        count -= text[at] not in " \n\r\t"
    return text if not text[:at].strip() else text[at:]


def shares(keys: str, line: str) -> bool:
    """Some of the keys stand there as they were pressed."""
    return any(keys[at : at + FEWEST_SHOWN] in line for at in range(len(keys[:LONGEST_KEYS]) - FEWEST_SHOWN + 1))


# --- with what was shown, however it was drawn over since


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
        taken = number_alike(rest, echoed[at : at + len(rest)])
        at += taken
        rest = rest[taken:]
        pieces += 1
        if pieces > 2 + len(wanted) // 24:
            return False
    return True


def only_in_quotes(text: str, echoed: str) -> bool:
    """It stands there, and everywhere in quotes, as consoles show a value."""
    quoted = sum(echoed.count(f"{quote}{text}{quote}") for quote in "\"'")
    return quoted > 0 and quoted == echoed.count(text)


def ends_alike(text: str, echoed: str) -> bool:
    """What was shown last is the end of `text`: more than a question and a secret have in common."""
    end = echoed.translate(NO_BLANKS)[-FEWEST_ALIKE:]
    return len(end) == FEWEST_ALIKE and text.translate(NO_BLANKS).endswith(end)


def follows(keys: str, echoed: str) -> bool:
    """The screen showed each key as it was pressed, among what else it redrew, and not much of that."""
    wanted = keys.translate(NO_BLANKS)
    if not wanted or len(echoed) > 12 * len(wanted) + 40:
        return False
    shown = iter(echoed)
    return all(key in shown for key in wanted)
