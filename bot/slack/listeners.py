"""What Slack sends us: acknowledged at once, and owed from then on. `register` is the table of contents."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from slack_bolt.async_app import AsyncApp

from bot import signing
from bot.errors import BadInput, BotError, Refused
from bot.slack import blocks
from bot.slack.message import Message
from bot.slack.request import (
    AppRef,
    Help,
    ListSessions,
    ReadLast,
    ReadOne,
    Request,
    Subscribe,
    Subscriptions,
    Unsubscribe,
    parse,
)

# Slack waits three seconds for an ack; whatever the store needs longer than this for is not acknowledged.
STORED_WITHIN_S = 2.0
# The kind of ask that a button makes whose value is not ours.
FORGED_BUTTON = "forged_button"

Ack = Callable[..., Awaitable[Any]]


class Asks(Protocol):
    """Where an ask goes: kept before it is acknowledged, handed to a job after."""

    async def keep(
        self, key: str, kind: str, payload: dict[str, Any], *, user: str, channel: str, response_url: str
    ) -> int | None:
        """The ask's id, None where it is known already. Raises StoreDown."""

    async def hand_over(self, ask: int) -> None: ...

    async def joined(self, user: str, channel: str) -> None:
        """Somebody is in a channel from now on, ourselves perhaps."""


class Listeners:
    def __init__(self, asks: Asks, *, default_region: str, button_key: bytes) -> None:
        self._asks = asks
        self._default_region = default_region
        self._button_key = button_key

    def register(self, app: AsyncApp) -> None:
        app.command("/auditlog")(self.command)
        app.action(re.compile(f"{blocks.READ_SESSION}|{blocks.POST_AGAIN}"))(self.button)
        app.event("member_joined_channel")(self.joined)

    async def command(self, ack: Ack, body: Mapping[str, Any]) -> None:
        try:
            request = parse(str(body.get("text", "")), self._default_region)
        except BadInput as error:
            await ack(**_ephemeral(blocks.sentence(str(error))))
            return
        if isinstance(request, Help):
            await ack(**_ephemeral(blocks.help_text()))
            return
        kind, payload = kept_form(request)
        await self._keep(
            ack,
            key=_key(body, "trigger_id"),
            kind=kind,
            payload=payload,
            user=body.get("user_id"),
            channel=body.get("channel_id"),
            response_url=body.get("response_url"),
        )

    async def button(self, ack: Ack, body: Mapping[str, Any], action: Mapping[str, Any]) -> None:
        """The value is believed where we sealed it; what it asks for is checked again for whoever pressed."""
        try:
            kind, payload = "read_event", signing.unseal(self._button_key, str(action.get("value", "")))
        except Refused:
            # Refused by a job like every other, so that the trail has it.
            kind, payload = FORGED_BUTTON, {}
        channel = body.get("channel") or body.get("container") or {}
        await self._keep(
            ack,
            key=_key(body, "trigger_id"),
            kind=kind,
            payload=payload,
            user=(body.get("user") or {}).get("id"),
            channel=channel.get("id") or channel.get("channel_id"),
            response_url=body.get("response_url"),
        )

    async def joined(self, event: Mapping[str, Any]) -> None:
        await self._asks.joined(str(event.get("user", "")), str(event.get("channel", "")))

    async def _keep(
        self,
        ack: Ack,
        *,
        key: str,
        kind: str,
        payload: dict[str, Any],
        user: Any,
        channel: Any,
        response_url: Any,
    ) -> None:
        try:
            async with asyncio.timeout(STORED_WITHIN_S):
                ask = await self._asks.keep(
                    key, kind, payload, user=str(user), channel=str(channel), response_url=str(response_url or "")
                )
        except (BotError, TimeoutError):
            # Nothing was promised: what is not kept must be asked again.
            await ack(**_ephemeral(blocks.sentence("My database does not answer just now: try again in a minute.")))
            return
        await ack()
        if ask is not None:
            await self._asks.hand_over(ask)


def kept_form(request: Request) -> tuple[str, dict[str, Any]]:
    """The kind and the payload under which the store keeps a request."""
    match request:
        case ReadOne(AppRef(region, app), audit_log_id):
            return "read_one", {"region": region, "app": app, "audit_log_id": audit_log_id}
        case ReadLast(AppRef(region, app)):
            return "read_last", {"region": region, "app": app}
        case ListSessions(AppRef(region, app)):
            return "list_sessions", {"region": region, "app": app}
        case Subscribe(AppRef(region, app)):
            return "subscribe", {"region": region, "app": app}
        case Unsubscribe(AppRef(region, app)):
            return "unsubscribe", {"region": region, "app": app}
        case Subscriptions():
            return "subscriptions", {}
        case Help():
            return "help", {}


def _key(body: Mapping[str, Any], field: str) -> str:
    """Slack sends a request again whose ack it missed; the trigger is the same then."""
    trigger = str(body.get(field) or "")
    # A trigger opens views for some seconds: its hash tells as much and opens nothing.
    return hashlib.sha256(trigger.encode()).hexdigest() if trigger else hashlib.sha256(repr(body).encode()).hexdigest()


def _ephemeral(message: Message) -> dict[str, Any]:
    return {"response_type": "ephemeral", "text": message.text, "blocks": message.blocks}
