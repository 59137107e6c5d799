"""One story a session: structured events by its key, never its content.

JSON lines on Scalingo, where machines read them; plain lines on a terminal. Whatever library logs goes through the same end.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import structlog

from bot.literal import visible

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

# These tell of each request; httpx and aiohttp with its address, Bolt with its body.
_QUIET = (
    "httpx",
    "httpcore",
    "aiohttp",
    "slack_sdk",
    "slack_bolt",
    "alembic",
    "sqlalchemy",
    "pgqueuer",
    "aiosqlite",
    "psycopg",
    "asyncio",
)


def log() -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger("bot")
    return logger


def configure(
    *, as_json: bool, secrets: Iterable[str] = (), mask: Callable[[str], str] = str, level: str = "INFO"
) -> None:
    """`secrets` are struck out of every line, whoever wrote it; what libraries say goes through `mask` as well."""

    def masked(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["event"] = mask(str(event["event"]))
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: Processor = structlog.processors.JSONRenderer() if as_json else _line
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, masked],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _only_the_name_of_an_exception,
                _Strike(secrets),
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


def _only_the_name_of_an_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A traceback's last line may quote what was being worked on: a query's values, a line of a session."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = type(error).__qualname__
        event["at"] = _place(error)
    return event


def _place(error: BaseException) -> str:
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return f"{place.tb_frame.f_globals.get('__name__')}:{place.tb_lineno}" if place is not None else ""


class _Strike:
    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= 6}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        text = str(value)
        if self._known is not None:
            text = self._known.sub("••••••", text)
        # Else a terminal that shows our log would act upon it, and one event could look like two.
        return visible(text)


def _line(_: WrappedLogger, __: str, event: EventDict) -> str:
    time, level, what = (str(event.pop(key, "")) for key in ("timestamp", "level", "event"))
    facts = " ".join(f"{key}={value}" for key, value in event.items())
    return f"{time[11:19]} {level:<7} {what} {facts}".rstrip()
