"""A session, as every room speaks of it: one run of a one-off container, known by its run event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SessionKey:
    """What makes a session one: an app is followed by its id, for its name may change."""

    region: str
    app_id: str
    event_id: str

    def __str__(self) -> str:
        return f"{self.region}/{self.app_id}/{self.event_id}"


@dataclass(frozen=True, slots=True)
class Session:
    """`command` is what may be shown of it: masked, a console by its name; empty where a Scalingo operator ran it."""

    key: SessionKey
    app_name: str
    started_at: datetime
    user_name: str
    user_email: str
    command: str
    audit_log_id: str | None
    audit_log_size: int | None
    detached: bool = False

    @property
    def by_operator(self) -> bool:
        return not self.command and self.user_email.casefold() == "deploy@scalingo.com"
