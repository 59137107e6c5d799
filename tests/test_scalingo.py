"""The client against a strict and faulty Scalingo, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import email.utils
import gzip
import json
import logging
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog.testing
from pydantic import SecretStr

from bot.errors import (
    AuditLogBroken,
    BadInput,
    BotError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    Misconfigured,
    NotReady,
    PaymentRequired,
    RateLimited,
    Rejected,
    TokenRefused,
    Unreachable,
)
from bot.scalingo.client import Scalingo, _in_thread
from bot.scalingo.limiter import SlidingLimiter
from bot.scalingo.transport import MOST_ANSWER_BYTES, Patience
from bot.standin.scalingo import ScalingoStandin

REGION = "osc-fr1"
LOG = b'[{"time": "2026-11-23T17:27:27Z", "content": "ls\\n", "type": "input"}]'
HASTY = Patience(first_wait_s=0.001, longest_wait_s=0.002, limited_first_wait_s=0.001, limited_s=5)


class RecordingLimiter(SlidingLimiter):
    """The real one, with no limit to speak of, that writes down who asked and who paused."""

    def __init__(self) -> None:
        super().__init__(1_000_000)
        self.acquired: list[bool] = []
        self.paused: list[float] = []
        self.when_paused: Callable[[], None] = lambda: None

    async def acquire(self, *, background: bool) -> None:
        self.acquired.append(background)
        await super().acquire(background=background)

    async def pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.when_paused()
        await super().pause(min(seconds, 0.001))


class Hours:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def standin() -> AsyncIterator[ScalingoStandin]:
    async with ScalingoStandin() as standin:
        yield standin


@pytest.fixture
def limiter() -> RecordingLimiter:
    return RecordingLimiter()


@pytest.fixture
def clock() -> Hours:
    return Hours()


@pytest.fixture
def requests_told() -> list[tuple[str, int, float]]:
    return []


@pytest.fixture
async def scalingo(
    standin: ScalingoStandin,
    limiter: RecordingLimiter,
    clock: Hours,
    requests_told: list[tuple[str, int, float]],
) -> AsyncIterator[Scalingo]:
    async with connected(
        standin, limiter=limiter, clock=clock, on_request=lambda *told: requests_told.append(told)
    ) as client:
        yield client


@contextlib.asynccontextmanager
async def connected(standin: ScalingoStandin, **changes: Any) -> AsyncIterator[Scalingo]:
    client = Scalingo(
        **{
            "token": SecretStr(standin.token),
            "auth_url": standin.auth_url,
            "default_region": REGION,
            "api_url": standin.url,
            "limiter": RecordingLimiter(),
            "patience": HASTY,
            **changes,
        }
    )
    try:
        yield client
    finally:
        await client.aclose()


# --- the token


async def test_the_token_is_exchanged_once_an_hour(standin: ScalingoStandin, scalingo: Scalingo, clock: Hours) -> None:
    standin.app("shop")
    for minutes in (0, 1, 54):
        clock.seconds = minutes * 60
        await scalingo.app(REGION, "shop")
    assert len(standin.asked("*/tokens/exchange")) == 1
    clock.seconds = 56 * 60
    await scalingo.app(REGION, "shop")
    assert len(standin.asked("*/tokens/exchange")) == 2


async def test_one_exchange_however_many_wait_for_it(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.app("shop")
    standin.fail("*/tokens/exchange", "slow", seconds=0.05)
    await asyncio.gather(*(scalingo.app(REGION, "shop") for _ in range(20)))
    assert len(standin.asked("*/tokens/exchange")) == 1


async def test_a_401_is_cured_by_one_more_exchange(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.app("shop")
    await scalingo.app(REGION, "shop")
    standin.expire_bearers()
    await asyncio.gather(*(scalingo.app(REGION, "shop") for _ in range(20)))
    assert len(standin.asked("*/tokens/exchange")) == 2


async def test_a_bearer_that_expires_on_the_way_is_renewed_for_a_post_too(
    standin: ScalingoStandin, scalingo: Scalingo
) -> None:
    standin.app("shop")
    await scalingo.webhook_platform_id(REGION)
    await scalingo.run_event_type_id(REGION)
    standin.expire_bearers()
    await scalingo.add_notifier(REGION, "shop", name="bot", webhook_url="https://bot.example.com/x")
    assert [seen.status for seen in standin.asked("POST */notifiers")] == [401, 201]
    assert len(standin.notifiers("shop")) == 1


async def test_a_401_that_stays_is_the_tokens_fault(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.app("shop")
    standin.fail("*/apps/shop", 401, times=None)
    with pytest.raises(TokenRefused, match="SCALINGO_API_TOKEN"):
        await scalingo.app(REGION, "shop")
    assert len(standin.asked("*/apps/shop")) == 2


async def test_a_wrong_token_is_told_without_showing_it(standin: ScalingoStandin) -> None:
    wrong = "tk-us-" + "wrong" * 8
    async with connected(standin, token=SecretStr(wrong)) as scalingo:
        with pytest.raises(TokenRefused, match="SCALINGO_API_TOKEN") as refused:
            await scalingo.check()
        assert wrong not in f"{refused.value!r} {refused.value.__cause__!r} {scalingo!r} {vars(scalingo)}"
    assert [seen.status for seen in standin.requests] == [401]


async def test_an_exchange_that_fails_is_tried_again_and_told_to_all_who_wait(standin: ScalingoStandin) -> None:
    standin.app("shop")
    async with connected(standin) as scalingo:
        standin.fail("*/tokens/exchange", "lost", times=2)
        await scalingo.check()
        assert len(standin.asked("*/tokens/exchange")) == 3
    standin.fail("*/tokens/exchange", 503, times=None)
    async with connected(standin) as scalingo:
        told = await asyncio.gather(*(scalingo.app(REGION, "shop") for _ in range(5)), return_exceptions=True)
        assert [type(each) for each in told] == [Unreachable] * 5
        assert len(standin.asked("*/tokens/exchange")) == 3 + HASTY.tries


async def test_somebody_who_gave_up_does_not_stop_the_exchange_for_others(
    standin: ScalingoStandin, scalingo: Scalingo
) -> None:
    standin.app("shop")
    standin.fail("*/tokens/exchange", "slow", seconds=0.05)
    first = asyncio.create_task(scalingo.app(REGION, "shop"))
    second = asyncio.create_task(scalingo.app(REGION, "shop"))
    while not standin.asked("*") and not first.done():
        await asyncio.sleep(0.01)
        first.cancel()
    assert (await second).name == "shop"


@pytest.mark.parametrize("body", ['{"token": ""}', '{"token": "a b"}', '{"token": 7}', "[]", '{"bearer": "x"}', " "])
async def test_an_exchange_without_a_bearer_names_the_variable(standin: ScalingoStandin, body: str) -> None:
    standin.fail("*/tokens/exchange", 200, times=None, body=body)
    async with connected(standin) as scalingo:
        with pytest.raises(Unreachable, match="SCALINGO_AUTH_URL"):
            await scalingo.check()


@pytest.mark.parametrize("status", [302, 400, 404])
async def test_an_address_that_exchanges_no_tokens_names_the_variable(standin: ScalingoStandin, status: int) -> None:
    standin.fail("*/tokens/exchange", status)
    async with connected(standin) as scalingo:
        with pytest.raises(Misconfigured, match="SCALINGO_AUTH_URL"):
            await scalingo.check()


async def test_closing_during_an_exchange_leaves_nothing_behind(standin: ScalingoStandin) -> None:
    standin.fail("*/tokens/exchange", "slow", seconds=5)
    async with connected(standin) as scalingo:
        checking = asyncio.create_task(scalingo.check())
        await asyncio.sleep(0.02)
    with pytest.raises(asyncio.CancelledError):
        await checking


# --- the rate limit


async def test_every_request_goes_through_the_limiter(
    standin: ScalingoStandin,
    scalingo: Scalingo,
    limiter: RecordingLimiter,
    requests_told: list[tuple[str, int, float]],
    tmp_path: Path,
) -> None:
    standin.app("shop")
    event = standin.ran("bash", app="shop", log=LOG)
    standin.fail("*/apps/shop", 500)
    await scalingo.app(REGION, "shop")
    await scalingo.region_names()
    await scalingo.in_background().collaborators(REGION, "shop")
    await scalingo.download_audit_log(REGION, "shop", event["type_data"]["audit_log_id"], tmp_path / "log")
    assert len(limiter.acquired) == len(standin.requests) == len(requests_told) == 6
    assert limiter.acquired.count(True) == 1
    assert [status for _, status, _ in requests_told] == [200, 500, 200, 200, 200, 200]
    assert {api for api, _, _ in requests_told} == {"scalingo"}
    assert all(waited_s >= 0 for _, _, waited_s in requests_told)


@pytest.mark.parametrize("path", ["*/apps/shop/notifiers", "*/tokens/exchange"])
async def test_a_429_means_wait_whatever_the_method(
    standin: ScalingoStandin, scalingo: Scalingo, limiter: RecordingLimiter, path: str
) -> None:
    standin.app("shop")
    standin.fail(f"POST {path}", 429, times=3)
    await scalingo.add_notifier(REGION, "shop", name="bot", webhook_url="https://bot.example.com/x")
    assert len(standin.notifiers("shop")) == 1
    assert len(limiter.paused) == 3
    # Growing, although each has its jitter.
    assert limiter.paused == sorted(limiter.paused)


async def test_a_429_that_names_a_time_is_believed(
    standin: ScalingoStandin, scalingo: Scalingo, limiter: RecordingLimiter
) -> None:
    standin.app("shop")
    standin.fail("*/apps/shop", 429, headers={"Retry-After": "3"})
    await scalingo.app(REGION, "shop")
    assert limiter.paused == [3]
    soon = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=4), usegmt=True)
    standin.fail("*/apps/shop", 429, headers={"Retry-After": soon})
    await scalingo.app(REGION, "shop")
    assert 1 < limiter.paused[1] <= 4


@pytest.mark.parametrize("nonsense", ["soon", "0", "-5", "", "٣", "Thu, 01 Jan 1970 00:00:00 GMT"])
async def test_a_429_that_names_no_time_waits_a_little(
    standin: ScalingoStandin, scalingo: Scalingo, limiter: RecordingLimiter, nonsense: str
) -> None:
    standin.app("shop")
    standin.fail("*/apps/shop", 429, headers={"Retry-After": nonsense} if nonsense.isascii() else {})
    await scalingo.app(REGION, "shop")
    [paused] = limiter.paused
    assert 0 < paused < 0.01


async def test_a_rate_limit_without_an_end_is_told_at_last(
    standin: ScalingoStandin, scalingo: Scalingo, limiter: RecordingLimiter
) -> None:
    standin.app("shop")
    standin.fail("*/apps/shop", 429, times=None, headers={"Retry-After": "2"})
    with pytest.raises(RateLimited, match="rate limit") as limited:
        await scalingo.app(REGION, "shop")
    assert limited.value.retry_after_s == 2
    assert limiter.paused == [2, 2, 2]


async def test_somebody_else_uses_the_same_account(
    standin: ScalingoStandin, scalingo: Scalingo, limiter: RecordingLimiter
) -> None:
    standin.app("shop")
    standin.rate_limit = 10

    def a_minute_later() -> None:
        standin.rate_limit = None

    limiter.when_paused = a_minute_later
    apps = await asyncio.gather(*(scalingo.app(REGION, "shop") for _ in range(30)))
    assert [app.name for app in apps] == ["shop"] * 30
    assert limiter.paused


# --- retries


@pytest.mark.parametrize("fault", ["reset", "lost", "cut", "html", 500, 502, 503])
async def test_what_may_be_repeated_is_repeated(
    standin: ScalingoStandin, scalingo: Scalingo, fault: Any, tmp_path: Path
) -> None:
    app = standin.app("shop")
    for each in ("GET */apps/shop", "GET */events", "PATCH */notifiers/*", "GET */notifiers", "*/regions"):
        standin.fail(each, fault, times=2)
    added = await scalingo.add_notifier(REGION, "shop", name="bot", webhook_url="https://bot.example.com/x")
    assert (await scalingo.app(REGION, "shop")).id == app.id
    assert await scalingo.run_events_of_last_hours(REGION, "shop", 72) == []
    assert [each.id for each in await scalingo.notifiers(REGION, "shop")] == [added.id]
    assert await scalingo.region_names() == (REGION,)
    await scalingo.update_notifier(REGION, "shop", added.id, webhook_url="https://bot.example.com/y")
    assert standin.notifiers("shop")[0]["type_data"] == {"webhook_url": "https://bot.example.com/y"}


@pytest.mark.parametrize(
    ("fault", "sentence"), [("reset", "lost"), ("lost", "lost"), (500, "problem of its own"), ("html", "no JSON")]
)
async def test_a_notifier_is_never_made_twice(
    standin: ScalingoStandin, scalingo: Scalingo, fault: Any, sentence: str
) -> None:
    standin.app("shop")
    standin.fail("POST */notifiers", fault)
    with pytest.raises(Unreachable, match=sentence) as lost:
        await scalingo.add_notifier(REGION, "shop", name="bot", webhook_url="https://bot.example.com/x")
    assert lost.value.maybe_done
    assert len(standin.asked("POST */notifiers")) == 1
    assert len(standin.notifiers("shop")) == (fault == "lost")


async def test_a_notifier_that_was_removed_and_whose_answer_got_lost_is_gone(
    standin: ScalingoStandin, scalingo: Scalingo
) -> None:
    standin.app("shop")
    added = await scalingo.add_notifier(REGION, "shop", name="bot", webhook_url="https://bot.example.com/x")
    standin.fail("DELETE *", "lost")
    await scalingo.remove_notifier(REGION, "shop", added.id)
    assert [seen.status for seen in standin.asked("DELETE *")] == [0, 404]
    assert standin.notifiers("shop") == []


async def test_tries_end(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.app("shop")
    standin.fail("*/apps/shop", 500, times=None)
    with pytest.raises(Unreachable, match="problem of its own"):
        await scalingo.app(REGION, "shop")
    assert len(standin.asked("*/apps/shop")) == HASTY.tries


async def test_nobody_there(standin: ScalingoStandin) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        async with connected(standin, api_url=url) as scalingo:
            with pytest.raises(Unreachable, match="could not be reached for the app shop") as told:
                await scalingo.app(REGION, "shop")
    assert not told.value.maybe_done


async def test_an_answer_that_never_comes(standin: ScalingoStandin) -> None:
    standin.app("shop")
    standin.fail("*/apps/shop", "slow", seconds=1, times=HASTY.tries + 1)
    async with connected(standin, patience=dataclasses.replace(HASTY, answer_s=0.1)) as scalingo:
        with pytest.raises(Unreachable, match="took too long"):
            await scalingo.app(REGION, "shop")
        assert (await scalingo.app(REGION, "shop")).name == "shop"


async def test_faults_of_many_kinds_at_once(standin: ScalingoStandin, scalingo: Scalingo, tmp_path: Path) -> None:
    standin.app("shop")
    event = standin.ran("bash", app="shop", log=LOG)
    faults: list[Any] = ["reset", "lost", "cut", "html", 500, 429, 401]
    for number, fault in enumerate(faults, start=1):
        standin.fail("GET *", fault, times=None, every=5 + 2 * number)
    for _ in range(20):
        await scalingo.app(REGION, "shop")
        [seen] = await scalingo.run_events_of_last_hours(REGION, "shop", 1)
        assert seen.id == event["id"]
        await scalingo.download_audit_log(REGION, "shop", event["type_data"]["audit_log_id"], tmp_path / "log")
        assert (tmp_path / "log").read_bytes() == LOG


# --- refusals


@pytest.mark.parametrize(
    ("status", "kind", "sentence"),
    [
        (302, Rejected, "redirect"),
        (400, Rejected, "with status 400"),
        (402, PaymentRequired, "billing"),
        (403, Forbidden, "collaborator"),
        (404, Gone, "does not know the app shop"),
        (405, Rejected, "with status 405"),
        (409, Conflict, "state it is in"),
        (418, Rejected, "with status 418"),
        (422, Invalid, "field wrong in the request for the app shop .it says: name is invalid"),
    ],
)
async def test_every_refusal_has_its_class_and_its_sentence(
    standin: ScalingoStandin, scalingo: Scalingo, status: int, kind: type[BotError], sentence: str
) -> None:
    standin.app("shop")
    standin.fail("*/apps/shop", status, times=None)
    with pytest.raises(kind, match=sentence) as refused:
        await scalingo.app(REGION, "shop")
    assert type(refused.value) is kind
    assert "\n" not in str(refused.value)
    assert len(standin.asked("*/apps/shop")) == 1


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("<html>Bad Gateway</html>", ""),
        ("", ""),
        ("[1]", ""),
        ('{"error": {"deep": 1}}', ""),
        ('{"errors": ["x"]}', ""),
        ('{"error": "no \\u202e\\u0007\\n room"}', "no room"),
        ('{"errors": {"name": "is taken", "size": ["too small", 7]}}', "name is taken; size too small, 7"),
        ('{"error": "can not call https://bot.example.com/hook/sealed now"}', "can not call (address) now"),
        ('{"error": "' + "x" * 5000 + '"}', "x" * 200 + "…"),
    ],
)
async def test_what_the_api_says_is_shown_short_and_harmless(
    standin: ScalingoStandin, scalingo: Scalingo, body: str, shown: str
) -> None:
    standin.fail("*/apps/shop", 409, body=body)
    with pytest.raises(Conflict) as refused:
        await scalingo.app(REGION, "shop")
    said = f" (it says: {shown})" if shown else ""
    assert str(refused.value) == f"Scalingo refused the app shop because of the state it is in{said}."


async def test_a_token_that_the_api_repeats_is_not_shown(
    standin: ScalingoStandin, scalingo: Scalingo, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await scalingo.check()
    [bearer] = standin._bearers
    standin.fail("*/apps/shop", 400, body=json.dumps({"error": f"bad {standin.token} and Bearer {bearer}"}))
    with pytest.raises(Rejected, match="bad •••••• and Bearer ••••••") as refused:
        await scalingo.app(REGION, "shop")
    everything = f"{refused.value!r} {caplog.text} {vars(scalingo)} {scalingo._transport._bearer!r}"
    assert standin.token not in everything
    assert bearer not in everything


async def test_a_refusal_whose_body_is_cut_is_a_refusal_all_the_same(
    standin: ScalingoStandin, scalingo: Scalingo
) -> None:
    standin.fail("*/apps/nothing", "cut")
    with pytest.raises(Gone):
        await scalingo.app(REGION, "nothing")


async def test_a_redirect_is_never_followed(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.app("shop")
    standin.app("other")
    standin.fail("*/apps/shop", 307, headers={"Location": f"{standin.url}/v1/apps/other"})
    with pytest.raises(Rejected, match="SCALINGO_API_URL"):
        await scalingo.app(REGION, "shop")
    assert standin.asked("*/apps/other") == []


async def test_no_proxy_from_the_environment(
    standin: ScalingoStandin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    standin.app("shop")
    async with connected(standin) as scalingo:
        assert (await scalingo.app(REGION, "shop")).name == "shop"


async def test_an_endless_answer_is_not_read(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.fail("*/apps/shop", 200, body='{"app": "' + "x" * MOST_ANSWER_BYTES)
    with pytest.raises(Rejected, match="over 16 MiB"):
        await scalingo.app(REGION, "shop")


@pytest.mark.parametrize("body", ["{}", "[]", "", '{"app": {"id": "../x", "name": "shop"}}', '{"app": null}'])
async def test_an_app_that_makes_no_sense(standin: ScalingoStandin, scalingo: Scalingo, body: str) -> None:
    standin.fail("*/apps/shop", 200, body=body)
    with pytest.raises(Unreachable, match="makes no sense"):
        await scalingo.app(REGION, "shop")


# --- what never becomes part of an address

BAD_NAMES = ["", "../etc/passwd", "a/b", "a%2fb", "a b", "shop\n", "ä", "-shop", "shop?x=1", "x" * 65, "a.b", "shop\0"]


@pytest.mark.parametrize("name", BAD_NAMES)
async def test_a_malformed_name_never_reaches_scalingo(
    standin: ScalingoStandin, scalingo: Scalingo, name: str, tmp_path: Path
) -> None:
    asked: list[Callable[[], Awaitable[object]]] = [
        lambda: scalingo.app(REGION, name),
        lambda: scalingo.collaborators(REGION, name),
        lambda: scalingo.run_events_of_last_hours(REGION, name, 1),
        lambda: anext(scalingo.run_events(REGION, name)),
        lambda: scalingo.download_audit_log(REGION, name, "id", tmp_path / "log"),
        lambda: scalingo.notifiers(REGION, name),
        lambda: scalingo.add_notifier(REGION, name, name="bot", webhook_url="https://bot.example.com/x"),
        lambda: scalingo.update_notifier(REGION, "shop", name * 2, webhook_url="https://bot.example.com/x"),
        lambda: scalingo.remove_notifier(REGION, "shop", name * 2),
        lambda: scalingo.test_notifier(REGION, name, "no-1"),
    ]
    for ask in asked:
        with pytest.raises(BadInput):
            await ask()
    assert standin.requests == []


@pytest.mark.parametrize("audit_log_id", ["", "../../etc/passwd", "..", ".x", "a/b", "x" * 129, "a\n", "a b", "é"])
async def test_a_malformed_audit_log_id_never_reaches_scalingo(
    standin: ScalingoStandin, scalingo: Scalingo, audit_log_id: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="at most 128"):
        await scalingo.download_audit_log(REGION, "shop", audit_log_id, tmp_path / "log")
    assert standin.requests == []


# --- regions


async def test_an_app_of_another_region_is_asked_for_there(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.app("shop")
    elsewhere = standin.app("shop", region="osc-secnum-fr1")
    app = await scalingo.app("osc-secnum-fr1", "shop")
    assert (app.id, app.region) == (elsewhere.id, "osc-secnum-fr1")
    assert await scalingo.region_names() == (REGION, "osc-secnum-fr1")
    assert len(standin.asked("*/regions")) == 1


async def test_the_list_of_regions_is_kept_for_an_hour(
    standin: ScalingoStandin, scalingo: Scalingo, clock: Hours
) -> None:
    await asyncio.gather(*(scalingo.region_names() for _ in range(5)))
    clock.seconds = 3500
    await scalingo.region_names()
    assert len(standin.asked("*/regions")) == 1
    clock.seconds = 3700
    standin.fail("*/regions", 500, times=None)
    assert await scalingo.region_names() == (REGION,)


@pytest.mark.parametrize("region", ["mars", "../x", "", "OSC-FR1", "osc-fr1.example.com#", "x" * 5000])
async def test_an_unknown_region_is_answered_with_the_known_ones(
    standin: ScalingoStandin, scalingo: Scalingo, region: str
) -> None:
    standin.app("shop", region="osc-secnum-fr1")
    with pytest.raises(BadInput, match="has `osc-fr1`, `osc-secnum-fr1`"):
        await scalingo.app(region, "shop")


@pytest.mark.parametrize(
    "api",
    [
        "https://api.evil.example.com",
        "http://api.mars.scalingo.com",
        "https://scalingo.com.evil.example.com",
        "https://evilscalingo.com",
        "https://user@api.mars.scalingo.com",
        "https://api.mars.scalingo.com:8443",
        "https://api.mars.scalingo.com/path",
        "https://api.mars.scalingo.com?x=1",
        "https://127.0.0.1:1",
        "http://localhost.evil.example.com",
        "http://[::1",
        "",
    ],
)
async def test_a_region_with_a_foreign_address_is_not_believed(
    standin: ScalingoStandin, scalingo: Scalingo, api: str
) -> None:
    body = json.dumps({"regions": [{"name": "mars", "api": api}, {"name": "a b", "api": "https://x.scalingo.com"}]})
    standin.fail("*/regions", 200, body=body)
    with pytest.raises(BadInput, match="has `osc-fr1`"):
        await scalingo.app("mars", "shop")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
async def test_a_region_on_this_machine_is_believed_where_the_configured_one_is(
    standin: ScalingoStandin, scalingo: Scalingo, host: str
) -> None:
    standin.fail("*/regions", 200, body=json.dumps({"regions": [{"name": "mars", "api": f"http://{host}:1/mars/"}]}))
    assert await scalingo._regions.base_url("mars") == f"http://{host}:1/mars"


async def test_addresses_by_the_rule_where_none_is_configured(standin: ScalingoStandin) -> None:
    async with connected(standin, api_url=None) as scalingo:
        regions = scalingo._regions
        assert await regions.base_url(REGION) == "https://api.osc-fr1.scalingo.com"
        standin.fail("*/regions", 200, body='{"regions": [{"name": "mars", "api": "https://api.mars.scalingo.com/"}]}')
        assert await regions.base_url("mars") == "https://api.mars.scalingo.com"


async def test_without_the_list_the_documented_regions_are_known(standin: ScalingoStandin) -> None:
    clock = Hours()
    standin.fail("*/regions", 500, times=None)
    async with connected(standin, api_url=None, clock=clock) as scalingo:
        regions = scalingo._regions
        assert await regions.base_url("osc-secnum-fr1") == "https://api.osc-secnum-fr1.scalingo.com"
        with pytest.raises(BadInput, match="osc-secnum-fr1"):
            await regions.base_url("mars")
        assert len(standin.asked("*/regions")) == HASTY.tries
        clock.seconds = 100
        standin.heal()
        standin.app("shop", region="mars")
        assert await regions.base_url("mars") == f"{standin.url}/regions/mars"


async def test_where_there_is_no_list_only_the_configured_region_is_known(
    standin: ScalingoStandin, scalingo: Scalingo
) -> None:
    standin.fail("*/regions", 404, times=None)
    assert await scalingo.region_names() == (REGION,)
    with pytest.raises(BadInput, match="has `osc-fr1`"):
        await scalingo.app("osc-secnum-fr1", "shop")
    assert len(standin.asked("*/regions")) == 1


async def test_without_the_list_no_other_region_is_guessed_where_an_address_is_configured(
    standin: ScalingoStandin, scalingo: Scalingo
) -> None:
    standin.fail("*/regions", 500, times=None)
    assert await scalingo.region_names() == (REGION,)
    with pytest.raises(Unreachable):
        await scalingo.app("osc-secnum-fr1", "shop")


# --- lists and their pages


async def test_who_works_on_an_app(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.app("shop", owner="ada@example.com")
    standin.collaborator("shop", "bob@example.com")
    standin.collaborator("shop", "carl@example.com", status="pending")
    standin.collaborator("shop", "dan@example.com", is_limited=True)
    assert (await scalingo.app(REGION, "shop")).owner.email == "ada@example.com"
    listed = [(each.email, each.status, each.is_limited) for each in await scalingo.collaborators(REGION, "shop")]
    assert listed == [
        ("bob@example.com", "accepted", False),
        ("carl@example.com", "pending", False),
        ("dan@example.com", "accepted", True),
    ]


async def test_an_app_is_followed_by_its_id(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    app = standin.app("shop")
    standin.rename("shop", "boutique")
    assert (await scalingo.app(REGION, app.id)).name == "boutique"
    with pytest.raises(Gone):
        await scalingo.app(REGION, "shop")
    assert [each.name for each in await scalingo.apps(REGION)] == ["boutique"]
    standin.remove("boutique")
    with pytest.raises(Gone):
        await scalingo.app(REGION, app.id)


async def test_an_app_that_does_not_name_its_region_is_in_the_one_that_was_asked(
    standin: ScalingoStandin, scalingo: Scalingo
) -> None:
    standin.fail("*/apps/shop", 200, body='{"app": {"id": "5343", "name": "shop"}}')
    app = await scalingo.app(REGION, "shop")
    assert (app.region, app.owner.email) == (REGION, "")


async def test_every_page_of_a_list_is_read(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    def page(number: int, next_page: object) -> str:
        apps = [{"id": f"id{number}", "name": f"app{number}"}]
        return json.dumps({"apps": apps, "meta": {"pagination": {"next_page": next_page}}})

    # The documentation shows the numbers once as text. A next page that is not further on ends the list.
    for number, next_page in ((1, 2), (2, "3"), (3, 3)):
        standin.fail("*/apps", 200, body=page(number, next_page))
    assert [app.name for app in await scalingo.apps(REGION)] == ["app1", "app2", "app3"]
    assert [seen.path for seen in standin.asked("*/apps")] == ["/v1/apps", "/v1/apps?page=2", "/v1/apps?page=3"]


async def test_run_events_newest_first_page_by_page(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.app("shop")
    now = datetime.now(UTC)
    for number in range(130):
        standin.ran(f"run {number}", app="shop", at=now - timedelta(hours=number))
        standin.happened("deployment", app="shop", at=now - timedelta(hours=number, minutes=5))
    commands = [event.command async for event in scalingo.run_events(REGION, "shop")]
    assert commands == [f"run {number}" for number in range(130)]
    assert len(standin.asked("*/events")) == 6


async def test_whoever_stops_iterating_stops_asking(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.app("shop")
    for number in range(200):
        standin.ran(f"run {number}", app="shop")
    assert (await anext(scalingo.run_events(REGION, "shop"))).command == "run 199"
    assert len(standin.asked("*/events")) == 1


async def test_no_page_is_asked_for_behind_the_time_that_matters(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.app("shop")
    now = datetime.now(UTC)
    for hours in range(200):
        standin.ran(f"{hours} hours ago", app="shop", at=now - timedelta(hours=hours))
    since = now - timedelta(hours=60.5)
    assert len([event async for event in scalingo.run_events(REGION, "shop", since=since)]) == 61
    assert len(standin.asked("*/events")) == 2
    assert len([event async for event in scalingo.run_events(REGION, "shop", pages=3)]) == 150
    assert len(standin.asked("*/events")) == 5


async def test_an_oldest_event_without_a_date_ends_nothing(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.app("shop")
    standin.ran("bash", app="shop")
    listed = {"events": [{"type": "run"}], "meta": {"pagination": {"next_page": 2}}}
    standin.fail("*/events", 200, body=json.dumps(listed))
    standin.per_page = standin.most_per_page = 1
    for _ in range(3):
        standin.ran("bash", app="shop")
    since = datetime.now(UTC) - timedelta(hours=1)
    assert len([event async for event in scalingo.run_events(REGION, "shop", since=since)]) == 3
    assert len(standin.asked("*/events")) == 4


async def test_new_events_between_two_pages_repeat_none_and_lose_none(
    standin: ScalingoStandin, scalingo: Scalingo
) -> None:
    standin.app("shop")
    for number in range(120):
        standin.ran(f"run {number}", app="shop")
    commands: list[str] = []
    async for event in scalingo.run_events(REGION, "shop"):
        commands.append(event.command)
        if len(commands) in {50, 95}:
            for _ in range(3):
                standin.ran("meanwhile", app="shop")
    assert commands == [f"run {number}" for number in reversed(range(120))]


async def test_a_page_size_that_is_refused_is_left_out(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.app("shop")
    for number in range(45):
        standin.ran(f"run {number}", app="shop")
    standin.fail("*/events", 422)
    assert len([event async for event in scalingo.run_events(REGION, "shop")]) == 45
    asked = [seen.path.partition("?")[2] for seen in standin.asked("*/events")]
    assert asked == ["page=1&per_page=50", "page=1", "page=2", "page=3"]
    standin.fail("*/events", 422, times=None)
    with pytest.raises(Rejected):
        await anext(scalingo.run_events(REGION, "shop"))


async def test_the_events_of_the_last_hours_come_in_one_answer(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.app("shop")
    now = datetime.now(UTC)
    for hours in range(100):
        standin.ran(f"{hours} hours ago", app="shop", at=now - timedelta(hours=hours))
    assert len(await scalingo.run_events_of_last_hours(REGION, "shop", 10)) == 10
    # The API takes 1 to 72.
    assert len(await scalingo.run_events_of_last_hours(REGION, "shop", 100)) == 72
    assert len(await scalingo.run_events_of_last_hours(REGION, "shop", 0)) == 1
    assert len(standin.asked("*/events")) == 3


async def test_malformed_events_are_skipped_and_said_so(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    app = standin.app("shop")
    standin.ran("bash", app="shop")
    app.events.append({"type": "run", "id": "x"})
    app.events.append({**standin.ran("half \ud800", app="shop")})
    with structlog.testing.capture_logs() as logs:
        events = await scalingo.run_events_of_last_hours(REGION, "shop", 1)
    assert sorted(event.command for event in events) == ["bash", "half ?", "half ?"]
    assert [(log["event"], log["skipped"]) for log in logs] == [("scalingo.events_skipped", 1)]


async def test_events_without_a_list_are_skipped_and_said_so(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.fail("*/events", 200, body="{}")
    with structlog.testing.capture_logs() as logs:
        assert [event async for event in scalingo.run_events(REGION, "shop")] == []
    assert logs[0]["log_level"] == "warning"


# --- notifiers


async def test_the_life_of_a_notifier(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.app("shop")
    added = await scalingo.add_notifier(REGION, "shop", name="audit logs", webhook_url=f"{standin.url}/hook")
    assert (added.name, added.active, added.send_all_events) == ("audit logs", True, False)
    assert added.platform_id == await scalingo.webhook_platform_id(REGION)
    assert added.selected_event_ids == (await scalingo.run_event_type_id(REGION),)
    assert await scalingo.notifiers(REGION, "shop") == [added]

    await scalingo.test_notifier(REGION, "shop", added.id)
    event = standin.ran("bash", app="shop")
    await standin.fire(event)
    assert [(url, sent["type"]) for url, sent, _ in standin.sent] == [
        (f"{standin.url}/hook", "test"),
        (f"{standin.url}/hook", "run"),
    ]

    standin.notifiers("shop")[0].update(active=False, selected_event_ids=[], send_all_events=True)
    await scalingo.update_notifier(REGION, "shop", added.id, webhook_url=f"{standin.url}/new", name="ours")
    [repaired] = await scalingo.notifiers(REGION, "shop")
    assert (repaired.name, repaired.active, repaired.send_all_events) == ("ours", True, False)
    assert (repaired.webhook_url, repaired.selected_event_ids) == (f"{standin.url}/new", added.selected_event_ids)

    await scalingo.remove_notifier(REGION, "shop", added.id)
    await scalingo.remove_notifier(REGION, "shop", added.id)
    assert await scalingo.notifiers(REGION, "shop") == []
    with pytest.raises(Gone):
        await scalingo.update_notifier(REGION, "shop", added.id, webhook_url=f"{standin.url}/new")


async def test_ids_are_asked_for_once_a_region(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    for _ in range(3):
        await scalingo.webhook_platform_id(REGION)
        await scalingo.in_background().run_event_type_id(REGION)
    assert len(standin.asked("*/event_types")) == len(standin.asked("*/notification_platforms/search")) == 1


async def test_a_region_without_the_event_type_says_so(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.fail("*/event_types", 200, body='{"event_types": [{"name": "app_deployed", "id": "x"}]}')
    with pytest.raises(Gone, match="does not list `app_command_ran`"):
        await scalingo.run_event_type_id(REGION)


async def test_a_notifier_that_is_not_shown_is_found_in_the_list(standin: ScalingoStandin, scalingo: Scalingo) -> None:
    standin.app("shop")
    made = await scalingo.add_notifier(REGION, "shop", name="bot", webhook_url="https://bot.example.com/x")
    standin.fail("POST */notifiers", 201, times=2, body=" ")
    found = await scalingo.add_notifier(REGION, "shop", name="bot", webhook_url="https://bot.example.com/x")
    assert found.id == made.id
    with pytest.raises(Unreachable, match="does not list it") as missing:
        await scalingo.add_notifier(REGION, "shop", name="bot", webhook_url="https://bot.example.com/y")
    assert missing.value.maybe_done


# --- audit logs


async def downloaded(scalingo: Scalingo, event: dict[str, Any], to: Path, **more: Any) -> bytes:
    written = await scalingo.download_audit_log(REGION, "shop", event["type_data"]["audit_log_id"], to, **more)
    log = await asyncio.to_thread(to.read_bytes)
    assert written == len(log)
    return log


@pytest.mark.parametrize("fault", ["reset", "lost", "cut", "short", "html", 500, 429])
async def test_a_download_that_was_cut_is_fetched_again(
    standin: ScalingoStandin, scalingo: Scalingo, fault: Any, tmp_path: Path
) -> None:
    standin.app("shop")
    event = standin.ran("bash", app="shop", log=LOG)
    standin.fail("*/audit_logs/*", fault, times=3)
    assert await downloaded(scalingo, event, tmp_path / "log") == LOG
    assert len(standin.asked("*/audit_logs/*")) == 4


@pytest.mark.parametrize("fault", ["cut", "short", "reset"])
async def test_a_download_that_is_always_cut_is_never_a_short_session(
    standin: ScalingoStandin, scalingo: Scalingo, fault: Any, tmp_path: Path
) -> None:
    standin.app("shop")
    event = standin.ran("bash", app="shop", log=LOG)
    standin.fail("*/audit_logs/*", fault, times=None)
    with pytest.raises(Unreachable):
        await downloaded(scalingo, event, tmp_path / "log")
    assert len(standin.asked("*/audit_logs/*")) == HASTY.tries


@pytest.mark.parametrize("way", ["on the way", "in the store", "both"])
async def test_gzip(standin: ScalingoStandin, scalingo: Scalingo, way: str, tmp_path: Path) -> None:
    standin.app("shop")
    standin.gzip = way != "in the store"
    path = tmp_path / "stored"
    path.write_bytes(LOG if way == "on the way" else gzip.compress(LOG))
    event = standin.ran("bash", app="shop", log=path)
    standin.fail("*/audit_logs/*", "short", times=2)
    assert await downloaded(scalingo, event, tmp_path / "log") == LOG


async def test_progress_is_told(standin: ScalingoStandin, scalingo: Scalingo, tmp_path: Path) -> None:
    standin.app("shop")
    log = b"[" + b" " * 1_000_000 + b"]"
    event = standin.ran("bash", app="shop", log=log)
    told: list[tuple[int, int | None]] = []
    await downloaded(scalingo, event, tmp_path / "log", on_progress=lambda *each: told.append(each))
    assert told[-1] == (len(log), len(log))
    assert len(told) > 5
    assert told == sorted(told)


async def test_a_log_whose_length_nobody_knows(standin: ScalingoStandin, scalingo: Scalingo, tmp_path: Path) -> None:
    standin.app("shop")
    standin.chunked = True
    event = standin.ran("bash", app="shop", log=LOG)
    told: list[tuple[int, int | None]] = []
    assert await downloaded(scalingo, event, tmp_path / "log", on_progress=lambda *each: told.append(each)) == LOG
    assert told == [(len(LOG), None)]


async def test_a_log_that_is_not_there_yet(standin: ScalingoStandin, scalingo: Scalingo, tmp_path: Path) -> None:
    standin.app("shop")
    event = standin.ran("bash", app="shop")
    with pytest.raises(NotReady, match=r"does not have the audit log .* of shop yet"):
        await downloaded(scalingo, event, tmp_path / "log")
    standin.log(event, b"[]")
    standin.fail("*/audit_logs/*", 202, body="")
    with pytest.raises(NotReady):
        await downloaded(scalingo, event, tmp_path / "log")
    assert await downloaded(scalingo, event, tmp_path / "log") == b"[]"


async def test_what_is_no_audit_log(standin: ScalingoStandin, scalingo: Scalingo, tmp_path: Path) -> None:
    standin.app("shop")
    event = standin.ran("bash", app="shop", log=b'{"error": "nothing"}')
    with pytest.raises(AuditLogBroken, match="no audit log"):
        await downloaded(scalingo, event, tmp_path / "log")
    assert len(standin.asked("*/audit_logs/*")) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(403, Forbidden), (401, TokenRefused), (400, Rejected), (500, Unreachable)]
)
async def test_a_refused_audit_log(
    standin: ScalingoStandin, scalingo: Scalingo, tmp_path: Path, status: int, kind: type[BotError]
) -> None:
    standin.app("shop")
    event = standin.ran("bash", app="shop", log=LOG)
    standin.fail("*/audit_logs/*", status, times=None)
    with pytest.raises(kind):
        await downloaded(scalingo, event, tmp_path / "log")


async def test_a_download_that_is_given_up_leaves_its_file_closed(
    standin: ScalingoStandin, scalingo: Scalingo, tmp_path: Path
) -> None:
    standin.app("shop")
    event = standin.ran("bash", app="shop", log=b"[" + b" " * 50_000_000 + b"]")
    begun = asyncio.Event()
    download = asyncio.create_task(downloaded(scalingo, event, tmp_path / "log", on_progress=lambda *_: begun.set()))
    await begun.wait()
    download.cancel()
    with pytest.raises(asyncio.CancelledError):
        await download
    size = (tmp_path / "log").stat().st_size
    await asyncio.sleep(0.05)
    assert (tmp_path / "log").stat().st_size == size
    # The connection was given back, or closed: the next one is served.
    assert await scalingo.run_events_of_last_hours(REGION, "shop", 1)


async def test_a_thread_at_work_is_waited_for_although_we_were_cancelled() -> None:
    may_end, ended = threading.Event(), threading.Event()

    def work() -> None:
        may_end.wait()
        ended.set()
        raise OSError

    working = asyncio.create_task(_in_thread(work))
    await asyncio.sleep(0)
    working.cancel()
    asyncio.get_running_loop().call_later(0.01, may_end.set)
    with pytest.raises(asyncio.CancelledError):
        await working
    assert ended.is_set()
