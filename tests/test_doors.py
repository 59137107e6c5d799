"""Every door, and everybody who may not come in by it; what a door tells whoever knocks."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession, web
from conftest import ADA, BOB, EVE, Start, audit_log, until

from bot import signing
from bot.app import Running
from bot.standin.people import Told
from bot.standin.scalingo import ScalingoStandin
from bot.standin.slack import SlackStandin

FAST = {"POLL_EVERY_S": "0.2"}
FORM = "application/x-www-form-urlencoded"
# What nobody may hear of who has no right.
SECRET_COMMAND = "rake hush:hush"


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandin]:
    """Ours alone: people, channels and requests as no other Slack lets a test make them."""
    async with SlackStandin() as slack:
        slack.channel("ops")
        for email in (ADA, BOB, EVE):
            slack.person(email)
        yield slack


@pytest.fixture
def public_url(unused_tcp_port: int) -> str:
    return f"http://127.0.0.1:{unused_tcp_port}"


async def told(slack: SlackStandin, words: str, user: str = ADA) -> Told:
    async def heard() -> bool:
        return any(words in each.text for each in slack.ephemerals(user))

    await until(heard)
    return next(each for each in reversed(slack.ephemerals(user)) if words in each.text)


async def answer(slack: SlackStandin, line: str, user: str, channel: str = "ops") -> str:
    before = len(slack.ephemerals(user))
    await slack.types(line, user=user, channel=channel)
    return (await slack.told(user, count=before + 1))[-1].text


# --- people

OUTSIDERS = ["stranger", "pending", "limited", "hidden", "guest", "foreign", "bot", "deactivated"]


def outsider(kind: str, slack: SlackStandin, scalingo: ScalingoStandin) -> str:
    """Somebody who would have the right, were it not for one thing; his Slack name."""
    if kind != "stranger":
        status = "pending" if kind == "pending" else "accepted"
        scalingo.collaborator("shop", BOB, status=status, is_limited=kind == "limited")
    bob = slack.person(BOB, guest=kind == "guest", foreign=kind == "foreign", deleted=kind == "deactivated")
    bob.is_bot = kind == "bot"
    if kind == "hidden":
        bob.email = None
    return bob.id


@pytest.mark.parametrize("kind", OUTSIDERS)
async def test_no_door_opens_to_an_outsider(
    kind: str, start: Start, slack: SlackStandin, scalingo: ScalingoStandin
) -> None:
    bot = await start(POLL_EVERY_S="3600")
    event = scalingo.ran(SECRET_COMMAND, app="shop", by=ADA, log=audit_log("hush"))
    log_id = event["type_data"]["audit_log_id"]
    await slack.types("/auditlog shop last", channel="ada-only")
    await slack.thread("ada-only")
    await slack.types("/auditlog subscribe shop")
    await slack.types("/auditlog shop")
    listed = await told(slack, "Newest sessions")
    await slack.types("/auditlog shop last", channel="ada-only")
    again = await told(slack, "in this channel already")
    bob = outsider(kind, slack, scalingo)
    bot.parts.access.forget("osc-fr1", "shop", bob)
    for form in ("/auditlog {} last", "/auditlog {}", "/auditlog subscribe {}", "/auditlog unsubscribe {}"):
        refused = await answer(slack, form.format("shop"), bob)
        assert refused == (await answer(slack, form.format("nothing"), bob)).replace("nothing", "shop")
    refused = await answer(slack, f"/auditlog shop {log_id}", bob)
    assert refused == (await answer(slack, f"/auditlog nothing {log_id}", bob)).replace("nothing", "shop")
    assert "shop" not in await answer(slack, "/auditlog subscriptions", bob)
    heard = len(slack.ephemerals(bob))
    await slack.presses("read_session", user=bob, within=listed)
    await slack.presses("post_again", user=bob, within=again)
    await slack.told(bob, count=heard + 2)
    assert "hush" not in json.dumps([each.raw for each in slack.ephemerals(bob)])
    assert log_id not in json.dumps([each.raw for each in slack.ephemerals(bob)])
    assert await slack.threads("ops") == []
    assert len(await slack.threads("ada-only")) == 1
    assert len(await bot.parts.store.subscriptions()) == 1
    refusals = await bot.parts.store.trail(100, who=bob)
    assert {step.outcome for step in refusals} - {"listed", "refused: NotYours"} == set()
    assert len(refusals) == 13


async def test_a_name_costs_as_many_requests_whether_there_is_such_an_app_or_not(
    bot: Running, slack: SlackStandin, scalingo: ScalingoStandin
) -> None:
    counts = []
    for name in ("shop", "nothing"):
        before = len(scalingo.requests)
        await answer(slack, f"/auditlog {name} last", EVE)
        counts.append(len(scalingo.requests) - before)
    assert counts == [2, 2]


async def test_subscriptions_names_the_apps_that_one_may_read(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin
) -> None:
    await start()
    scalingo.app("vault", owner=BOB)
    await answer(slack, "/auditlog subscribe shop", ADA)
    await answer(slack, "/auditlog subscribe vault", BOB)
    ada, eve = [await answer(slack, "/auditlog subscriptions", user) for user in (ADA, EVE)]
    assert "1 subscription of this channel, last 7 days (and 1 of apps whose sessions you may not read)" in ada
    assert "shop" in ada
    assert "vault" not in ada
    assert eve == "This channel has 2 subscriptions, of apps whose sessions you may not read."
    slack.channel("partners", shared=True)
    assert "another company" in await answer(slack, "/auditlog subscriptions", ADA, "partners")


# --- buttons


async def test_only_our_own_values_are_believed(bot: Running, slack: SlackStandin, scalingo: ScalingoStandin) -> None:
    scalingo.app("vault", owner=BOB)
    ran = scalingo.ran(SECRET_COMMAND, app="vault", by=BOB, log=audit_log("hush"))
    scalingo.ran("bash", app="shop", by=ADA, log=audit_log("x"))
    await slack.types("/auditlog shop")
    listed = await told(slack, "Newest sessions")
    ours = str(listed.raw["blocks"][1]["accessory"]["value"])
    wanted = {"region": "osc-fr1", "app": "vault", "app_id": ran["app_id"], "event_id": ran["id"]}
    forged = [
        json.dumps(wanted),
        ours[:-1],
        ours[1:],
        ours + "A",
        ours.swapcase(),
        "é" + ours[1:],
        signing.seal(b"", wanted),
        signing.seal(bot.parts.webhook_key, wanted),
        # As the one before the secret changed.
        signing.seal(bot.parts.settings.key_for("button")[::-1], wanted),
    ]
    for value in forged:
        await slack.presses("read_session", within=listed, value=value)
    heard = await slack.told(count=1 + len(forged))
    assert {each.text for each in heard[1:]} == {signing.NOT_OURS}
    # One of ours, for an app that is not hers: the right is of whoever presses.
    await slack.presses("read_session", within=listed, value=signing.seal(bot.parts.button_key, wanted))
    assert "no app vault" in (await slack.told(count=2 + len(forged)))[-1].text.replace("`", "")
    assert await slack.threads() == []
    steps = [step for step in await bot.parts.store.trail(100) if step.action == "forged_button"]
    assert [step.outcome for step in steps] == ["refused: Refused"] * len(forged)


# --- subscriptions


def _limited(slack: SlackStandin, right: dict[str, Any]) -> None:
    right["is_limited"] = True


def _pending(slack: SlackStandin, right: dict[str, Any]) -> None:
    right["status"] = "pending"


def _gone(slack: SlackStandin, right: dict[str, Any]) -> None:
    right["email"] = "somebody@example.com"


def _deactivated(slack: SlackStandin, right: dict[str, Any]) -> None:
    slack.person(BOB, deleted=True)


def _guest(slack: SlackStandin, right: dict[str, Any]) -> None:
    slack.person(BOB, guest=True)


@pytest.mark.parametrize("loses", [_limited, _pending, _gone, _deactivated, _guest])
async def test_a_subscription_ends_with_the_right_of_whoever_subscribed(
    loses: Callable[[SlackStandin, dict[str, Any]], None],
    start: Start,
    slack: SlackStandin,
    scalingo: ScalingoStandin,
) -> None:
    bot = await start(**FAST)
    right = scalingo.collaborator("shop", BOB)
    assert "now gets" in await answer(slack, "/auditlog subscribe shop", BOB)
    loses(slack, right)
    bot.parts.access.forget("osc-fr1", "shop", slack.user_id(BOB))
    scalingo.ran(SECRET_COMMAND, app="shop", by=ADA, log=audit_log("hush"))
    (said,) = await slack.thread(wait_for=1)
    assert "gets no more sessions" in said.text
    assert "hush" not in json.dumps(said.raw)
    assert await bot.parts.store.subscriptions() == []

    async def written() -> bool:
        (newest, *_) = await bot.parts.store.trail(1)
        return (newest.action, newest.who, newest.outcome) == ("subscription", slack.user_id(BOB), "refused: NotYours")

    await until(written)


# --- Slack's door


def signed(slack: SlackStandin, body: bytes, at: float | None = None) -> dict[str, str]:
    stamp = str(int(at or time.time()))
    mac = hmac.new(slack.signing_secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mac}", "Content-Type": FORM}


async def knocks(
    bot: Running, path: str, body: Any = b"", headers: dict[str, str] | None = None, method: str = "POST"
) -> tuple[int, str]:
    async with (
        ClientSession() as http,
        http.request(method, f"{bot.address}{path}", data=body, headers=headers, allow_redirects=False) as answered,
    ):
        text = await answered.text()
        assert "Traceback" not in text
        assert "Python" not in answered.headers["Server"]
        return answered.status, text


DEEP = b"[" * 50_000


@pytest.mark.parametrize("body", [b"command=/auditlog&text=help", b"{", b"[]", DEEP, b"\xff\xfe", b"payload=" + DEEP])
@pytest.mark.parametrize("content_type", [FORM, "application/json", "text/plain; charset=utf-7", "x; charset=idna", ""])
async def test_nothing_unsigned_is_looked_at(body: bytes, content_type: str, bot: Running, slack: SlackStandin) -> None:
    good = signed(slack, body)
    for wrong in (
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": "v0=é"},
        {"X-Slack-Signature": good["X-Slack-Signature"].upper()},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "soon"},
        {"X-Slack-Request-Timestamp": "-1"},
        {"X-Slack-Request-Timestamp": "١٧٩٥٤٣٠٥٧٥"},
        {"X-Slack-Request-Timestamp": "9" * 400},
        signed(slack, body, time.time() - 301),
        signed(slack, body, time.time() + 310),
    ):
        assert await knocks(bot, "/slack/events", body, good | wrong | {"Content-Type": content_type}) == (
            401,
            "Unauthorized",
        )


async def test_what_is_signed_and_makes_no_sense_is_refused_in_a_word(bot: Running, slack: SlackStandin) -> None:
    for body, content_type in (
        (b"{", "application/json"),
        (b"payload=" + DEEP, FORM),
        (DEEP, "application/json"),
        (b"\xff", FORM),
        (b"a=b", f"{FORM}; charset=idna"),
        (b"a=b", f"{FORM}; charset=none"),
    ):
        status, text = await knocks(bot, "/slack/events", body, signed(slack, body) | {"Content-Type": content_type})
        assert status in {400, 404, 415}
        assert len(text) < 60
    for body in (b"[]", b"null", b"5", b'"x"'):
        status, text = await knocks(
            bot, "/slack/events", body, signed(slack, body) | {"Content-Type": "application/json"}
        )
        assert 400 <= status <= 500
        assert len(text) < 60
    body = b"command=%2Fother&text=x&user_id=U1&channel_id=C1&team_id=T1"
    assert (await knocks(bot, "/slack/events", body, signed(slack, body)))[0] == 404


async def test_other_routes_are_not_there(bot: Running) -> None:
    for method, path, status in (
        ("GET", "/", 404),
        ("GET", "/slack/events", 405),
        ("POST", "/slack/install", 404),
        ("POST", "/slack/events/x", 404),
        ("GET", "/metrics", 404),
        ("POST", "/healthz", 405),
        ("GET", "/../bot.sqlite", 404),
        ("GET", "/scalingo/x", 405),
    ):
        assert (await knocks(bot, path, method=method))[0] == status


async def test_a_body_is_bounded_also_where_it_does_not_say_how_long_it_is(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin, public_url: str
) -> None:
    bot = await start(PUBLIC_URL=public_url)
    await answer(slack, "/auditlog subscribe shop", ADA)
    webhook = "/" + scalingo.notifiers("shop")[0]["type_data"]["webhook_url"].split("/", 3)[3]

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 16_384

    for path in ("/slack/events", webhook):
        assert (await knocks(bot, path, endless()))[0] == 413


@asynccontextmanager
async def elsewhere() -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A host that nobody configured, and what it was asked."""
    asked: list[web.Request] = []

    async def listen(request: web.Request) -> web.Response:
        asked.append(request)
        return web.json_response({})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", listen)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    "host", ["http://evil.example", "https://hooks.slack.com.evil.example", "https://x@evil.example"]
)
async def test_no_answer_goes_to_another_host(host: str, bot: Running, slack: SlackStandin) -> None:
    """Were it tried, it would be tried again and again: nothing would be found in the trail."""
    form = {
        "command": "/auditlog", "text": "nothing last", "user_id": slack.user_id(EVE), "user_name": "eve",
        "channel_id": slack.channel_id("ops"), "team_id": slack.team_id, "trigger_id": "1", "response_url": f"{host}/r",
    }  # fmt: skip
    assert (await slack.send(urlencode(form).encode(), FORM)).status == 200

    async def refused() -> bool:
        return [step.outcome for step in await bot.parts.store.trail(9)] == ["refused: NotYours"]

    await until(refused)


