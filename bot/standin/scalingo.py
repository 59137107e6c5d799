"""Scalingo on local HTTP, for `try` and the tests: as strict as its documentation, and faulty where it is told to be.

Written from developers.scalingo.com (global information, tokens, regions, applications, collaborators, events, audit
logs, notifiers, notification platforms, event types). One server plays the authentication service (`auth_url`), the
default region (`url`) and every other region that an app was made in.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time
import zlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from bot.standin.account import DEFAULT_REGION, Account, App, Event
from bot.standin.faults import Fault, Faults, Kind

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# The documentation names neither: its examples show 20 entries a page, and say that each resource has a maximum.
PER_PAGE, MOST_PER_PAGE = 20, 50
BEARER_LIVES_S = 3600.0
RATE_WINDOW_S = 60.0
PIECE_BYTES = 64 * 1024

EVENT_TYPES = {
    "app_deployed": "et-app-deployed",
    "app_restarted": "et-app-restarted",
    "app_command_ran": "et-app-command-ran",
}
PLATFORMS = {"slack": "np-slack", "webhook": "np-webhook"}


class Seen(NamedTuple):
    """A request that was served; `path` holds its query, `status` is 0 where the answer was thrown away."""

    time: float
    method: str
    path: str
    status: int


class ScalingoStandin(Account):
    """`rate_limit` is requests a minute (None: no limit); `gzip` compresses audit logs for whoever accepts that,
    `chunked` sends them without their length.
    """

    def __init__(self, *, rate_limit: int | None = None, gzip: bool = False) -> None:
        super().__init__()
        self.token = f"tk-us-{secrets.token_urlsafe(30)}"
        self.rate_limit = rate_limit
        self.gzip = gzip
        self.chunked = False
        self.bearer_lives_s = BEARER_LIVES_S
        self.per_page, self.most_per_page = PER_PAGE, MOST_PER_PAGE
        self.requests: list[Seen] = []
        self.sent: list[tuple[str, Event, int]] = []
        self.url = ""
        self._bearers: dict[str, float] = {}
        self._lately: deque[float] = deque()
        self._faults = Faults()
        self._runner: web.AppRunner | None = None

    # --- its life

    async def start(self, port: int = 0) -> None:
        application = web.Application(middlewares=[self._door])
        application.add_routes(self._routes())
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def __aenter__(self) -> ScalingoStandin:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def auth_url(self) -> str:
        return f"{self.url}/auth"

    # --- what it does by itself, and what goes wrong

    async def fire(self, event: Event) -> list[int]:
        """Posts the bare event to the app's notifiers as Scalingo does; the statuses of the answers, 0 for none."""
        wanted = EVENT_TYPES["app_command_ran"]
        return [
            await self._post(each["type_data"]["webhook_url"], event)
            for each in self.notifiers(event["app_id"])
            if each["active"] and (each["send_all_events"] or wanted in each["selected_event_ids"])
        ]

    def expire_bearers(self) -> None:
        self._bearers.clear()

    def fail(
        self,
        pattern: str,
        status: int | Kind = 500,
        *,
        times: int | None = 1,
        every: int = 1,
        seconds: float = 0.0,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> Fault:
        """`pattern` is a glob of the path, or of the method and the path: `*/events`, `POST */notifiers`."""
        return self._faults.add(Fault(pattern, status, times, every, seconds, headers or {}, body))

    def heal(self) -> None:
        self._faults.clear()

    def asked(self, pattern: str) -> list[Seen]:
        """The requests seen whose method and path (without query) match the glob."""
        matches = Fault(pattern, 0, times=None)
        return [seen for seen in self.requests if matches.strikes(seen.method, seen.path.partition("?")[0])]

    # --- the door: faults, who asks, how often

    @web.middleware
    async def _door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        at = time.time()
        seconds, fault = self._faults.for_request(request.method, request.path)
        if seconds:
            await asyncio.sleep(seconds)
        _FAULT.set(fault)
        response = await self._faulty(request, handler, fault) if fault else await self._strict(request, handler)
        arrived = request.transport is not None and not request.transport.is_closing()
        self.requests.append(Seen(at, request.method, request.path_qs, response.status if arrived else 0))
        return response

    async def _faulty(self, request: web.Request, handler: Handler, fault: Fault) -> web.StreamResponse:
        match fault.what:
            case int(status):
                return _refusal(status, fault)
            case "html":
                return web.Response(text=fault.body or "<html><body>Back soon</body></html>", content_type="text/html")
            case "reset":
                return _hung_up(request)
            case "lost":
                await self._strict(request, handler)
                return _hung_up(request)
            case _:
                response = await self._strict(request, handler)
                # An audit log is on its way already: `_send` looked at the fault.
                return response if response.prepared else await _halved(request, response)

    async def _strict(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._check(request)
            return await handler(request)
        except web.HTTPMethodNotAllowed:
            return web.json_response({"error": "method not allowed"}, status=405)
        except web.HTTPNotFound as error:
            return web.json_response({"error": error.text or "not found"}, status=404)
        except _Answer as answer:
            return answer.response

    def _check(self, request: web.Request) -> None:
        now = time.monotonic()
        while self._lately and self._lately[0] <= now - RATE_WINDOW_S:
            self._lately.popleft()
        if self.rate_limit is not None and len(self._lately) >= self.rate_limit:
            raise _Answer(_refusal(429))
        self._lately.append(now)
        if request.path == "/auth/v1/tokens/exchange":
            return
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or self._bearers.get(bearer, 0.0) <= now:
            raise _Answer(web.json_response({"error": "unauthorized"}, status=401))

    # --- the routes

    def _routes(self) -> Iterator[web.RouteDef]:
        yield web.post("/auth/v1/tokens/exchange", self._exchange)
        yield web.get("/auth/v1/regions", self._list_regions)
        for at in ("", "/regions/{region}"):
            yield web.get(at + "/v1/apps", self._list_apps)
            yield web.get(at + "/v1/apps/{app}", self._show_app)
            yield web.get(at + "/v1/apps/{app}/collaborators", self._list_collaborators)
            yield web.get(at + "/v1/apps/{app}/events", self._list_events)
            yield web.get(at + "/v1/apps/{app}/audit_logs/{log}", self._audit_log)
            yield web.get(at + "/v1/apps/{app}/notifiers", self._list_notifiers)
            yield web.post(at + "/v1/apps/{app}/notifiers", self._add_notifier)
            yield web.get(at + "/v1/apps/{app}/notifiers/{notifier}", self._show_notifier)
            yield web.patch(at + "/v1/apps/{app}/notifiers/{notifier}", self._update_notifier)
            yield web.delete(at + "/v1/apps/{app}/notifiers/{notifier}", self._remove_notifier)
            yield web.post(at + "/v1/apps/{app}/notifiers/{notifier}/test", self._test_notifier)
            yield web.get(at + "/v1/notification_platforms/search", self._search_platforms)
            yield web.get(at + "/v1/event_types", self._list_event_types)

    async def _exchange(self, request: web.Request) -> web.Response:
        expected = base64.b64encode(f":{self.token}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            return web.json_response({"error": "invalid token"}, status=401)
        bearer = secrets.token_urlsafe(40)
        self._bearers[bearer] = time.monotonic() + self.bearer_lives_s
        return web.json_response({"token": bearer})

    async def _list_regions(self, request: web.Request) -> web.Response:
        _only(request)
        regions = [
            {
                "name": name,
                "display_name": name,
                "api": self.url if name == DEFAULT_REGION else f"{self.url}/regions/{name}",
                "dashboard": f"https://my.{name}.scalingo.com",
                "database_api": f"https://db-api.{name}.scalingo.com",
                "ssh": f"ssh.{name}.scalingo.com:22",
            }
            for name in self.regions
        ]
        return web.json_response({"regions": regions})

    async def _list_apps(self, request: web.Request) -> web.Response:
        _only(request)
        region = request.match_info.get("region", DEFAULT_REGION)
        return web.json_response({"apps": [_app_json(app) for app in self.apps if app.region == region]})

    async def _show_app(self, request: web.Request) -> web.Response:
        _only(request)
        return web.json_response({"app": _app_json(self._asked_app(request))})

    async def _list_collaborators(self, request: web.Request) -> web.Response:
        _only(request)
        return web.json_response({"collaborators": self._asked_app(request).collaborators})

    async def _list_events(self, request: web.Request) -> web.Response:
        _only(request, "page", "per_page", "from")
        events = sorted(self._asked_app(request).events, key=_created_at, reverse=True)
        if "from" in request.query:
            since = datetime.now(UTC) - timedelta(hours=_number(request, "from", 1, at_most=72))
            events = [event for event in events if _created_at(event) >= since]
            return web.json_response({"events": events, "meta": {"pagination": _pagination(1, 1, len(events))}})
        size = min(_number(request, "per_page", self.per_page), self.most_per_page)
        page, pages = _number(request, "page", 1), max(1, -(-len(events) // size))
        meta = {"pagination": _pagination(page, pages, len(events))}
        return web.json_response({"events": events[(page - 1) * size : page * size], "meta": meta})

    async def _audit_log(self, request: web.Request) -> web.StreamResponse:
        _only(request)
        log = self._asked_app(request).logs.get(request.match_info["log"])
        if log is None:
            raise _not_found("audit_log")
        if isinstance(log, bytes):
            size, pieces = len(log), iter([log] if log else [])
        else:
            size, pieces = log.stat().st_size, _pieces(log)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        if self.gzip and "gzip" in request.headers.get("Accept-Encoding", ""):
            response.headers["Content-Encoding"] = "gzip"
            packed = b"".join(_packed(pieces))
            size, pieces = len(packed), iter([packed])
        return await _send(request, response, size, pieces, chunked=self.chunked)

    async def _list_notifiers(self, request: web.Request) -> web.Response:
        _only(request)
        return web.json_response({"notifiers": self._asked_app(request).notifiers})

    async def _show_notifier(self, request: web.Request) -> web.Response:
        _only(request)
        return web.json_response({"notifier": self._asked_notifier(request)})

    async def _add_notifier(self, request: web.Request) -> web.Response:
        app, given = self._asked_app(request), await _notifier_parameters(request)
        missing = {name: ["missing field"] for name in ("platform_id", "name") if not given.get(name)}
        if missing:
            raise _invalid(missing)
        if given["platform_id"] not in PLATFORMS.values():
            raise _invalid({"platform_id": ["is unknown"]})
        now = datetime.now(UTC).isoformat()
        kind = next(name for name, platform_id in PLATFORMS.items() if platform_id == given["platform_id"])
        notifier = {
            "id": f"no-{secrets.token_hex(16)}",
            "created_at": now,
            "updated_at": now,
            "active": True,
            "type": kind,
            "send_all_alerts": False,
            "send_all_events": False,
            "selected_event_ids": [],
            "app_id": app.id,
            "app": app.name,
            **given,
        }
        app.notifiers.append(notifier)
        return web.json_response({"notifier": notifier}, status=201)

    async def _update_notifier(self, request: web.Request) -> web.Response:
        notifier, given = self._asked_notifier(request), await _notifier_parameters(request)
        if "platform_id" in given:
            raise _invalid({"platform_id": ["can't be changed"]})
        notifier.update(given, updated_at=datetime.now(UTC).isoformat())
        return web.json_response({"notifier": notifier})

    async def _remove_notifier(self, request: web.Request) -> web.Response:
        self._asked_app(request).notifiers.remove(self._asked_notifier(request))
        return web.Response(status=204)

    async def _test_notifier(self, request: web.Request) -> web.Response:
        app, notifier = self._asked_app(request), self._asked_notifier(request)
        await self._post(notifier["type_data"]["webhook_url"], self.event(app, "test", app.owner["email"], None, {}))
        return web.json_response({})

    async def _search_platforms(self, request: web.Request) -> web.Response:
        _only(request, "name")
        wanted = request.query.get("name")
        found = [
            {
                "id": platform_id,
                "name": name,
                "display_name": name.title(),
                "logo_url": f"https://example.com/{name}.svg",
                "available_event_ids": list(EVENT_TYPES.values()),
                "description": "",
            }
            for name, platform_id in PLATFORMS.items()
            if name == wanted
        ]
        return web.json_response({"notification_platforms": found})

    async def _list_event_types(self, request: web.Request) -> web.Response:
        _only(request)
        types = [
            {"id": type_id, "category_id": "ec-operations", "name": name, "display_name": name, "description": ""}
            for name, type_id in EVENT_TYPES.items()
        ]
        return web.json_response({"event_types": types})

    # --- looking things up

    def _asked_app(self, request: web.Request) -> App:
        region, wanted = request.match_info.get("region", DEFAULT_REGION), request.match_info["app"]
        for app in self.apps:
            if app.region == region and wanted in {app.id, app.name}:
                return app
        raise _not_found("app")

    def _asked_notifier(self, request: web.Request) -> dict[str, Any]:
        for notifier in self._asked_app(request).notifiers:
            if notifier["id"] == request.match_info["notifier"]:
                return notifier
        raise _not_found("notifier")

    async def _post(self, url: str, event: Event) -> int:
        try:
            async with ClientSession(timeout=ClientTimeout(total=10)) as http, http.post(url, json=event) as response:
                status = response.status
        except (ClientError, TimeoutError):
            status = 0
        self.sent.append((url, event, status))
        return status


# Of the request that this task serves just now.
_FAULT: ContextVar[Fault | None] = ContextVar("fault", default=None)


class _Answer(Exception):
    def __init__(self, response: web.Response) -> None:
        super().__init__()
        self.response = response


def _not_found(resource: str) -> _Answer:
    return _Answer(web.json_response({"resource": resource, "error": "not found"}, status=404))


def _invalid(errors: Mapping[str, list[str]]) -> _Answer:
    return _Answer(web.json_response({"errors": errors}, status=422))


def _refusal(status: int, fault: Fault | None = None) -> web.Response:
    """An error in the shape that the documentation gives for its status."""
    headers, body = (fault.headers, fault.body) if fault else ({}, None)
    if body is not None or status == 429:
        return web.Response(status=status, text="Retry later" if body is None else body, headers=headers)
    shapes: dict[int, dict[str, Any]] = {
        402: {"error": "a payment method is needed", "url": "https://my.scalingo.com/apps/billing"},
        404: {"resource": "app", "error": "not found"},
        422: {"errors": {"name": ["is invalid"]}},
    }
    shape = shapes.get(status, {"error": "internal error" if status >= 500 else "refused"})
    return web.json_response(shape, status=status, headers=headers)


def _hung_up(request: web.Request) -> web.Response:
    """What is returned goes nowhere: the connection is torn down."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _halved(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    body = response.body if isinstance(response, web.Response) else None
    whole = body if isinstance(body, bytes) else b""
    half = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
    return await _send(request, half, len(whole), iter([whole]))


async def _send(
    request: web.Request, response: web.StreamResponse, size: int, pieces: Iterator[bytes], *, chunked: bool = False
) -> web.StreamResponse:
    """The body with its length; half of it where a fault says so."""
    fault = _FAULT.get()
    what = fault.what if fault else None
    if what == "lost":
        return _hung_up(request)
    left = size // 2 if what in {"cut", "short"} else size
    response.content_length = left if what == "short" else size
    if chunked:
        response.content_length = None
        response.enable_chunked_encoding()
    await response.prepare(request)
    for piece in pieces:
        await response.write(piece[:left])
        left -= len(piece[:left])
        if not left:
            break
    if what == "cut" and request.transport is not None:
        request.transport.close()
    else:
        await response.write_eof()
    return response


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(6, wbits=31)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def _only(request: web.Request, *names: str) -> None:
    unknown = set(request.query) - set(names)
    if unknown:
        raise _Answer(web.json_response({"error": f"unknown parameter: {', '.join(sorted(unknown))}"}, status=400))


def _number(request: web.Request, name: str, default: int, *, at_most: int | None = None) -> int:
    given = request.query.get(name, str(default))
    if not given.isascii() or not given.isdigit() or int(given) < 1 or (at_most and int(given) > at_most):
        raise _Answer(web.json_response({"error": f"{name} is out of range"}, status=400))
    return int(given)


def _pagination(page: int, pages: int, count: int) -> dict[str, int | None]:
    return {
        "current_page": page,
        "prev_page": page - 1 if page > 1 else None,
        "next_page": page + 1 if page < pages else None,
        "total_pages": pages,
        "total_count": count,
    }


def _created_at(event: Event) -> datetime:
    """A malformed event, which a test may put there, comes first."""
    try:
        return datetime.fromisoformat(event["created_at"])
    except (KeyError, TypeError, ValueError):
        return datetime.max.replace(tzinfo=UTC)


def _app_json(app: App) -> dict[str, Any]:
    return {
        "id": app.id,
        "name": app.name,
        "region": app.region,
        "owner": app.owner,
        "created_at": app.created_at.isoformat(),
        "url": f"https://{app.name}.{app.region}.scalingo.io",
        "status": "running",
    }


_NOTIFIER_PARAMETERS = {
    "platform_id": str,
    "name": str,
    "active": bool,
    "send_all_alerts": bool,
    "send_all_events": bool,
    "selected_event_ids": list,
    "type_data": dict,
}


async def _notifier_parameters(request: web.Request) -> dict[str, Any]:
    """Rooted in `notifier`, as Scalingo's own Go client sends it; of the known names and their types."""
    _only(request)
    if request.content_type != "application/json":
        raise _Answer(web.json_response({"error": "Content-Type must be application/json"}, status=400))
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise _Answer(web.json_response({"error": "the body is no JSON"}, status=400)) from None
    given = body.get("notifier") if isinstance(body, dict) else None
    if not isinstance(given, dict):
        raise _invalid({"notifier": ["missing field"]})
    wrong = {
        name: ["is invalid"]
        for name, value in given.items()
        if not isinstance(value, _NOTIFIER_PARAMETERS.get(name, ()))
    }
    unknown_events = set(given.get("selected_event_ids", ())) - set(EVENT_TYPES.values())
    if unknown_events:
        wrong["selected_event_ids"] = ["is invalid"]
    if wrong:
        raise _invalid(wrong)
    return given
