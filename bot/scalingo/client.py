"""Scalingo's API, as far as the bot needs it: one method a question, in the API's own words."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import structlog
from pydantic import SecretStr, ValidationError

from bot.errors import AuditLogCut, BadInput, Gone, NotReady, Rejected, Unreachable
from bot.scalingo.download import LogFile
from bot.scalingo.limiter import Limiter
from bot.scalingo.models import (
    APP,
    AUDIT_LOG_ID,
    NOTIFIER_ID,
    App,
    Collaborator,
    Named,
    Notifier,
    Region,
    RunEvent,
    run_events,
    valid,
)
from bot.scalingo.regions import Regions
from bot.scalingo.transport import OnRequest, Patience, Transport

# The documentation names no maximum, only that there is one: fewer than asked for is no error, a refusal is asked again.
EVENTS_PER_PAGE = 50
# Deployments and restarts are on the pages as well: this is how far a history is looked through for one question.
EVENT_PAGES = 20
RUN_EVENT_TYPE = "app_command_ran"
WEBHOOK_PLATFORM = "webhook"

_Kind = TypeVar("_Kind", App, Collaborator, Notifier, Named, Region)
_log = structlog.get_logger(__name__)


class Scalingo:
    """Every method raises what `transport.refusal` names for a refusal, Unreachable, RateLimited or TokenRefused;
    BadInput where a name or an id is none. `region` is a region's name, `app` an app's name or id.
    """

    def __init__(
        self,
        *,
        token: SecretStr,
        auth_url: str,
        default_region: str,
        api_url: str | None,
        limiter: Limiter,
        on_request: OnRequest | None = None,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = Transport(
            token=token,
            auth_url=auth_url,
            limiter=limiter,
            patience=patience or Patience(),
            on_request=on_request,
            clock=clock,
        )
        self._auth_url = auth_url
        self._regions = Regions(
            default=default_region, api_url=api_url, auth_url=auth_url, ask=self._ask_regions, clock=clock
        )
        self._ids: dict[tuple[str, str], str] = {}
        self._events_per_page: int | None = EVENTS_PER_PAGE
        self._background = False

    async def aclose(self) -> None:
        await self._transport.aclose()

    def in_background(self) -> Scalingo:
        """The same client; its requests give way to those of commands."""
        other = copy.copy(self)
        other._background = True  # noqa: SLF001 - it is one of us
        return other

    async def check(self) -> None:
        """Raises TokenRefused where the API token is not accepted."""
        await self._transport.signed_in()

    async def region_names(self) -> tuple[str, ...]:
        return await self._regions.names()

    # --- apps and who works on them

    async def app(self, region: str, app: str) -> App:
        """Raises Gone where there is none, or none that the bot's account may see."""
        about = f"the app {_app(app)}"
        answer = await self._ask("GET", region, f"/v1/apps/{app}", about=about)
        try:
            found = App.model_validate(_member(answer, "app"))
        except ValidationError:
            raise Unreachable(f"Scalingo's answer about {about} makes no sense: try again in a moment.") from None
        return found if found.region else found.model_copy(update={"region": region})

    async def apps(self, region: str) -> list[App]:
        return await self._all(App, region, "/v1/apps", "apps", about=f"the apps in {region}")

    async def collaborators(self, region: str, app: str) -> list[Collaborator]:
        """Everybody but the owner."""
        path = f"/v1/apps/{_app(app)}/collaborators"
        return await self._all(Collaborator, region, path, "collaborators", about=f"the collaborators of {app}")

    # --- run events and their audit logs

    async def run_events_of_last_hours(self, region: str, app: str, hours: int) -> list[RunEvent]:
        """Newest first, in one request; `hours` is 1 to 72."""
        about = f"the events of {_app(app)}"
        answer = await self._ask(
            "GET", region, f"/v1/apps/{app}/events", about=about, params={"from": min(max(hours, 1), 72)}
        )
        return _run_events(answer, region, app)

    async def run_events(
        self, region: str, app: str, *, since: datetime | None = None, pages: int = EVENT_PAGES
    ) -> AsyncIterator[RunEvent]:
        """Newest first, page by page, as far as somebody iterates; each once, although new events shift the pages.

        No page is asked for behind one that reaches back to before `since`, nor more than `pages` in all.
        """
        seen: set[str] = set()
        page: int | None = 1
        while page is not None and page <= pages:
            answer = await self._events_page(region, _app(app), page)
            for event in _run_events(answer, region, app):
                if event.id not in seen and (since is None or event.created_at >= since):
                    seen.add(event.id)
                    yield event
            page = None if since is not None and _reaches_before(answer, since) else _next_page(answer, page)

    async def download_audit_log(
        self,
        region: str,
        app: str,
        audit_log_id: str,
        to: Path,
        *,
        on_progress: Callable[[int, int | None], None] | None = None,
    ) -> int:
        """Writes the log's plain JSON to the file `to`, from its beginning; the bytes written.

        `on_progress` is told the bytes received and, where known, how many there will be; a new try begins at 0.
        Raises NotReady where the log is not there yet, AuditLogBroken, AuditLogTooLarge, DiskFull, or Unreachable
        where it was cut every time.
        """
        if not AUDIT_LOG_ID.fullmatch(audit_log_id):
            raise BadInput("An audit log id is made of letters, digits, `.`, `_` and `-`, at most 128 of them.")
        about = f"the audit log {audit_log_id} of {_app(app)}"
        url = await self._regions.base_url(region) + f"/v1/apps/{app}/audit_logs/{audit_log_id}"

        async def once() -> int:
            request = self._transport.get(url)
            with LogFile(to, about) as file:
                async with self._transport.answer(request, about=about, background=self._background) as response:
                    if response.status_code in {202, 204}:
                        raise NotReady(_not_there_yet(about))
                    return await _received(response, file, on_progress)

        await self._transport.signed_in()
        try:
            return await self._transport.patience.retrying(Unreachable, AuditLogCut)(once)
        except Gone:
            raise NotReady(_not_there_yet(about)) from None
        except AuditLogCut as error:
            raise Unreachable(f"{error} It was fetched several times: try again in a few minutes.") from error

    # --- notifiers

    async def notifiers(self, region: str, app: str) -> list[Notifier]:
        path = f"/v1/apps/{_app(app)}/notifiers"
        return await self._all(Notifier, region, path, "notifiers", about=f"the notifiers of {app}")

    async def add_notifier(self, region: str, app: str, *, name: str, webhook_url: str) -> Notifier:
        """Of the platform webhook, for run events. Not repeated: after Unreachable, look whether it is there."""
        path, about = f"/v1/apps/{_app(app)}/notifiers", f"a new notifier of {app}"
        notifier = await self._notifier_parameters(region, name=name, webhook_url=webhook_url, active=True)
        notifier["platform_id"] = await self.webhook_platform_id(region)
        answer = await self._ask("POST", region, path, about=about, body={"notifier": notifier})
        added = valid(Notifier, [_member(answer, "notifier")])
        # The documentation shows no body for the 201.
        added += (
            [] if added else [each for each in await self.notifiers(region, app) if each.webhook_url == webhook_url]
        )
        if not added:
            raise Unreachable(f"Scalingo took {about} and does not list it: try again in a moment.", maybe_done=True)
        return added[0]

    async def update_notifier(
        self, region: str, app: str, notifier_id: str, *, webhook_url: str, name: str | None = None, active: bool = True
    ) -> None:
        """Brings it back to what `add_notifier` makes, whatever was edited. Raises Gone."""
        path, about = self._notifier_path(app, notifier_id)
        notifier = await self._notifier_parameters(region, name=name, webhook_url=webhook_url, active=active)
        await self._ask("PATCH", region, path, about=about, body={"notifier": notifier})

    async def remove_notifier(self, region: str, app: str, notifier_id: str) -> None:
        path, about = self._notifier_path(app, notifier_id)
        try:
            await self._ask("DELETE", region, path, about=about)
        except Gone:
            return

    async def test_notifier(self, region: str, app: str, notifier_id: str) -> None:
        """Scalingo sends a test notification to the webhook."""
        path, about = self._notifier_path(app, notifier_id)
        await self._ask("POST", region, f"{path}/test", about=f"a test of {about}")

    async def webhook_platform_id(self, region: str) -> str:
        return await self._id_of(
            WEBHOOK_PLATFORM,
            region,
            "/v1/notification_platforms/search",
            "notification_platforms",
            {"name": WEBHOOK_PLATFORM},
        )

    async def run_event_type_id(self, region: str) -> str:
        return await self._id_of(RUN_EVENT_TYPE, region, "/v1/event_types", "event_types", None)

    # --- how it is asked

    async def _ask(
        self,
        method: str,
        region: str,
        path: str,
        *,
        about: str,
        params: Mapping[str, str | int] | None = None,
        body: object = None,
    ) -> Any:
        url = await self._regions.base_url(region) + path
        return await self._transport.json(
            method, url, about=about, background=self._background, params=params, body=body
        )

    async def _all(self, kind: type[_Kind], region: str, path: str, root: str, *, about: str) -> list[_Kind]:
        """Every page of a list: only some are documented to have pages, so the first is asked for without a number."""
        answer = await self._ask("GET", region, path, about=about)
        found = valid(kind, _member(answer, root))
        page = _next_page(answer, 1)
        while page is not None:
            answer = await self._ask("GET", region, path, about=about, params={"page": page})
            found += valid(kind, _member(answer, root))
            page = _next_page(answer, page)
        return found

    async def _events_page(self, region: str, app: str, page: int) -> Any:
        size = {} if self._events_per_page is None else {"per_page": self._events_per_page}
        try:
            return await self._ask(
                "GET", region, f"/v1/apps/{app}/events", about=f"the events of {app}", params={"page": page, **size}
            )
        except Rejected:
            if not size:
                raise
        self._events_per_page = None
        return await self._events_page(region, app, page)

    async def _ask_regions(self) -> list[Region]:
        answer = await self._transport.json(
            "GET", f"{self._auth_url}/v1/regions", about="the list of regions", background=self._background
        )
        return valid(Region, _member(answer, "regions"))

    async def _id_of(self, name: str, region: str, path: str, root: str, params: Mapping[str, str | int] | None) -> str:
        if (region, name) not in self._ids:
            answer = await self._ask("GET", region, path, about=f"the id of {name}", params=params)
            found = [each.id for each in valid(Named, _member(answer, root)) if each.name == name and each.id]
            if not found:
                raise Gone(f"Scalingo's region {region} does not list `{name}`: webhooks can't be set up there.")
            self._ids[region, name] = found[0]
        return self._ids[region, name]

    async def _notifier_parameters(
        self, region: str, *, name: str | None, webhook_url: str, active: bool
    ) -> dict[str, object]:
        parameters = {
            "active": active,
            "send_all_events": False,
            "send_all_alerts": False,
            "selected_event_ids": [await self.run_event_type_id(region)],
            "type_data": {"webhook_url": webhook_url},
        }
        return parameters if name is None else {"name": name, **parameters}

    def _notifier_path(self, app: str, notifier_id: str) -> tuple[str, str]:
        if not NOTIFIER_ID.fullmatch(notifier_id):
            raise BadInput("That is no id of a notifier.")
        return f"/v1/apps/{_app(app)}/notifiers/{notifier_id}", f"the notifier {notifier_id} of {app}"


