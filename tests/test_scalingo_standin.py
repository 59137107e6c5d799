"""The stand-in is as strict as Scalingo's documentation: what it lets pass would pass there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from aiohttp import web

from bot.standin.scalingo import ScalingoStandin

WEBHOOK = {"webhook_url": "http://127.0.0.1:1/hook"}


@pytest.fixture
async def scalingo() -> AsyncIterator[ScalingoStandin]:
    async with ScalingoStandin() as scalingo:
        scalingo.app("shop")
        yield scalingo


@pytest.fixture
async def http(scalingo: ScalingoStandin) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in."""
    async with httpx.AsyncClient(base_url=scalingo.url, trust_env=False) as http:
        answer = await http.post("/auth/v1/tokens/exchange", auth=("", scalingo.token))
        http.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        yield http


async def test_the_exchange_wants_the_token_as_password_of_nobody(scalingo: ScalingoStandin) -> None:
    async with httpx.AsyncClient(base_url=scalingo.url, trust_env=False) as http:
        for auth in (("", "tk-us-wrong"), ("ada", scalingo.token)):
            assert (await http.post("/auth/v1/tokens/exchange", auth=auth)).status_code == 401
        assert (await http.post("/auth/v1/tokens/exchange")).status_code == 401


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic eDp5"])
async def test_everything_else_wants_a_bearer(http: httpx.AsyncClient, authorization: str) -> None:
    answer = await http.get("/v1/apps", headers={"Authorization": authorization})
    assert answer.status_code == 401
    assert "error" in answer.json()


async def test_a_bearer_lives_for_its_time(scalingo: ScalingoStandin, http: httpx.AsyncClient) -> None:
    scalingo.bearer_lives_s = 0
    answer = await http.post("/auth/v1/tokens/exchange", auth=("", scalingo.token))
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert (await http.get("/v1/apps", headers=headers)).status_code == 401
    assert (await http.get("/v1/apps")).status_code == 200


