"""The tables. Times are seconds since the epoch, as floats; a NULL `done_at` or `finished_at` means that it is still owed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)

# SQLite numbers rows by itself only where the type is INTEGER to the letter.
_Id = BigInteger().with_variant(Integer, "sqlite")


class Words(TypeDecorator[str]):
    """Text of any length. What others wrote may hold what no database takes: NUL, half of a surrogate pair."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return value and value.encode("utf-8", "replace").decode().replace("\0", "?")


def _leased() -> tuple[Column[str], Column[float]]:
    """Who works on a row, and until when the others keep away from it."""
    return (
        Column("lease_owner", Words, nullable=False, server_default=""),
        Column("lease_until", Float(53), nullable=False, server_default="0"),
    )


def _attempted() -> tuple[Column[float], Column[int], Column[str]]:
    return (
        Column("next_at", Float(53), nullable=False),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("error", Words, nullable=False, server_default=""),
    )


asks = Table(
    "asks",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("key", Words, nullable=False, unique=True),
    Column("kind", Words, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("user", Words, nullable=False),
    Column("channel", Words, nullable=False),
    Column("response_url", Words, nullable=False, server_default=""),
    Column("created_at", Float(53), nullable=False),
    *_attempted(),
    Column("outcome", Words, nullable=False, server_default=""),
    Column("done_at", Float(53)),
    *_leased(),
    Index(None, "done_at", "next_at"),
)

apps = Table(
    "apps",
    metadata,
    Column("region", Words, primary_key=True),
    Column("app_id", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("notifier_id", Words, nullable=False, server_default=""),
    Column("next_poll_at", Float(53), nullable=False, server_default="0"),
    Column("polled_at", Float(53)),
    Column("cursor_at", Float(53)),
    Column("failing_since", Float(53)),
    Column("error", Words, nullable=False, server_default=""),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("region", Words, primary_key=True),
    Column("app_id", Words, primary_key=True),
    Column("channel", Words, primary_key=True),
    Column("user", Words, nullable=False),
    Column("since", Float(53), nullable=False),
    Column("stopped_at", Float(53)),
    Column("reason", Words, nullable=False, server_default=""),
    Index(None, "channel"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("region", Words, primary_key=True),
    Column("app_id", Words, primary_key=True),
    Column("event_id", Words, primary_key=True),
    Column("app_name", Words, nullable=False),
    # As Scalingo wrote it, offset included: a float would lose it.
    Column("started_at", Words, nullable=False),
    Column("started_s", Float(53), nullable=False),
    Column("user_name", Words, nullable=False),
    Column("user_email", Words, nullable=False),
    Column("command", Words, nullable=False),
    Column("audit_log_id", Words),
    Column("audit_log_size", BigInteger),
    Column("detached", Boolean, nullable=False, server_default=false()),
    Column("state", Words, nullable=False, server_default="seen"),
    Column("seen_at", Float(53), nullable=False),
    Column("read_size", BigInteger),
    Column("commands", Integer),
    Column("duration_s", Float(53)),
    Column("recheck_at", Float(53)),
    Column("rechecks", Integer, nullable=False, server_default="0"),
    Index(None, "region", "app_id", "audit_log_id"),
    Index(None, "region", "app_id", "started_s"),
    Index(None, "recheck_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("region", Words, nullable=False),
    Column("app_id", Words, nullable=False),
    Column("event_id", Words, nullable=False),
    Column("channel", Words, nullable=False),
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("cause", Words, nullable=False),
    Column("asked_by", Words, nullable=False, server_default=""),
    Column("ask_id", _Id),
    Column("state", Words, nullable=False, server_default="owed"),
    Column("created_at", Float(53), nullable=False),
    Column("expires_at", Float(53), nullable=False),
    *_attempted(),
    Column("thread", JSON, nullable=False, server_default="{}"),
    Column("finished_at", Float(53)),
    *_leased(),
    UniqueConstraint("region", "app_id", "event_id", "channel", "generation"),
    Index(None, "finished_at", "next_at"),
    Index(None, "channel", "state"),
)

trail = Table(
    "trail",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("at", Float(53), nullable=False, index=True),
    Column("who", Words, nullable=False),
    Column("channel", Words, nullable=False),
    Column("region", Words, nullable=False),
    Column("app", Words, nullable=False),
    Column("session", Words, nullable=False),
    Column("action", Words, nullable=False),
    Column("outcome", Words, nullable=False),
)

marks = Table(
    "marks",
    metadata,
    Column("key", Words, primary_key=True),
    Column("value", Words, nullable=False),
    Column("at", Float(53), nullable=False),
)

rate_slots = Table(
    "rate_slots",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("used_at", Float(53), nullable=False),
)
