"""What an app is called now. It is followed by its id; its name may change, and another app may take the old one over."""

from __future__ import annotations

import random

from bot.errors import Gone
from bot.jobs.waits import MINUTE_S
from bot.scalingo.client import Scalingo

TRUSTED_S = 10 * MINUTE_S


class Names:
    def __init__(self, scalingo: Scalingo) -> None:
        self._scalingo = scalingo
        self._known: dict[tuple[str, str], tuple[str, float]] = {}

    def learn(self, region: str, app_id: str, name: str, now: float) -> None:
        # Names that were learnt together are not to be asked for together, a dozen in one minute.
        self._known[region, app_id] = (name, now + random.uniform(0.5, 1.0) * TRUSTED_S)  # noqa: S311

    def doubt(self, region: str, app_id: str) -> None:
        """The next one who asks does not get what was known."""
        self._known[region, app_id] = ("", float("-inf"))

    async def present(self, region: str, app_id: str, last_known: str, now: float) -> str:
        """Raises Gone where no app that we can see has that id (any more)."""
        known = self._known.get((region, app_id))
        if known is None:
            # After a start: what was stored is believed for a while, for each app for another one.
            known = self._known[region, app_id] = (last_known, now + random.random() * TRUSTED_S)  # noqa: S311
        name, until = known
        if now >= until:
            name = await self._ask(region, app_id, last_known)
            self.learn(region, app_id, name, now)
        return name

    async def _ask(self, region: str, app_id: str, last_known: str) -> str:
        # Paths are documented with names; an id in place of one is tried second.
        for named in (last_known, app_id):
            try:
                app = await self._scalingo.app(region, named)
            except Gone:
                continue
            if app.id == app_id:
                return app.name
        for app in await self._scalingo.apps(region):
            if app.id == app_id:
                return app.name
        raise Gone(f"The app `{last_known}` was deleted, or it belongs to somebody whose apps I can't see.")
