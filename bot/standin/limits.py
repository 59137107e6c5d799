"""What Slack refuses in a message's blocks (api.slack.com/reference/block-kit), for the stand-in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

Block = dict[str, Any]

MOST_BLOCKS = 50
MOST_CHARACTERS = 13_000
_RICH_ELEMENTS = {"broadcast", "channel", "color", "date", "emoji", "link", "team", "text", "user", "usergroup"}


def complaints(blocks: Any) -> tuple[str, list[str]] | None:
    """Slack's error code and its explanations, or None where the blocks would be shown."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        return "invalid_blocks_format", ["blocks is not a list of objects"]
    faults = list(_faults(blocks))
    if faults:
        return "invalid_blocks", faults
    if len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) > MOST_CHARACTERS:
        return "msg_blocks_too_long", [f"more than {MOST_CHARACTERS} characters of blocks"]
    return None


def _faults(blocks: list[Block]) -> Iterator[str]:
    if len(blocks) > MOST_BLOCKS:
        yield f"no more than {MOST_BLOCKS} items allowed [json-pointer:/blocks]"
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        yield "block_ids must be unique"
    for number, block in enumerate(blocks):
        check = _CHECKS.get(block.get("type", ""))
        where = f"[json-pointer:/blocks/{number}]"
        if check is None:
            yield f"unsupported type: {block.get('type')} {where}"
            continue
        if len(str(block.get("block_id", ""))) > 255:
            yield f"block_id must be less than 256 characters {where}"
        yield from (f"{fault} {where}" for fault in check(block))


def _section(block: Block) -> Iterator[str]:
    fields = block.get("fields", [])
    if "text" not in block and not fields:
        yield "a section needs text or fields"
    if "text" in block:
        yield from _text(block["text"], 3000)
    if len(fields) > 10:
        yield "no more than 10 fields allowed"
    for field in fields:
        yield from _text(field, 2000)
    if "accessory" in block:
        yield from _element(block["accessory"])


def _header(block: Block) -> Iterator[str]:
    yield from _text(block.get("text"), 150, plain=True)


def _context(block: Block) -> Iterator[str]:
    elements = block.get("elements") or []
    if not 1 <= len(elements) <= 10:
        yield "a context needs 1 to 10 elements"
    for element in elements:
        if element.get("type") != "image":
            yield from _text(element, 3000)


def _actions(block: Block) -> Iterator[str]:
    elements = block.get("elements") or []
    if not 1 <= len(elements) <= 25:
        yield "actions need 1 to 25 elements"
    ids = [element.get("action_id") for element in elements if "action_id" in element]
    if len(ids) != len(set(ids)):
        yield "action_ids must be unique in their block"
    for element in elements:
        yield from _element(element)


def _element(element: Block) -> Iterator[str]:
    if element.get("type") != "button":
        yield f"unsupported element: {element.get('type')}"
        return
    yield from _text(element.get("text"), 75, plain=True)
    for name, limit in (("action_id", 255), ("value", 2000), ("url", 3000)):
        if not isinstance(element.get(name, ""), str) or len(element.get(name, "")) > limit:
            yield f"{name} must be a string of at most {limit} characters"
    if element.get("style", "primary") not in {"primary", "danger"}:
        yield "a button's style is primary or danger"


def _rich_text(block: Block) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, list):
        yield "rich_text needs elements"
        return
    for element in elements:
        yield from _rich_part(element)


def _rich_part(part: Block) -> Iterator[str]:
    elements = part.get("elements") or []
    match part.get("type"):
        case "rich_text_section" | "rich_text_quote":
            yield from _rich_elements(elements, _RICH_ELEMENTS)
        case "rich_text_preformatted":
            yield from _rich_elements(elements, {"text", "link"})
        case "rich_text_list":
            if part.get("style") not in {"bullet", "ordered"}:
                yield "a list's style is bullet or ordered"
            for element in elements:
                yield from _rich_part(element)
        case other:
            yield f"unsupported rich_text element: {other}"


def _rich_elements(elements: list[Block], allowed: set[str]) -> Iterator[str]:
    for element in elements:
        kind = element.get("type")
        if kind not in allowed:
            yield f"unsupported element: {kind}"
        elif kind == "text" and not (isinstance(element.get("text"), str) and element["text"]):
            yield "must be more than 0 characters"
        elif kind == "link" and not element.get("url"):
            yield "a link needs its url"


def _text(text: Any, limit: int, *, plain: bool = False) -> Iterator[str]:
    kinds = {"plain_text"} if plain else {"plain_text", "mrkdwn"}
    if not isinstance(text, dict) or text.get("type") not in kinds or not isinstance(text.get("text"), str):
        yield f"a text object of type {' or '.join(sorted(kinds))} is needed"
    elif not 1 <= len(text["text"]) <= limit:
        yield f"must be between 1 and {limit} characters"


def _nothing(_block: Block) -> Iterator[str]:
    return iter(())


_CHECKS: dict[str, Callable[[Block], Iterator[str]]] = {
    "actions": _actions,
    "context": _context,
    "divider": _nothing,
    "header": _header,
    "rich_text": _rich_text,
    "section": _section,
}
