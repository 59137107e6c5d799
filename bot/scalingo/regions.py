"""Which address a region's API has, and which addresses are believed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

from bot.errors import BadInput, Gone, Rejected, Retryable
from bot.scalingo.models import Region

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+){0,5}")
# Those that the documentation names, for when the list can't be had.
DOCUMENTED = ("osc-fr1", "osc-secnum-fr1")
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
LIST_LASTS_S = 3600.0
ASKED_AGAIN_AFTER_S = 60.0


class Regions:
    """`ask` gives the account's list of regions; `api_url`, where configured, is the default region's."""

    def __init__(
        self,
        *,
        default: str,
        api_url: str | None,
        auth_url: str,
        ask: Callable[[], Awaitable[list[Region]]],
        clock: Callable[[], float],
    ) -> None:
        self._default = default
        self._api_url = api_url
        self._ours = [urlsplit(url) for url in (api_url, auth_url) if url]
        self._ask = ask
        self._clock = clock
        self._known: Mapping[str, str] = {}
        self._good_until = float("-inf")
        self._asking = asyncio.Lock()

    async def base_url(self, region: str) -> str:
        """Raises BadInput, which names the known regions, for any other; Retryable where nobody can tell."""
        if region == self._default:
            return self._api_url or by_rule(region)
        known = await self._list() if NAME.fullmatch(region) else {}
        if region not in known:
            names = ", ".join(f"`{name}`" for name in await self.names())
            raise BadInput(f"There is no such region; the account has {names}.")
        return known[region]

    async def names(self) -> tuple[str, ...]:
        """The default region first."""
        try:
            known = await self._list()
        except Retryable:
            known = {}
        return (self._default, *(name for name in known if name != self._default))

    async def _list(self) -> Mapping[str, str]:
        async with self._asking:
            if self._clock() >= self._good_until:
                try:
                    regions = await self._ask()
                except (Retryable, Gone, Rejected) as error:
                    if self._api_url and not self._known and isinstance(error, Retryable):
                        raise
                    # No rule leads from a configured address to another region's.
                    by_heart = () if self._api_url else DOCUMENTED
                    self._known = self._known or {name: by_rule(name) for name in by_heart}
                    self._good_until = self._clock() + ASKED_AGAIN_AFTER_S
                    return self._known
                self._known = {region.name: region.api.rstrip("/") for region in regions if self._believed(region)}
                self._good_until = self._clock() + LIST_LASTS_S
            return self._known

    def _believed(self, region: Region) -> bool:
        """Our bearer goes there: to Scalingo's own hosts over TLS, or to the very host that was configured."""
        try:
            parts = urlsplit(region.api)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        if not NAME.fullmatch(region.name) or parts.username or parts.password or parts.query or parts.fragment:
            return False
        if any((parts.scheme, _host(host)) == (ours.scheme, _host(ours.hostname or "")) for ours in self._ours):
            return True
        return (
            parts.scheme == "https"
            and host.endswith(".scalingo.com")
            and port in {None, 443}
            and not parts.path.strip("/")
        )


def _host(name: str) -> str:
    return "localhost" if name in LOOPBACK else name


def by_rule(region: str) -> str:
    return f"https://api.{region}.scalingo.com"
