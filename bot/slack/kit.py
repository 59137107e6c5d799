"""Block Kit, as little of it as we use. Text of others goes into `plain`, `bold` and `code`, which Slack shows letter by letter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any, TypeVar

from bot.literal import shortened, visible

Block = dict[str, Any]
Element = dict[str, Any]
Part = TypeVar("Part")

# Slack refuses a message whose blocks sum up to about 13,000 characters and does not tell how it counts: this is for JSON with
# everything but ASCII escaped, the longest form there is, and leaves room for a title and notes.
BUDGET = 10_000
NAME_LIMIT = 80
TEXT_LIMIT = 800


def within(budget: int, parts: Iterable[Part]) -> Iterator[Part]:
    """The first parts whose JSON stays under `budget` characters together."""
    for part in parts:
        budget -= len(json.dumps(part)) + len(", ")
        if budget < 0:
            return
        yield part


# Literal text


def rich(*elements: Element) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def line(*elements: Element) -> Element:
    return {"type": "rich_text_section", "elements": list(elements)}


def bullets(items: list[Element]) -> Element:
    return {"type": "rich_text_list", "style": "bullet", "elements": items}


def preformatted(text: str) -> Element:
    return {"type": "rich_text_preformatted", "elements": [plain(text)]}


def plain(text: str) -> Element:
    return {"type": "text", "text": "\n".join(map(visible, text.split("\n")))}


def bold(text: str) -> Element:
    return {**plain(text), "style": {"bold": True}}


def code(text: str) -> Element:
    return {"type": "text", "text": visible(text), "style": {"code": True}}


def link(url: str, text: str) -> Element:
    return {"type": "link", "url": url, "text": text}


def user(user_id: str) -> Element:
    return {"type": "user", "user_id": user_id}


def prose(text: str) -> list[Element]:
    """A sentence of ours; what stands between backticks is code."""
    parts = text.split("`")
    # A backtick without its fellow is a backtick.
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    pairs = zip_longest(parts[::2], parts[1::2], fillvalue="")
    return [each for words, quoted in pairs for each in (plain(words), code(quoted)) if each["text"]]


# mrkdwn, and the `text` of a message, which is read as mrkdwn too


def mrkdwn(text: str) -> Block:
    # `verbatim`: no address or name in it is made a link.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def context(*texts: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": " · ".join(texts), "verbatim": True}]}


def escaped(text: str) -> str:
    """A recorded `<!channel>` pings nobody."""
    return visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escaped_code(text: str, limit: int = NAME_LIMIT) -> str:
    return f"`{escaped(shortened(visible(text), limit)).replace('`', 'ˋ')}`"


def escaped_name(text: str) -> str:
    """As code where Slack could read more than a name into it."""
    return text if _PLAIN_NAME.fullmatch(text) and len(text) <= NAME_LIMIT else escaped_code(text)


_PLAIN_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 _-]*[A-Za-z0-9])?")


def joined(first: str, *others: str) -> str:
    """Parts that were escaped one by one: cut between them, for a cut inside could leave half an entity."""
    text = first
    for other in filter(None, others):
        if len(text) + len(other) > TEXT_LIMIT:
            return f"{text} …"
        text = f"{text} · {other}"
    return text


# What can be pressed


def actions(*elements: Element) -> Block:
    return {"type": "actions", "elements": list(elements)}


def button(text: str, action_id: str, value: str, label: str) -> Element:
    """`label` is what a screen reader says, at most 75 characters; `value` comes back when it is pressed, at most 2,000."""
    return {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": text, "emoji": False},
        "value": value,
        "accessibility_label": shortened(visible(label), 75),
    }
