"""The hour-long key that the API token is exchanged for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pydantic import SecretStr

# A bearer lives an hour; the minutes in between are for clocks that differ and requests under way.
BEARER_LASTS_S = 55 * 60.0


class Bearer:
    """Exchanged once, however many requests wait for it. `exchange` makes a bearer of the token, or raises."""

    def __init__(self, token: SecretStr, clock: Callable[[], float], exchange: Callable[[str], Awaitable[str]]) -> None:
        self._token = token
        self._clock = clock
        self._exchange = exchange
        self._value = ""
        self._good_until = float("-inf")
        self._under_way: asyncio.Task[str] | None = None

    async def get(self, *, instead_of: str | None = None) -> str:
        """`instead_of` is one that Scalingo refused just now."""
        if self._value != instead_of and self._clock() < self._good_until:
            return self._value
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._renew())
            # Whoever waited may have been cancelled; a failure without a listener must not be reported as unnoticed.
            self._under_way.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._under_way)

    def forget(self) -> None:
        self._good_until = float("-inf")
        if self._under_way is not None:
            self._under_way.cancel()

    def hidden_in(self, text: str) -> str:
        for secret in filter(None, (self._token.get_secret_value(), self._value)):
            text = text.replace(secret, "••••••")
        return text

    async def _renew(self) -> str:
        self._value = await self._exchange(self._token.get_secret_value())
        self._good_until = self._clock() + BEARER_LASTS_S
        return self._value
