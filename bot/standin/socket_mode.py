"""Slack with Socket Mode in place of HTTP: what people do goes to the app over a WebSocket that the app opened.

Written from docs.slack.dev (Socket Mode: apps.connections.open, hello, envelopes and their acknowledgements, disconnect).
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from urllib.parse import parse_qsl

from aiohttp import WSMsgType, web

from bot.standin.people import Ack, Json
from bot.standin.slack import SlackStandin

ACKNOWLEDGED_WITHIN_S = 3.0


class SocketModeStandin(SlackStandin):
    """`opened` counts the connections that the app made; `drops` ends the present one, as Slack does now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.app_token = f"xapp-1-{secrets.token_hex(12)}"
        self.opened = 0
        self._socket: web.WebSocketResponse | None = None
        self._news = asyncio.Condition()
        self._acks: dict[str, asyncio.Future[Json]] = {}

    def more_routes(self) -> list[web.RouteDef]:
        return [web.get("/socket/{ticket}", self._connected)]

    async def connected(self, *, within_s: float = 10.0, times: int = 1) -> web.WebSocketResponse:
        """Waits until the app has connected that often. Raises TimeoutError."""
        async with asyncio.timeout(within_s), self._news:
            while self._socket is None or self.opened < times:
                await self._news.wait()
            return self._socket

    async def drops(self) -> None:
        if self._socket is not None:
            await self._socket.send_json({"type": "disconnect", "reason": "refresh_requested"})
            await self._socket.close()

    async def send(
        self, body: bytes, content_type: str, *, at: str | None = None, secret: str | None = None, path: str = ""
    ) -> Ack:
        """In an envelope: nothing is signed, for the connection is the app's own."""
        started = time.perf_counter()
        socket = await self.connected()
        envelope = secrets.token_hex(8)
        kind, payload = _unsigned(body, content_type)
        future = self._acks[envelope] = asyncio.get_running_loop().create_future()
        await socket.send_json(
            {"envelope_id": envelope, "type": kind, "payload": payload, "accepts_response_payload": True}
        )
        try:
            async with asyncio.timeout(ACKNOWLEDGED_WITHIN_S):
                answer = await future
        except TimeoutError:
            return Ack(0, "", time.perf_counter() - started)
        given = answer.get("payload")
        return Ack(200, json.dumps(given) if given else "", time.perf_counter() - started)

    async def _served(self, request: web.Request, method: str, arguments: Json) -> web.Response:
        if method != "apps.connections.open":
            return await super()._served(request, method, arguments)
        if request.headers.get("Authorization") != f"Bearer {self.app_token}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        return web.json_response(
            {"ok": True, "url": f"{self.url.replace('http', 'ws', 1)}/socket/{secrets.token_hex(8)}"}
        )

    async def _connected(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        async with self._news:
            self._socket = socket
            self.opened += 1
            self._news.notify_all()
        async for message in socket:
            if message.type is WSMsgType.TEXT and message.data.startswith("{"):
                self._acknowledged(json.loads(message.data))
        if self._socket is socket:
            self._socket = None
        return socket

    def _acknowledged(self, answer: Json) -> None:
        future = self._acks.pop(str(answer.get("envelope_id")), None)
        if future is not None and not future.done():
            future.set_result(answer)


def _unsigned(body: bytes, content_type: str) -> tuple[str, Json]:
    if content_type == "application/json":
        return "events_api", dict(json.loads(body))
    form = dict(parse_qsl(body.decode()))
    return ("interactive", dict(json.loads(form["payload"]))) if "payload" in form else ("slash_commands", dict(form))
