"""Where requests to a Web API come in: each is written down, and goes wrong where it is told to."""

from __future__ import annotations

import asyncio
import json
import time
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from aiohttp import web

from bot.standin.faults import Fault, Faults, Kind

Json = dict[str, Any]


class Call(NamedTuple):
    """A request to the Web API; `status` is 0 where the answer was thrown away, `error` Slack's code or empty."""

    time: float
    method: str
    arguments: Json
    status: int
    error: str


class Door(ABC):
    """Whoever stands behind it serves what passes; `calls` are the requests seen."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self._faults = Faults()

    @abstractmethod
    async def _served(self, request: web.Request, method: str, arguments: Json) -> web.Response: ...

    def fail(
        self,
        pattern: str,
        what: int | Kind | str = 500,
        *,
        times: int | None = 1,
        every: int = 1,
        seconds: float = 0.0,
        retry_after_s: int = 1,
        body: str | None = None,
    ) -> Fault:
        """`pattern` is a glob of the method's name, or `upload`; `what` may be one of Slack's error codes as well."""
        if isinstance(what, str) and what not in {"reset", "lost", "cut", "short", "slow", "html"}:
            what, body = 200, json.dumps({"ok": False, "error": what})
        headers = {"Retry-After": str(retry_after_s)} if what == 429 else {}
        return self._faults.add(Fault(pattern, what, times, every, seconds, headers, body))  # type: ignore[arg-type]

    def heal(self) -> None:
        self._faults.clear()

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    async def door(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info.get("method", "upload")
        seconds, fault = self._faults.for_request(request.method, method)
        arguments = await _arguments(request) if method != "upload" else {}
        seen_at = time.time()
        if seconds:
            await asyncio.sleep(seconds)
        response = await self._struck(request, method, arguments, fault) if fault else None
        if response is None:
            response = await self._served(request, method, arguments)
        thrown_away = fault is not None and fault.what in {"reset", "lost"}
        error = _error_in(response)
        self.calls.append(Call(seen_at, method, arguments, 0 if thrown_away else response.status, error))
        if thrown_away or (fault is not None and fault.what == "cut"):
            return await _hang_up(request, response, half=not thrown_away)
        return response

    async def _struck(self, request: web.Request, method: str, arguments: Json, fault: Fault) -> web.Response | None:
        """The answer in place of the true one; None where the work is done all the same."""
        match fault.what:
            case int(status):
                return web.Response(
                    status=status,
                    text=fault.body or '{"ok":false,"error":"ratelimited"}',
                    content_type="application/json",
                    headers=fault.headers,
                )
            case "html":
                return web.Response(text="<html><body>Slack is down</body></html>", content_type="text/html")
            case "reset":
                return web.Response()
            case "short":
                done = await self._served(request, method, arguments)
                return web.Response(text=(done.text or "")[:9], content_type="application/json")
            case _:
                return None


async def _arguments(request: web.Request) -> Json:
    arguments: Json = dict(request.query)
    if request.content_type == "application/json":
        try:
            arguments |= json.loads(await request.text())
        except ValueError:
            arguments["broken"] = True
    elif request.method == "POST":
        arguments |= {name: str(value) for name, value in (await request.post()).items()}
    return arguments


def _error_in(response: web.StreamResponse) -> str:
    if not isinstance(response, web.Response) or response.content_type != "application/json":
        return ""
    try:
        return str(json.loads(response.text or "{}").get("error", ""))
    except ValueError:
        return ""


async def _hang_up(request: web.Request, response: web.Response, *, half: bool) -> web.StreamResponse:
    if half and isinstance(response.body, bytes):
        cut = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
        cut.content_length = len(response.body)
        await cut.prepare(request)
        await cut.write(response.body[: len(response.body) // 2])
    if request.transport is not None:
        (request.transport.close if half else request.transport.abort)()
    raise ConnectionResetError