async def test_the_rate_limit(scalingo: ScalingoStandin, http: httpx.AsyncClient) -> None:
    scalingo.rate_limit = 60
    answers = [await http.get("/v1/apps") for _ in range(60)]
    # The exchange was the first of the minute.
    assert [answer.status_code for answer in answers] == [200] * 59 + [429]
    assert answers[-1].text == "Retry later"
    assert answers[-1].headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/apps/other", 404),
        ("GET", "/regions/osc-secnum-fr1/v1/apps/shop", 404),
        ("GET", "/v1/apps/shop/audit_logs/missing", 404),
        ("GET", "/v1/apps/shop/notifiers/missing", 404),
        ("POST", "/v1/apps/shop/events", 405),
        ("GET", "/auth/v1/tokens/exchange", 405),
        ("GET", "/v1/apps?per_page=5", 400),
        ("GET", "/v1/apps/shop/events?limit=5", 400),
        ("GET", "/v1/apps/shop/events?page=0", 400),
        ("GET", "/v1/apps/shop/events?page=x", 400),
        ("GET", "/v1/apps/shop/events?from=73", 400),
        ("GET", "/v1/apps/shop/events?from=0", 400),
    ],
)
async def test_what_does_not_exist(http: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    answer = await http.request(method, path)
    assert answer.status_code == status
    assert "error" in answer.json()


async def test_pages(scalingo: ScalingoStandin, http: httpx.AsyncClient) -> None:
    for number in range(61):
        scalingo.ran(f"run {number}", app="shop")
    answer = (await http.get("/v1/apps/shop/events", params={"page": 2})).json()
    assert len(answer["events"]) == 20
    assert answer["meta"]["pagination"] == {
        "current_page": 2,
        "prev_page": 1,
        "next_page": 3,
        "total_pages": 4,
        "total_count": 61,
    }
    last = (await http.get("/v1/apps/shop/events", params={"page": 2, "per_page": 1000})).json()
    assert len(last["events"]) == 11
    assert last["meta"]["pagination"]["next_page"] is None


async def test_an_app_without_events_has_one_empty_page(http: httpx.AsyncClient) -> None:
    answer = (await http.get("/v1/apps/shop/events")).json()
    assert answer["events"] == []
    assert answer["meta"]["pagination"]["total_pages"] == 1


async def test_from_overrides_the_pages(scalingo: ScalingoStandin, http: httpx.AsyncClient) -> None:
    for number in range(30):
        scalingo.ran("bash", app="shop", at=datetime.now(UTC) - timedelta(hours=number / 10))
    answer = (await http.get("/v1/apps/shop/events", params={"from": 2, "page": 9, "per_page": 1})).json()
    assert len(answer["events"]) == 20


async def test_an_event_keeps_the_name_of_its_day(scalingo: ScalingoStandin, http: httpx.AsyncClient) -> None:
    scalingo.ran("bash", app="shop", by="bob@example.com", without=["detached"], audit_log_size=7)
    scalingo.rename("shop", "boutique")
    scalingo.transfer("boutique", "bob@example.com")
    [event] = (await http.get("/v1/apps/boutique/events")).json()["events"]
    assert (event["app_name"], event["user"]["email"]) == ("shop", "bob@example.com")
    assert event["type_data"].keys() == {"command", "audit_log_id", "audit_log_size"}
    assert event["type_data"]["audit_log_size"] == 7
    assert (await http.get("/v1/apps/boutique")).json()["app"]["owner"]["email"] == "bob@example.com"


async def test_a_log_that_comes_later_brings_its_size(scalingo: ScalingoStandin, http: httpx.AsyncClient) -> None:
    event = scalingo.ran("bash", app="shop")
    path = f"/v1/apps/shop/audit_logs/{event['type_data']['audit_log_id']}"
    assert "audit_log_size" not in event["type_data"]
    assert (await http.get(path)).status_code == 404
    scalingo.log(event, b"[ ]")
    assert (await http.get(path)).content == b"[ ]"
    [listed] = (await http.get("/v1/apps/shop/events")).json()["events"]
    assert listed["type_data"]["audit_log_size"] == 3


async def test_a_session_without_an_audit_log_id_has_no_log(scalingo: ScalingoStandin) -> None:
    event = scalingo.ran("bash", app="shop", log=b"[]", without=["audit_log_id"])
    assert "audit_log_id" not in event["type_data"]


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ({}, {"platform_id", "name"}),
        ({"platform_id": "np-webhook"}, {"name"}),
        ({"platform_id": "other", "name": "bot"}, {"platform_id"}),
        ({"platform_id": "np-webhook", "name": 7}, {"name"}),
        ({"platform_id": "np-webhook", "name": "bot", "colour": "red"}, {"colour"}),
        ({"platform_id": "np-webhook", "name": "bot", "active": "false"}, {"active"}),
        ({"platform_id": "np-webhook", "name": "bot", "selected_event_ids": ["x"]}, {"selected_event_ids"}),
    ],
)
async def test_a_notifier_that_is_refused(http: httpx.AsyncClient, given: dict[str, Any], faults: set[str]) -> None:
    answer = await http.post("/v1/apps/shop/notifiers", json={"notifier": given})
    assert answer.status_code == 422
    assert answer.json()["errors"].keys() == faults


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ('{"notifier": {}}', "text/plain", 400),
        ('{"notifier": ', "application/json", 400),
        ("[]", "application/json", 422),
        ('{"notifiers": {"name": "bot"}}', "application/json", 422),
    ],
)
async def test_a_body_that_is_refused(http: httpx.AsyncClient, body: str, content_type: str, status: int) -> None:
    answer = await http.post("/v1/apps/shop/notifiers", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status


async def test_the_life_of_a_notifier(scalingo: ScalingoStandin, http: httpx.AsyncClient) -> None:
    given = {"platform_id": "np-webhook", "name": "bot", "type_data": WEBHOOK}
    made = (await http.post("/v1/apps/shop/notifiers", json={"notifier": given})).json()["notifier"]
    path = f"/v1/apps/shop/notifiers/{made['id']}"
    assert (await http.get(path)).json()["notifier"] == made
    assert (await http.patch(path, json={"notifier": {"platform_id": "np-slack"}})).status_code == 422
    assert (await http.patch(path, json={"notifier": {"active": False}})).json()["notifier"]["active"] is False
    assert await scalingo.fire(scalingo.ran("bash", app="shop")) == []
    assert (await http.post(f"{path}/test")).status_code == 200
    assert [(url, status) for url, _, status in scalingo.sent] == [(WEBHOOK["webhook_url"], 0)]
    assert (await http.delete(path)).status_code == 204
    assert (await http.delete(path)).status_code == 404


async def test_an_event_reaches_the_notifiers_that_want_it(scalingo: ScalingoStandin, http: httpx.AsyncClient) -> None:
    received: list[dict[str, Any]] = []

    async def hook(request: web.Request) -> web.Response:
        received.append(await request.json())
        return web.Response(status=202)

    application = web.Application()
    application.add_routes([web.post("/hook", hook)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    for selected, everything in ((["et-app-command-ran"], False), ([], True), (["et-app-deployed"], False)):
        given = {
            "platform_id": "np-webhook",
            "name": "bot",
            "type_data": {"webhook_url": url},
            "selected_event_ids": selected,
            "send_all_events": everything,
        }
        await http.post("/v1/apps/shop/notifiers", json={"notifier": given})
    event = scalingo.ran("bash", app="shop")
    assert await scalingo.fire(event) == [202, 202]
    assert received == [event, event]
    await runner.cleanup()


async def test_platforms_and_event_types_have_ids(http: httpx.AsyncClient) -> None:
    found = (await http.get("/v1/notification_platforms/search", params={"name": "webhook"})).json()
    assert [platform["id"] for platform in found["notification_platforms"]] == ["np-webhook"]
    nothing = (await http.get("/v1/notification_platforms/search", params={"name": "pigeon"})).json()
    assert nothing == {"notification_platforms": []}
    types = (await http.get("/v1/event_types")).json()["event_types"]
    assert "app_command_ran" in {each["name"] for each in types}


async def test_faults_strike_as_often_as_they_are_told(scalingo: ScalingoStandin, http: httpx.AsyncClient) -> None:
    fault = scalingo.fail("GET /v1/apps", 503, times=2, every=2)
    statuses = [(await http.get("/v1/apps")).status_code for _ in range(6)]
    assert statuses == [200, 503, 200, 503, 200, 200]
    assert fault.struck == 2
    assert [seen.status for seen in scalingo.asked("GET /v1/apps")] == statuses
    assert scalingo.asked("POST /v1/apps") == []


async def test_slowness_comes_with_another_fault(scalingo: ScalingoStandin, http: httpx.AsyncClient) -> None:
    slow = scalingo.fail("*", "slow", seconds=0.001)
    scalingo.fail("*", 402, seconds=0.001)
    answer = await http.get("/v1/apps")
    assert (answer.status_code, slow.struck) == (402, 1)
    assert "url" in answer.json()
