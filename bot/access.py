"""Who may read an app's sessions: its owner and its accepted collaborators who are not limited, by the address of the Slack profile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.errors import Forbidden, Gone, NotYours
from bot.scalingo.client import Scalingo
from bot.scalingo.models import App
from bot.slack.api import Person, Slack

# Long enough that a warm command asks Scalingo nothing, short enough that a right that was taken away ends within minutes.
REMEMBERED_S = 180.0
_REMEMBERED_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class _Readers:
    app: App | None
    addresses: frozenset[str]
    until: float


class Access:
    def __init__(self, slack: Slack, scalingo: Scalingo, clock: Callable[[], float] = time.monotonic) -> None:
        self._slack = slack
        self._scalingo = scalingo
        self._clock = clock
        self._known: dict[tuple[str, str], _Readers] = {}

    async def app_for(self, user: str, region: str, app: str) -> App:
        """`app` is a name or an id. Raises NotYours, with the same words for an app that does not exist and one that is not theirs."""
        address = _address(await self._slack.person(user))
        readers = await self._readers(region, app)
        if readers.app is None or address not in readers.addresses:
            raise NotYours(
                f"There is no app `{app}` in {region} whose sessions you may read: either it does not exist, or you are neither "
                "its owner nor an accepted collaborator with full rights."
            )
        return readers.app

    def forget(self, region: str, app: str, user: str) -> None:
        """The next time, Slack and Scalingo are asked anew."""
        self._slack.forget_person(user)
        self._known.pop((region, app), None)

    async def _readers(self, region: str, app: str) -> _Readers:
        known = self._known.get((region, app))
        if known is None or known.until < self._clock():
            known = await self._ask(region, app)
            if len(self._known) >= _REMEMBERED_AT_MOST:
                self._known.clear()
            self._known[region, app] = known
        return known

    async def _ask(self, region: str, name: str) -> _Readers:
        until = self._clock() + REMEMBERED_S
        # Both are asked for in any case: how many requests it takes must not tell whether there is such an app.
        try:
            app, collaborators = await asyncio.gather(
                self._scalingo.app(region, name), self._scalingo.collaborators(region, name)
            )
        except (Gone, Forbidden):
            return _Readers(None, frozenset(), until)
        addresses = {each.email for each in collaborators if each.status == "accepted" and not each.is_limited}
        return _Readers(app, frozenset(_plain(each) for each in {*addresses, app.owner.email} if each), until)


def _address(person: Person) -> str:
    """Raises NotYours for who has none that we can go by: no app is, and what was theirs ends as any right that was lost."""
    if person.is_bot or person.deleted:
        raise NotYours("Only people can read sessions here.")
    if person.is_foreign:
        raise NotYours("Only people of this workspace can read sessions: your account belongs to another company.")
    if person.is_guest:
        raise NotYours("Guests of this workspace can't read sessions: ask a full member to do it.")
    if not person.email:
        raise NotYours(
            "I can't see an e-mail address in your Slack profile, so I can't tell which Scalingo account is yours."
        )
    return _plain(person.email)


def _plain(address: str) -> str:
    return address.strip().casefold()
