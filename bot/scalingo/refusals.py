"""Every answer that is no success, as an error with its sentence: what the API's documentation says of each status."""

from __future__ import annotations

import re
from collections.abc import Mapping

import orjson

from bot.errors import (
    BotError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    PaymentRequired,
    Rejected,
    TokenRefused,
    Unreachable,
)

# Safe to send again: done twice is as good as done once.
REPEATABLE = {"GET", "PATCH", "DELETE"}

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_ADDRESS = re.compile(r"https?://\S+")
_MOST_SAID = 200

_REFUSALS: Mapping[int, tuple[type[BotError], str]] = {
    401: (
        TokenRefused,
        "Scalingo refused the API token: it was deleted, renewed or mistyped; make a new one in the account settings"
        " of its dashboard and put it into SCALINGO_API_TOKEN.",
    ),
    402: (PaymentRequired, "Scalingo wants the account's billing settled first: it refused {about}{said}."),
    403: (
        Forbidden,
        "The bot's account at Scalingo may not have {about}{said}: make it a collaborator who is not limited.",
    ),
    404: (Gone, "Scalingo does not know {about}: is the name right, and is it in that region?"),
    409: (Conflict, "Scalingo refused {about} because of the state it is in{said}."),
    422: (Invalid, "Scalingo finds a field wrong in the request for {about}{said}."),
}
_REDIRECT = (
    "Scalingo answered the request for {about} with a redirect ({status}), which is never followed:"
    " check SCALINGO_API_URL and SCALINGO_AUTH_URL."
)
_FAULT = "Scalingo has a problem of its own ({status}) and could not give {about}{said}: try again in a moment."
_OTHER = "Scalingo refused {about} with status {status}{said}."


def refusal(status: int, message: str, about: str, method: str = "GET") -> BotError:
    """The error for an answer that is no success. `message` is the API's own, cleaned, or empty."""
    kind, sentence = _REFUSALS.get(status, (Rejected, _REDIRECT if 300 <= status < 400 else _OTHER))
    said = f" (it says: {message})" if message else ""
    if status >= 500:
        return Unreachable(_FAULT.format(about=about, said=said, status=status), maybe_done=method not in REPEATABLE)
    return kind(sentence.format(about=about, said=said, status=status))


def message(body: bytes) -> str:
    """What the API says of an error, where it says it in JSON: one short line without addresses."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(answer, dict):
        return ""
    parts = [answer["error"]] if isinstance(answer.get("error"), str) else []
    errors = answer.get("errors")
    if isinstance(errors, dict):
        parts += [
            f"{name} {', '.join(map(str, each if isinstance(each, list) else [each]))}" for name, each in errors.items()
        ]
    message = _ADDRESS.sub("(address)", " ".join(_UNSEEN.sub(" ", "; ".join(parts)).split()))
    return message if len(message) <= _MOST_SAID else message[:_MOST_SAID] + "…"
