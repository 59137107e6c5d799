"""The times of records: RFC 3339, with nanoseconds, which Python reads to the microsecond."""

from __future__ import annotations

from datetime import datetime


def moment_of(time: str) -> datetime | None:
    try:
        return datetime.fromisoformat(time)
    except ValueError:
        return None


def seconds_between(first: datetime | None, last: datetime | None) -> float:
    """0 where one of them is not known, or only one says how far from UTC it is."""
    try:
        return (last - first).total_seconds() if first and last else 0.0
    except TypeError:
        return 0.0
