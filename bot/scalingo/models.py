"""What Scalingo's API tells us, as values: unknown fields are ignored, missing ones tolerated as its documentation says."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

AUDIT_LOG_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
# A name or an id: both stand in the same place of a path.
APP = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
NOTIFIER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,127}")


def _text(value: object) -> str:
    """PostgreSQL takes no NUL, and a lone surrogate (JSON can escape one) has no UTF-8."""
    if not isinstance(value, str):
        return ""
    return value.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _instant(value: object) -> datetime:
    """RFC 3339, nanoseconds cut to microseconds; without an offset it is UTC."""
    if not isinstance(value, str):
        msg = "is no date"
        raise ValueError(msg)
    instant = datetime.fromisoformat(value)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _instant_or_none(value: object) -> datetime | None:
    try:
        return _instant(value)
    except ValueError:
        return None


def _must_match(pattern: re.Pattern[str]) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            msg = "is no id"
            raise ValueError(msg)
        return value

    return check


def _audit_log_id(value: object) -> str | None:
    return value if isinstance(value, str) and AUDIT_LOG_ID.fullmatch(value) else None


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _flag_or(default: bool) -> Callable[[object], bool]:
    return lambda value: value if isinstance(value, bool) else default


def _texts(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _object(value: object) -> object:
    return value if isinstance(value, dict) else {}


Text = Annotated[str, BeforeValidator(_text)]
Instant = Annotated[datetime, BeforeValidator(_instant)]


class _Resource(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class User(_Resource):
    """All empty where an event has none: a restart by an add-on, for instance."""

    username: Text = ""
    email: Text = ""
    id: Text = ""


class RunEvent(_Resource):
    """A one-off container was run. `app_name` is the name at that moment; `command` is empty where an operator ran it."""

    id: Annotated[str, BeforeValidator(_must_match(AUDIT_LOG_ID))]
    created_at: Instant
    user: Annotated[User, BeforeValidator(_object)] = User()
    app_id: Text = ""
    app_name: Text = ""
    command: Text = ""
    audit_log_id: Annotated[str | None, BeforeValidator(_audit_log_id)] = None
    audit_log_size: Annotated[int | None, BeforeValidator(_size)] = None
    detached: Annotated[bool | None, BeforeValidator(_flag)] = None

    @model_validator(mode="before")
    @classmethod
    def _lift_type_data(cls, event: Any) -> Any:
        if not isinstance(event, dict):
            return event
        type_data = event.get("type_data")
        return event | type_data | _base_of(event) if isinstance(type_data, dict) else event


def _base_of(event: dict[str, Any]) -> dict[str, Any]:
    """The event's own fields win over a field of type_data with the same name."""
    return {name: event[name] for name in ("id", "created_at", "user", "app_id", "app_name") if name in event}


def run_events(entries: object) -> tuple[list[RunEvent], int]:
    """The run events of a page in its order, and how many entries were skipped because they are malformed."""
    if not isinstance(entries, list):
        return [], 1
    events: list[RunEvent] = []
    skipped = 0
    for entry in entries:
        kind = entry.get("type") if isinstance(entry, dict) else None
        if isinstance(kind, str) and kind != "run":
            continue
        try:
            events.append(RunEvent.model_validate(entry if kind == "run" else None))
        except ValidationError:
            skipped += 1
    return events, skipped


class App(_Resource):
    id: Annotated[str, BeforeValidator(_must_match(APP))]
    name: Annotated[str, BeforeValidator(_must_match(APP))]
    region: Text = ""
    owner: Annotated[User, BeforeValidator(_object)] = User()


class Collaborator(_Resource):
    """What is missing counts against the collaborator: limited, and not accepted."""

    email: Text = ""
    status: Text = ""
    is_limited: Annotated[bool, BeforeValidator(_flag_or(True))] = True


class Notifier(_Resource):
    """`webhook_url` is empty for other platforms than webhook; whoever knows it can call us, so it is never shown."""

    id: Annotated[str, BeforeValidator(_must_match(NOTIFIER_ID))]
    name: Text = ""
    active: Annotated[bool, BeforeValidator(_flag_or(False))] = False
    platform_id: Text = ""
    app_id: Text = ""
    send_all_events: Annotated[bool, BeforeValidator(_flag_or(False))] = False
    selected_event_ids: Annotated[tuple[str, ...], BeforeValidator(_texts)] = ()
    webhook_url: Text = Field(default="", repr=False)
    created_at: Annotated[datetime | None, BeforeValidator(_instant_or_none)] = None

    @model_validator(mode="before")
    @classmethod
    def _lift_webhook_url(cls, notifier: Any) -> Any:
        if not isinstance(notifier, dict):
            return notifier
        type_data = notifier.get("type_data")
        return notifier | {"webhook_url": type_data.get("webhook_url") if isinstance(type_data, dict) else ""}


class Named(_Resource):
    """A notification platform or an event type."""

    id: Text = ""
    name: Text = ""


class Region(_Resource):
    name: Text = ""
    api: Text = ""


_Kind = TypeVar("_Kind", bound=_Resource)


def valid(kind: type[_Kind], entries: object) -> list[_Kind]:
    """The entries of a list that can be understood; a malformed one costs only itself."""
    understood: list[_Kind] = []
    for entry in entries if isinstance(entries, list) else ():
        with contextlib.suppress(ValidationError):
            understood.append(kind.model_validate(entry))
    return understood
