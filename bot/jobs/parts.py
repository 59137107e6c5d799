"""What every job is handed: the rooms that it may use, built by `app.py` and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.access import Access
from bot.errors import BotError
from bot.jobs.names import Names
from bot.log import log
from bot.metrics import Metrics
from bot.queue import Queue
from bot.readings import Readings
from bot.scalingo.client import Scalingo
from bot.settings import Settings
from bot.slack.api import Slack
from bot.store import Store
from bot.store.asks import Ask
from bot.store.deliveries import Delivery
from bot.store.leases import LEASE_S, Kind

# Names of jobs in the queue; a job's key says on what.
ANSWER = "answer"
DELIVER = "deliver"
# Sessions that a person waits for have a lane of their own: two hundred that nobody asked for are not in the way.
DELIVER_ASKED = "deliver-asked"
HINT = "hint"
POLL = "poll"


@dataclass(frozen=True, slots=True)
class Parts:
    settings: Settings
    store: Store
    queue: Queue
    slack: Slack
    scalingo: Scalingo
    access: Access
    names: Names
    readings: Readings
    metrics: Metrics
    clock: Callable[[], float]
    owner: str = field(default_factory=lambda: f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}")

    @property
    def now(self) -> float:
        return self.clock()

    @property
    def others_have_stores(self) -> bool:
        """On a deploy the old container works on beside the new one; without PostgreSQL each knows only what it did itself."""
        return self.settings.on_scalingo and not self.settings.uses_postgresql

    @property
    def webhook_key(self) -> bytes:
        return self.settings.key_for("webhook")

    @property
    def button_key(self) -> bytes:
        return self.settings.key_for("button")

    async def put_delivery(self, row_id: int, delay_s: float = 0) -> None:
        delivery = await self.store.delivery(row_id)
        if delivery is not None:
            await self.queue.put(DELIVER_ASKED if delivery.cause == "ask" else DELIVER, str(row_id), delay_s=delay_s)

    @asynccontextmanager
    async def leased_delivery(self, row_id: int) -> AsyncIterator[Delivery | None]:
        """None where another process has it, or nothing is owed any more."""
        delivery = await self.store.claim("delivery", row_id, self.owner, self.now, LEASE_S)
        async with self._kept("delivery", row_id, taken=delivery is not None):
            yield delivery

    @asynccontextmanager
    async def leased_ask(self, row_id: int) -> AsyncIterator[Ask | None]:
        ask = await self.store.claim("ask", row_id, self.owner, self.now, LEASE_S)
        async with self._kept("ask", row_id, taken=ask is not None):
            yield ask

    @asynccontextmanager
    async def _kept(self, kind: Kind, row_id: int, *, taken: bool) -> AsyncIterator[None]:
        if not taken:
            yield
            return
        keeper = asyncio.create_task(self._keep(kind, row_id, asyncio.current_task()))
        try:
            yield
        finally:
            keeper.cancel()
            # A lease that could not be given back runs out by itself.
            with contextlib.suppress(BotError):
                await self.store.let_go(kind, row_id, self.owner)

    async def _keep(self, kind: Kind, row_id: int, work: asyncio.Task[object] | None) -> None:
        while True:
            await asyncio.sleep(LEASE_S / 3)
            with contextlib.suppress(BotError):
                renewed = await self.store.renew(kind, [row_id], self.owner, self.now + LEASE_S)
                if not renewed and work is not None and await self.store.is_taken(kind, row_id, self.owner):
                    # This process, or the database, stood still for longer than a lease: what is left to do is another's.
                    log().warning("lease lost", kind=kind, row=row_id)
                    work.cancel()