# --- Scalingo's side


async def test_a_webhook_is_for_the_app_that_it_was_made_for(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin, public_url: str
) -> None:
    bot = await start(PUBLIC_URL=public_url, POLL_EVERY_S="3600")
    scalingo.app("vault", owner=BOB)
    ran = scalingo.ran(SECRET_COMMAND, app="vault", by=BOB, log=audit_log("hush"))
    await answer(slack, "/auditlog subscribe shop", ADA)
    path = "/" + scalingo.notifiers("shop")[0]["type_data"]["webhook_url"].split("/", 3)[3]
    sealed = path.rsplit("/", 1)[1]
    event = json.dumps(ran).encode()
    wanted = ["osc-fr1", ran["app_id"], []]
    for forged in (
        sealed[:-1],
        sealed + "A",
        "é",
        "%00",
        signing.seal(b"", wanted),
        signing.seal(bot.parts.button_key, wanted),
        signing.seal(bot.parts.webhook_key[::-1], wanted),
    ):
        assert (await knocks(bot, f"/scalingo/{forged}", event))[0] == 404
    for body in (
        b"",
        b"{",
        b"\xff",
        DEEP,
        b"[]",
        b'{"id": 5}',
        b'{"id": "../../etc/passwd"}',
        b'{"id": "' + b"a" * 200,
    ):
        assert (await knocks(bot, path, body))[0] == 400
    # Whatever the event says of its app: only the app of the address is asked about, and knows no such event.
    assert (await knocks(bot, path, event))[0] == 204
    await until(lambda: _asked(scalingo, "*/shop/events"))
    assert not await _asked(scalingo, "*/vault/events")
    assert await slack.threads() == []


