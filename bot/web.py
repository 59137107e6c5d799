"""The routes, on our own aiohttp application: Slack's door, Scalingo's door, and the two for whoever runs this."""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

from bot import signing
from bot.errors import BotError, Refused
from bot.settings import WEBHOOK_PATH

# Slack's largest requests are some ten kilobytes, an event of Scalingo's less.
BODY_BYTES = 512 * 1024
# Whoever sends a body drop by drop holds a connection of ours no longer than this.
BODY_WITHIN_S = 10.0

_EVENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

# Region, app id, event id: a hint that a run event is there to be read.
Hint = Callable[[str, str, str], Awaitable[None]]
Health = Callable[[], Awaitable[dict[str, str]]]


def application(
    *,
    slack: AsyncApp | None,
    slack_secret: str,
    webhook_key: bytes,
    hint: Hint,
    health: Health,
    metrics: Callable[[], Awaitable[bytes]],
    metrics_token: str | None,
) -> web.Application:
    """`health` gives what is wrong, by name; nothing where all is well."""
    door = web.Application(client_max_size=BODY_BYTES, middlewares=[_plain_errors])
    if slack is not None:
        door.router.add_post("/slack/events", _slack(slack, slack_secret))
    door.router.add_post(WEBHOOK_PATH + "{sealed}", _webhook(webhook_key, hint))
    door.router.add_get("/healthz", _healthz(health))
    if metrics_token:
        door.router.add_get("/metrics", _metrics(metrics, metrics_token))
    return door


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def _plain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No server name, no version, no traceback for whoever knocks."""
    try:
        response = await handler(request)
    except web.HTTPException as refusal:
        response = web.Response(status=refusal.status, text=refusal.reason)
    except BotError:
        response = web.Response(status=503, text="Try again in a minute.")
    except Exception:
        logging.getLogger(__name__).exception("a fault of ours")
        response = web.Response(status=500, text="Something failed here that should not.")
    response.headers["Server"] = "audit-log-bot"
    return response


async def _body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            return await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None


def _slack(app: AsyncApp, secret: str) -> Handler:
    async def events(request: web.Request) -> web.StreamResponse:
        # Bolt parses a body before it looks at the signature, and answers 500 to what it can't parse.
        body = await _body(request)
        if not signing.by_slack(
            secret,
            body,
            timestamp=request.headers.get("X-Slack-Request-Timestamp", ""),
            signature=request.headers.get("X-Slack-Signature", ""),
            now=time.time(),
        ):
            raise web.HTTPUnauthorized
        try:
            asked = await to_bolt_request(request)
        except (ValueError, LookupError, RecursionError):
            raise web.HTTPBadRequest from None
        return await to_aiohttp_response(await app.async_dispatch(asked))

    return events


def _webhook(key: bytes, hint: Hint) -> Handler:
    async def webhook(request: web.Request) -> web.Response:
        try:
            region, app_id, _channels = signing.unseal(key, request.match_info["sealed"])
        except Refused:
            raise web.HTTPNotFound from None
        try:
            event: Any = orjson.loads(await _body(request))
        except orjson.JSONDecodeError:
            raise web.HTTPBadRequest from None
        event_id = event.get("id") if isinstance(event, dict) else None
        if not isinstance(event_id, str) or not _EVENT_ID.fullmatch(event_id):
            raise web.HTTPBadRequest
        # Of other events, and of Scalingo's test, there is nothing to read.
        if event.get("type") == "run":
            await hint(region, app_id, event_id)
        return web.Response(status=204)

    return webhook


def _healthz(health: Health) -> Handler:
    async def healthz(_: web.Request) -> web.Response:
        wrong = await health()
        return web.json_response({"status": "failing" if wrong else "ok", **wrong}, status=503 if wrong else 200)

    return healthz


def _metrics(text: Callable[[], Awaitable[bytes]], token: str) -> Handler:
    expected = f"Bearer {token}".encode()

    async def metrics(request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, expected):
            raise web.HTTPUnauthorized
        return web.Response(body=await text(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return metrics
