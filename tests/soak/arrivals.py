"""How a run event may be heard of: twice, late, wrongly, never; of an app under another name, for a channel that is closed."""

from __future__ import annotations

import asyncio
import json
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import ClientSession
from emulate import why_not
from serving import ADA, SAMPLE, House, emulated

from .scenario import Setting, scenario

NEVER: dict[str, Any] = {"POLL_EVERY_S": "3600"}


@scenario("webhook-twice-and-out-of-order")
async def twice(setting: Setting) -> str:
    async with House(setting.folder, **NEVER) as house:
        await house.start()
        await house.subscribe()
        now = datetime.now(UTC)
        events = [house.ran(f"task {n}", at=now + timedelta(seconds=n)) for n in range(6)]
        hints = events * 3
        random.shuffle(hints)
        asked = len(house.scalingo.requests)
        sent = await asyncio.gather(*(house.scalingo.fire(event) for event in hints))
        took = await house.settled(events)
        assert {status for each in sent for status in each} == {204}
        return f"18 hints of 6 events, {len(house.scalingo.requests) - asked} requests, threads after {took:.1f} s"


@scenario("webhook-malformed-and-forged")
async def forged(setting: Setting) -> str:
    async with House(setting.folder, **NEVER) as house:
        await house.start()
        await house.subscribe()
        event = house.ran("task")
        good = house.scalingo.notifiers("shop")[0]["type_data"]["webhook_url"]
        body = json.dumps(event).encode()
        tries = [
            (good, b"", 400),
            (good, b"{", 400),
            (good, b"[]", 400),
            (good, b"null", 400),
            (good, b'"x"', 400),
            (good, b"\xff\xfe", 400),
            (good, json.dumps({**event, "id": 7}).encode(), 400),
            (good, json.dumps({**event, "id": "../../etc/passwd"}).encode(), 400),
            (good, b"[" * 100_000, 400),
            (good, b"x" * 1_000_000, 413),
            (good[:-3] + "AAA", body, 404),
            (good.rpartition("/")[0] + "/", body, 404),
            (good.rpartition("/")[0] + "/x", body, 404),
            (f"{house.url}/scalingo", body, 404),
            (good, json.dumps({**event, "id": "f" * 24}).encode(), 204),
            (good, json.dumps({**event, "type": "deploy"}).encode(), 204),
        ]
        wrong, slowest = [], 0.0
        async with ClientSession() as http:
            for url, sent, expected in tries:
                began = time.perf_counter()
                async with http.post(url, data=sent) as answer:
                    await answer.read()
                slowest = max(slowest, time.perf_counter() - began)
                if answer.status != expected:
                    wrong.append(f"{sent[:20]!r}: {answer.status}")
        assert not wrong, wrong
        # Of an event that is not there a hint is believed by nobody; what is there was found on the way.
        await house.settled([event])
        return f"{len(tries)} bodies and addresses, slowest answer {1000 * slowest:.0f} ms"


@scenario("webhook-never")
async def never(setting: Setting) -> str:
    async with House(setting.folder, PUBLIC_URL="") as house:
        await house.start()
        await house.subscribe()
        events = [house.ran(f"task {n}") for n in range(4)]
        return f"polling alone, threads after {await house.settled(events):.1f} s"


@scenario("webhook-flood-of-200")
async def flood(setting: Setting) -> str:
    async with House(setting.folder, **NEVER) as house:
        await house.start()
        await house.subscribe()
        event = house.ran("task")
        asked = len(house.scalingo.requests)
        url = house.scalingo.notifiers("shop")[0]["type_data"]["webhook_url"]
        slowest = 0.0
        async with ClientSession() as http:

            async def hint(number: int) -> None:
                nonlocal slowest
                began = time.perf_counter()
                async with http.post(url, json={**event, "id": f"{number:024x}"}) as answer:
                    assert answer.status == 204
                slowest = max(slowest, time.perf_counter() - began)

            for wave in range(20):
                await asyncio.gather(*(hint(10 * wave + n) for n in range(10)))
        await house.settled([event])
        await asyncio.sleep(22)
        requests = len(house.scalingo.requests) - asked
        assert requests < 60, f"{requests} requests to Scalingo for 200 hints"
        return f"{requests} requests to Scalingo for 200 hints, slowest answer {1000 * slowest:.0f} ms"


@scenario("renamed-app")
async def renamed(setting: Setting) -> str:
    async with House(setting.folder) as house:
        await house.start()
        await house.subscribe()
        first = house.ran("first")
        await house.settled([first])
        later = house.ran("held", log=None)
        await asyncio.sleep(1.5)
        house.scalingo.rename("shop", "boutique")
        house.scalingo.app("shop", owner="eve@example.com")
        second = house.ran("second", app="boutique")
        house.scalingo.ran("another's", app="shop", by="eve@example.com", log=SAMPLE)
        house.scalingo.log(later, SAMPLE)
        took = await house.settled([first, later, second])
        return f"threads of the old app only, after {took:.1f} s"


@scenario("deleted-app")
async def deleted(setting: Setting) -> str:
    async with House(setting.folder) as house:
        await house.start()
        await house.subscribe()
        house.scalingo.remove("shop")
        await asyncio.sleep(4)
        said = [post.text for thread in await house.slack.threads() for post in thread]
        assert len(said) == 1, said
        assert "no more sessions" in said[0], said
        assert "starts again" not in said[0], said
        return str(said[0])