async def _asked(scalingo: ScalingoStandin, pattern: str) -> bool:
    return bool(scalingo.asked(pattern))


async def test_no_redirect_of_scalingos_is_followed(
    start: Start, slack: SlackStandin, scalingo: ScalingoStandin
) -> None:
    async with elsewhere() as (evil, asked):

        async def redirect(_: web.Request) -> web.Response:
            return web.Response(status=302, headers={"Location": f"{evil}/v1/apps/shop"})

        application = web.Application()
        application.router.add_route("*", "/{path:.*}", redirect)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await start(SCALINGO_API_URL=f"http://127.0.0.1:{runner.addresses[0][1]}")
        assert "redirect" in await answer(slack, "/auditlog shop last", ADA)
        await runner.cleanup()
        assert asked == []


# --- for whoever runs this


async def test_health_and_metrics_tell_a_stranger_nothing(start: Start, slack: SlackStandin) -> None:
    bot = await start(METRICS_TOKEN="m" * 20)
    assert await knocks(bot, "/healthz", method="GET") == (200, '{"status": "ok"}')
    for authorization in ("", "Bearer ", "Bearer é", "Bearer " + "m" * 19, "bearer " + "m" * 20, "m" * 20):
        headers = {"Authorization": authorization}
        assert await knocks(bot, "/metrics", headers=headers, method="GET") == (401, "Unauthorized")
    await bot.parts.store.close()
    bot.parts.store.ping = _down  # type: ignore[method-assign]
    assert await knocks(bot, "/healthz", method="GET") == (503, '{"status": "failing", "store": "does not answer"}')


async def _down() -> None:
    raise TimeoutError


async def test_no_secret_of_ours_is_in_a_representation(bot: Running, slack: SlackStandin) -> None:
    parts = bot.parts
    shown = [f"{each!r} {each}" for each in (parts, parts.settings, parts.slack, parts.scalingo, parts.store)]
    shown.append(repr(vars(parts.scalingo)) + repr(vars(parts.settings)))
    for secret in parts.settings.secrets():
        assert secret
        assert not any(secret in each for each in shown)
