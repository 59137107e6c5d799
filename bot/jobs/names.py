"""What an app is called now. It is followed by its id; its name may change, and another app may take the old one over."""

from __future__ import annotations

from bot.errors import Gone
from bot.jobs.waits import MINUTE_S
from bot.scalingo.client import Scalingo

TRUSTED_S = 10 * MINUTE_S


class Names:
    def __init__(self, scalingo: Scalingo) -> None:
        self._scalingo = scalingo
        self._known: dict[tuple[str, str], tuple[str, float]] = {}

    def learn(self, region: str, app_id: str, name: str, now: float) -> None:
        self._known[region, app_id] = (name, now)

    def doubt(self, region: str, app_id: str) -> None:
        self._known.pop((region, app_id), None)

    async def present(self, region: str, app_id: str, last_known: str, now: float) -> str:
        """Raises Gone where no app that we can see has that id (any more)."""
        name, at = self._known.get((region, app_id), ("", 0.0))
        if now - at > TRUSTED_S:
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
