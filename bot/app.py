"""Builds everything from Settings, starts it, stops it. Nothing else builds."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web as http
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot import log, web
from bot.access import Access
from bot.digest import Reader
from bot.errors import BotError, Misconfigured, Retryable
from bot.jobs.answer import Answer
from bot.jobs.deliver import Deliver
from bot.jobs.follow import Follow
from bot.jobs.heal import Heal
from bot.jobs.inbox import Inbox
from bot.jobs.names import Names
from bot.jobs.parts import ANSWER, DELIVER, DELIVER_ASKED, HINT, POLL, Parts
from bot.jobs.sweep import Sweep
from bot.jobs.watch import Watch
from bot.metrics import Metrics
from bot.queue import Queue
from bot.reading.secrets import Masker
from bot.readings import Readings
from bot.scalingo.client import Scalingo
from bot.settings import Settings
from bot.slack.api import Slack
from bot.slack.listeners import Listeners
from bot.store import Store
from bot.store.limiter import StoreLimiter

# The platform kills 30 s after it asked; what is not finished by this is handed back.
STOP_WITHIN_S = 6.0
# Where the database comes up beside us.
STORE_WITHIN_S = 40.0
_CHECKED_WITHIN_S = 5.0
# How often a Socket Mode connection is looked after, and made again where it is lost.
PING_EVERY_S = 10.0

ANSWERS_AT_ONCE = 20
DELIVERIES_AT_ONCE = 24
# They wait for each other: one reading of an app's events serves all that came before.
HINTS_AT_ONCE = 50
POLLS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Running:
    parts: Parts
    address: str | None


def run_serve() -> None:
    settings = _settings()
    asyncio.run(_until_told(settings, with_web=True))


def run_worker() -> None:
    settings = _settings()
    if not settings.uses_postgresql:
        raise Misconfigured(
            "A worker shares a PostgreSQL with `serve`: DATABASE_URL (or SCALINGO_POSTGRESQL_URL) must name it; with "
            "SQLite `serve` does the jobs itself."
        )
    asyncio.run(_until_told(settings, with_web=False))


def _settings() -> Settings:
    settings = Settings.from_environment()
    log.configure(
        as_json=settings.on_scalingo or not sys.stderr.isatty(),
        secrets=settings.secrets(),
        mask=lambda text: Masker().line(text),
    )
    return settings


async def _until_told(settings: Settings, *, with_web: bool) -> None:
    work = asyncio.create_task(_work(settings, with_web=with_web))
    told = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, told.set)
    listening = asyncio.create_task(told.wait())
    await asyncio.wait({work, listening}, return_when=asyncio.FIRST_COMPLETED)
    if told.is_set():
        log.log().info("stopping")
        # Once only: a second signal must not stop what hands back the work.
        work.cancel()
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work


async def _work(settings: Settings, *, with_web: bool) -> None:
    async with running(settings, with_web=with_web) as bot:
        print(f"Listening on {bot.address}" if bot.address else "Working on the jobs", flush=True)  # noqa: T201
        await asyncio.Event().wait()


@asynccontextmanager
async def running(
    settings: Settings, *, with_web: bool = True, clock: Callable[[], float] = time.time
) -> AsyncIterator[Running]:
    """The whole bot, until the block is left. Raises Misconfigured where a token or the database is refused."""
    async with AsyncExitStack() as stack:
        parts = await _built(stack, settings, clock)
        await _check_tokens(parts)
        watch = Watch(parts)
        follow = Follow(parts, watch)
        heal = Heal(parts, watch)
        deliver = Deliver(parts, watch)
        parts.queue.handle(ANSWER, Answer(parts, watch, follow, heal), ANSWERS_AT_ONCE)
        parts.queue.handle(DELIVER_ASKED, deliver, DELIVERIES_AT_ONCE)
        parts.queue.handle(DELIVER, deliver, DELIVERIES_AT_ONCE)
        parts.queue.handle(HINT, watch.hint, HINTS_AT_ONCE)
        parts.queue.handle(POLL, watch.turn, POLLS_AT_ONCE)
        await _warn_of_a_disk_that_goes(parts)
        await _warn_of_a_region_that_is_none(parts)
        await stack.enter_async_context(_at_work(parts))
        await stack.enter_async_context(_going(Sweep(parts, watch, follow, heal).run()))
        address = await _served(stack, parts) if with_web else None
        yield Running(parts, address)


async def _built(stack: AsyncExitStack, settings: Settings, clock: Callable[[], float]) -> Parts:
    metrics = Metrics()
    store = await _opened(settings)
    stack.push_async_callback(store.close)
    slack = Slack(token=settings.slack_bot_token, api_url=settings.slack_api_url, on_request=metrics.request)
    stack.push_async_callback(slack.aclose)
    scalingo = Scalingo(
        token=settings.scalingo_api_token,
        auth_url=settings.scalingo_auth_url,
        default_region=settings.scalingo_region,
        api_url=settings.scalingo_api_url,
        limiter=StoreLimiter(store, settings.scalingo_rate_limit),
        on_request=metrics.request,
    )
    stack.push_async_callback(scalingo.aclose)
    readings = Readings(scalingo, Reader(), metrics)
    stack.callback(readings.close)
    return Parts(
        settings=settings,
        store=store,
        queue=await Queue.on(store),
        slack=slack,
        scalingo=scalingo,
        access=Access(slack, scalingo),
        names=Names(scalingo),
        readings=readings,
        metrics=metrics,
        clock=clock,
    )


async def _opened(settings: Settings) -> Store:
    until = time.monotonic() + STORE_WITHIN_S
    while True:
        try:
            return await Store.open(settings.database_url.get_secret_value())
        except Retryable as error:
            if time.monotonic() > until:
                raise Misconfigured(f"The database does not answer: {error}") from None
            await asyncio.sleep(1)


async def _check_tokens(parts: Parts) -> None:
    """A token that is refused is told at once; a service that does not answer now is waited for while we run."""
    checks = (parts.slack.identity, parts.scalingo.check)
    outcomes = await asyncio.gather(
        *(asyncio.wait_for(check(), _CHECKED_WITHIN_S) for check in checks), return_exceptions=True
    )
    for check, outcome in zip(checks, outcomes, strict=True):
        if isinstance(outcome, BotError | TimeoutError) and not isinstance(outcome, Misconfigured):
            log.log().warning("not checked at start", what=check.__qualname__, error=type(outcome).__name__)
        elif isinstance(outcome, BaseException):
            raise outcome


async def _warn_of_a_disk_that_goes(parts: Parts) -> None:
    if parts.settings.on_scalingo and not parts.settings.uses_postgresql:
        log.log().warning(
            "NO POSTGRESQL: an SQLite file is gone at each restart and deploy. Subscriptions and deliveries are found again in "
            "the notifiers and threads, but the reader's trail is lost: add the PostgreSQL add-on."
        )


async def _warn_of_a_region_that_is_none(parts: Parts) -> None:
    """A mistyped CONTENT_<REGION> would hold nothing back."""
    settings = parts.settings
    unknown = settings.content_by_region.keys() - {settings.scalingo_region}
    if not unknown:
        return
    try:
        async with asyncio.timeout(_CHECKED_WITHIN_S):
            known = await parts.scalingo.region_names()
    except (BotError, TimeoutError):
        return
    for region in sorted(unknown.difference(known)):
        name = f"CONTENT_{region.upper().replace('-', '_')}"
        log.log().warning(f"{name} HOLDS NOTHING BACK: the account has no such region", known=", ".join(known))


@asynccontextmanager
async def _at_work(parts: Parts) -> AsyncIterator[None]:
    async with _going(parts.queue.run()):
        try:
            yield
        finally:
            await parts.queue.stop(STOP_WITHIN_S)


@asynccontextmanager
async def _going(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _served(stack: AsyncExitStack, parts: Parts) -> str:
    settings = parts.settings
    inbox = Inbox(parts)
    bolt = _bolt(parts, inbox)
    door = web.application(
        slack=None if settings.slack_app_token else bolt,
        slack_secret=settings.slack_signing_secret.get_secret_value(),
        webhook_key=parts.webhook_key,
        hint=inbox.hint,
        health=inbox.health,
        metrics=inbox.metrics,
        metrics_token=settings.metrics_token.get_secret_value() if settings.metrics_token else None,
    )
    runner = http.AppRunner(door, access_log=None, handle_signals=False, shutdown_timeout=2.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = http.TCPSite(runner, settings.host, settings.port)
    try:
        await site.start()
    except OSError as error:
        raise Misconfigured(
            f"Port {settings.port} can't be listened on ({error.strerror}): set PORT to a free one."
        ) from None
    if settings.slack_app_token:
        token = settings.slack_app_token.get_secret_value()
        socket_mode = AsyncSocketModeHandler(bolt, token, ping_interval=PING_EVERY_S)
        stack.push_async_callback(socket_mode.close_async)
        # Beside us, for it returns only when Slack is there.
        await stack.enter_async_context(_going(socket_mode.connect_async()))  # type: ignore[no-untyped-call]
    port = runner.addresses[0][1]
    return f"http://{settings.host}:{port}"


def _bolt(parts: Parts, inbox: Inbox) -> AsyncApp:
    async def authorize() -> AuthorizeResult:
        """Bolt's own asks Slack with every start; the identity is known, and where it is not an ack must not wait for it."""
        try:
            async with asyncio.timeout(1):
                us = await parts.slack.identity()
        except (BotError, TimeoutError):
            # Slack can't be asked now: whatever was typed is kept all the same.
            return AuthorizeResult(
                enterprise_id=None, team_id=None, bot_token=parts.settings.slack_bot_token.get_secret_value()
            )
        return AuthorizeResult(
            enterprise_id=None,
            team_id=us.team_id,
            bot_user_id=us.bot_user_id,
            bot_id=us.bot_id,
            bot_token=parts.settings.slack_bot_token.get_secret_value(),
        )

    quiet = logging.getLogger("slack_bolt")
    bolt = AsyncApp(
        signing_secret=parts.settings.slack_signing_secret.get_secret_value(),
        # Without a client of its own, Bolt would read the token from the environment.
        client=AsyncWebClient(base_url=parts.settings.slack_api_url),
        authorize=authorize,
        logger=quiet,
    )
    Listeners(inbox, default_region=parts.settings.scalingo_region, button_key=parts.button_key).register(bolt)
    return bolt