@scenario("thrown-out-and-back")
async def thrown_out(setting: Setting) -> str:
    async with House(setting.folder) as house:
        await house.start()
        await house.subscribe()
        house.slack.removes_bot()
        events = [house.ran(f"task {n}") for n in range(3)]
        await house.slack.types("/auditlog shop last")
        heard = await house.slack.told(count=2)
        assert "invite" in heard[1].text, heard[1].text
        await asyncio.sleep(2)
        assert await house.slack.threads() == []
        house.bot.kill()
        await house.restart()
        await asyncio.sleep(1)
        await house.slack.invites()
        took = await house.settled(events)
        return f"kept while out, through a restart; threads {took:.1f} s after the invitation"


@scenario("log-not-there-cut-slow")
async def logs(setting: Setting) -> str:
    async with House(setting.folder) as house:
        await house.start()
        await house.subscribe()
        missing = house.ran("not there", log=None)
        without_id = house.ran("no id yet", log=None, without=["audit_log_id"])
        cut, slow = house.ran("cut"), house.ran("slow")
        at = "*/audit_logs/"
        house.scalingo.fail(at + cut["type_data"]["audit_log_id"], "cut", times=2)
        house.scalingo.fail(at + slow["type_data"]["audit_log_id"], "slow", seconds=6)
        await asyncio.sleep(6)
        running = [post for thread in await house.slack.threads() for post in thread if "running" in post.text]
        assert len(running) == 2, [post.text for post in running]
        house.scalingo.log(missing, SAMPLE)
        without_id["type_data"]["audit_log_id"] = "late-id"
        house.scalingo.log(without_id, SAMPLE)
        took = await house.settled([missing, without_id, cut, slow])
        return f"both that were running: threads {took:.1f} s after their logs came"


@scenario("log-that-grows", within_s=240)
async def grows(setting: Setting) -> str:
    async with House(setting.folder) as house:
        await house.start()
        await house.subscribe()
        now = datetime.now(UTC)
        records = [
            {"time": (now + timedelta(seconds=n)).isoformat(), "content": f"line {n}\n", "type": "output"}
            for n in range(40)
        ]
        event = house.ran("bash", log=json.dumps(records[:20]).encode())
        await house.settled([event])
        house.scalingo.log(event, json.dumps(records).encode())
        began = time.monotonic()
        while True:
            thread = (await house.slack.threads())[0]
            files = [content for post in thread for content in post.files.values()]
            if len(files) == 1 and b"line 39" in files[0]:
                break
            await asyncio.sleep(0.2)
        took = time.monotonic() - began
        await house.settled([event])
        return f"the one file was replaced after {took:.1f} s"


@scenario("bearer-expires")
async def bearer(setting: Setting) -> str:
    async with House(setting.folder) as house:
        await house.start()
        await house.subscribe()
        events = []
        for number in range(4):
            house.scalingo.expire_bearers()
            events.append(house.ran(f"task {number}"))
            await asyncio.sleep(0.7)
        took = await house.settled(events)
        exchanges = len(house.scalingo.asked("POST */tokens/exchange"))
        assert exchanges <= 7, f"{exchanges} exchanges"
        return f"{exchanges} exchanges, threads after {took:.1f} s"


@scenario("a-dozen-idle-subscriptions", within_s=240)
async def idle(setting: Setting) -> str:
    async with House(setting.folder, POLL_EVERY_S="60", SCALINGO_RATE_LIMIT="60") as house:
        for number in range(12):
            house.scalingo.app(f"app-{number}", owner=ADA)
        await house.start(SCALINGO_RATE_LIMIT="6000")
        for number in range(12):
            assert "now gets" in await house.subscribe(f"app-{number}")
        status, _ = await house.bot.stop()
        assert status == 0
        began = time.time()
        await house.start()
        await asyncio.sleep(130)
        at = [seen.time - began for seen in house.scalingo.requests if seen.time > began]
        most = max(sum(start <= each < start + 60 for each in at) for start in at)
        assert most <= 20, f"{most} requests in one minute"
        return f"at most {most} requests in any minute, {len(at)} in the 130 s after a start"


@scenario("emulate-conversation")
async def other_slack(setting: Setting) -> str:
    if why_not():
        return f"left out: {why_not()}"
    async with emulated() as slack, House(setting.folder, slack=slack) as house:
        await house.start()
        await house.subscribe()
        events = [house.ran(f"task {n}") for n in range(3)]
        await asyncio.gather(*(house.scalingo.fire(event) for event in events * 2))
        took = await house.settled(events)
        house.slack.removes_bot()
        later = house.ran("later")
        await asyncio.sleep(3)
        await house.slack.invites()
        back = await house.settled([*events, later])
        return f"threads after {took:.1f} s; back in the channel {back:.1f} s"


@scenario("emulate-lost-answers", within_s=300)
async def other_slack_faults(setting: Setting) -> str:
    if why_not():
        return f"left out: {why_not()}"
    async with emulated() as slack, House(setting.folder, slack=slack) as house:
        await house.start()
        await house.subscribe()
        events = []
        for method in ("chat.postMessage", "files.getUploadURLExternal", "upload", "files.completeUploadExternal"):
            for what in ("lost", "reset", 500, 429):
                house.slack.fail(method, what, times=1)
                events.append(house.ran(f"{method} {what}"))
                await asyncio.sleep(2.5)
        took = await house.settled(events, within_s=120)
        return f"{len(events)} sessions, the last threads {took:.1f} s after"
