"""What there is at Scalingo, for its stand-in: apps, who works on them, what ran, and what was recorded of it."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# As the API shows it; a test may look into it, and spoil it.
Event = dict[str, Any]

DEFAULT_REGION = "osc-fr1"


@dataclass
class App:
    id: str
    name: str
    region: str
    owner: dict[str, str]
    created_at: datetime
    collaborators: list[dict[str, Any]] = field(default_factory=list)
    notifiers: list[dict[str, Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    logs: dict[str, bytes | Path] = field(default_factory=dict)


def user(email: str) -> dict[str, str]:
    name = email.partition("@")[0]
    return {"username": name, "email": email, "id": f"us-{zlib.crc32(email.encode()):08x}-0000-4000-8000-000000000000"}


class Account:
    """Everything that the bot's account may see. Where an `app` is asked for, its name or its id does."""

    def __init__(self) -> None:
        self.apps: list[App] = []
        self.regions = [DEFAULT_REGION]

    def app(self, name: str, *, owner: str = "ada@example.com", region: str = DEFAULT_REGION) -> App:
        if region not in self.regions:
            self.regions.append(region)
        app = App(secrets.token_hex(12), name, region, user(owner), datetime.now(UTC))
        self.apps.append(app)
        return app

    def collaborator(
        self, app: str, email: str, *, status: str = "accepted", is_limited: bool = False
    ) -> dict[str, Any]:
        of = self._named(app)
        accepted = status == "accepted"
        collaborator = {
            "id": secrets.token_hex(12),
            "email": email,
            "user_id": user(email)["id"] if accepted else None,
            "username": user(email)["username"] if accepted else "n/a",
            "tfa_status": True if accepted else None,
            "status": status,
            "is_limited": is_limited,
            "invitation_link": "",
            "app_id": of.id,
            "app_name": of.name,
        }
        of.collaborators.append(collaborator)
        return collaborator

    def ran(
        self,
        command: str,
        *,
        app: str,
        by: str = "ada@example.com",
        log: bytes | Path | None = None,
        at: datetime | None = None,
        audit_log_id: str | None = None,
        without: Iterable[str] = (),
        **overrides: object,
    ) -> Event:
        """A one-off container ran. Without `log` its audit log is not there yet, and its size not known.

        `without` drops fields of type_data, `overrides` sets them.
        """
        of = self._named(app)
        type_data = {
            "command": command,
            "audit_log_id": audit_log_id or f"{secrets.token_hex(3)}-{secrets.token_hex(8)}",
            "audit_log_size": None if log is None else _size(log),
            "detached": False,
            **overrides,
        }
        left_out = {*without, *(name for name, value in type_data.items() if value is None)}
        event = self.event(
            of, "run", by, at, {name: value for name, value in type_data.items() if name not in left_out}
        )
        of.events.append(event)
        if log is not None and "audit_log_id" in event["type_data"]:
            of.logs[event["type_data"]["audit_log_id"]] = log
        return event

    def happened(
        self, kind: str, *, app: str, by: str = "ada@example.com", at: datetime | None = None, **type_data: object
    ) -> Event:
        """Any other event, a deployment for instance."""
        of = self._named(app)
        event = self.event(of, kind, by, at, type_data)
        of.events.append(event)
        return event

    def log(self, event: Event, log: bytes | Path) -> None:
        """The audit log of `event` is there now, or has grown; the event that the API lists tells its new size."""
        self._named(event["app_id"]).logs[event["type_data"]["audit_log_id"]] = log
        event["type_data"]["audit_log_size"] = _size(log)

    def rename(self, app: str, name: str) -> None:
        self._named(app).name = name

    def transfer(self, app: str, owner: str) -> None:
        self._named(app).owner = user(owner)

    def remove(self, app: str) -> None:
        self.apps.remove(self._named(app))

    def notifiers(self, app: str) -> list[dict[str, Any]]:
        return self._named(app).notifiers

    def _named(self, name: str) -> App:
        return next(app for app in reversed(self.apps) if name in {app.name, app.id})

    def event(self, app: App, kind: str, by: str, at: datetime | None, type_data: dict[str, Any]) -> Event:
        return {
            "id": secrets.token_hex(12),
            "created_at": (at or datetime.now(UTC)).isoformat(),
            "user": user(by),
            "app_id": app.id,
            # As at Scalingo: the name at that moment, which does not follow a rename.
            "app_name": app.name,
            "type": kind,
            "type_data": type_data,
        }


def _size(log: bytes | Path) -> int:
    return len(log) if isinstance(log, bytes) else log.stat().st_size