def _app(app: str) -> str:
    """What is no name and no id never becomes part of an address."""
    if not APP.fullmatch(app):
        raise BadInput("An app's name is made of small letters, digits and `-`, at most 64 of them: `my-app`.")
    return app


def _not_there_yet(about: str) -> str:
    return f"Scalingo does not have {about} yet."


def _member(answer: Any, root: str) -> Any:
    """Resources are rooted in an object by their name."""
    return answer.get(root) if isinstance(answer, dict) else None


def _run_events(answer: Any, region: str, app: str) -> list[RunEvent]:
    events, skipped = run_events(_member(answer, "events"))
    if skipped:
        _log.warning("scalingo.events_skipped", region=region, app=app, skipped=skipped, why="malformed")
    return events


def _reaches_before(answer: Any, since: datetime) -> bool:
    """Whether the oldest event of a page, of whatever type, is older than `since`."""
    events = _member(answer, "events")
    oldest = events[-1] if isinstance(events, list) and events else None
    try:
        return datetime.fromisoformat(str(_member(oldest, "created_at"))) < since
    except (TypeError, ValueError):
        return False


def _next_page(answer: Any, page: int) -> int | None:
    """The number of the next page, from `meta.pagination`; None on the last, and where it would not lead on."""
    following = _member(_member(_member(answer, "meta"), "pagination"), "next_page")
    try:
        number = int(following)
    except (TypeError, ValueError):
        return None
    return number if number > page else None


async def _received(
    response: httpx.Response, file: LogFile, on_progress: Callable[[int, int | None], None] | None
) -> int:
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isascii() and length.isdigit() else None
    # Raw, because httpx stops at the end of the first gzip member, and because progress counts what came in.
    async for piece in response.aiter_raw():
        await _in_thread(file.feed, piece)
        if on_progress:
            on_progress(response.num_bytes_downloaded, total)
    return await _in_thread(file.finish)


_Result = TypeVar("_Result")


async def _in_thread(work: Callable[..., _Result], *arguments: object) -> _Result:
    """Also when we are cancelled, the thread is waited for: it writes to a file that is closed next."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(running)
    finally:
        if not running.done():
            await asyncio.wait([running])
            # Nobody is left to hear of it.
            running.exception()
