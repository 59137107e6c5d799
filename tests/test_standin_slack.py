"""The stand-in for Slack is as strict as Slack, and its people talk to the app as Slack does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import ClientSession, web
from slack_sdk.signature import SignatureVerifier

from bot.standin.limits import complaints
from bot.standin.people import Post, Told, shown
from bot.standin.slack import SlackStandin

Json = dict[str, Any]

BUTTON: Json = {
    "type": "actions",
    "block_id": "b",
    "elements": [
        {
            "type": "button",
            "action_id": "read_session",
            "value": "sealed",
            "text": {"type": "plain_text", "text": "Read"},
        }
    ],
}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(text: str, **more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(text), **more}


def rich(*elements: Json, kind: str = "rich_text_section") -> Json:
    return {"type": "rich_text", "elements": [{"type": kind, "elements": list(elements)}]}


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandin]:
    async with SlackStandin() as slack:
        slack.channel("ops")
        yield slack


async def call(
    slack: SlackStandin, method: str, *, token: str | None = None, get: bool = False, **arguments: Any
) -> Json:
    headers = {"Authorization": f"Bearer {slack.token if token is None else token}"} if token != "" else {}
    async with ClientSession() as http:
        url = slack.api_url + method
        request = (
            http.get(url, params=arguments, headers=headers) if get else http.post(url, json=arguments, headers=headers)
        )
        async with request as answer:
            return dict(await answer.json())


# The Web API


async def test_who_asks_and_for_what(slack: SlackStandin) -> None:
    assert (await call(slack, "auth.test", token=""))["error"] == "not_authed"
    assert (await call(slack, "auth.test", token="wrong"))["error"] == "invalid_auth"
    assert (await call(slack, "files.upload"))["error"] == "unknown_method"
    assert (await call(slack, "auth.test", get=True))["user_id"] == slack.bot_user_id
    slack.scopes.clear()
    refused = await call(slack, "chat.postMessage", channel="C", text="x")
    assert (refused["error"], refused["needed"]) == ("missing_scope", "chat:write")
    assert [seen.error for seen in slack.calls] == ["not_authed", "invalid_auth", "unknown_method", "", "missing_scope"]


async def test_arguments_come_as_json_as_a_form_or_in_the_query(slack: SlackStandin) -> None:
    channel, headers = slack.channel_id("ops"), {"Authorization": f"Bearer {slack.token}"}
    blocks = json.dumps([section("form")])
    async with ClientSession() as http:
        where = slack.api_url + "chat.postMessage"
        await http.post(where, data={"channel": channel, "blocks": blocks}, headers=headers)
        await http.post(where, params={"channel": channel, "text": "query"}, headers=headers)
        async with http.post(where, data="{", headers={**headers, "Content-Type": "application/json"}) as answer:
            assert (await answer.json())["error"] == "channel_not_found"
    assert [shown(message) for message in await slack.messages("ops")] == ["form", "query"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"blocks": "{"}, "invalid_blocks_format"),
        ({"blocks": [{"type": "header", "text": mrkdwn("x")}]}, "invalid_blocks"),
        ({"text": "x", "thread_ts": "1.0"}, "thread_not_found"),
        ({"text": "x", "metadata": "["}, "invalid_metadata_format"),
        ({"text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_format"),
        ({"text": "x", "metadata": {"event_payload": {}}}, "invalid_metadata_format"),
        ({"text": "x", "metadata": {"event_type": "a", "event_payload": {"b": "x" * 8000}}}, "metadata_too_large"),
    ],
)
async def test_messages_that_slack_refuses(slack: SlackStandin, arguments: Json, error: str) -> None:
    refused = await call(slack, "chat.postMessage", channel=slack.channel_id("ops"), **arguments)
    assert refused["error"] == error
    assert await slack.messages("ops") == []


async def test_other_peoples_messages_are_theirs(slack: SlackStandin) -> None:
    ts, channel = slack.says("mine")["ts"], slack.channel_id("ops")
    assert (await call(slack, "chat.update", channel=channel, ts=ts, text="x"))["error"] == "cant_update_message"
    assert (await call(slack, "chat.delete", channel=channel, ts=ts))["error"] == "cant_delete_message"
    assert (await call(slack, "chat.update", channel=channel, ts="1.0", text="x"))["error"] == "message_not_found"


async def test_metadata_comes_only_where_it_is_asked_for(slack: SlackStandin) -> None:
    channel = slack.channel_id("ops")
    metadata = {"event_type": "a", "event_payload": {"key": "k"}}
    ts = (await call(slack, "chat.postMessage", channel=channel, text="x", metadata=metadata))["ts"]
    slack.says("y", thread_ts=ts)
    [without] = (await call(slack, "conversations.history", channel=channel))["messages"]
    [with_it] = (await call(slack, "conversations.history", channel=channel, include_all_metadata=True))["messages"]
    assert "metadata" not in without
    assert with_it["metadata"] == metadata
    assert (with_it["reply_count"], with_it["reply_users"]) == (1, [slack.user_id("ada@example.com")])


async def test_pages(slack: SlackStandin) -> None:
    channel = slack.channel_id("ops")
    for number in range(5):
        slack.says(f"{number}")
    first = await call(slack, "conversations.history", channel=channel, limit=3)
    cursor = first["response_metadata"]["next_cursor"]
    second = await call(slack, "conversations.history", channel=channel, limit=3, cursor=cursor)
    assert [message["text"] for message in first["messages"] + second["messages"]] == ["4", "3", "2", "1", "0"]
    assert (first["has_more"], second["has_more"]) == (True, False)
    latest = await call(slack, "conversations.history", channel=channel, latest=first["messages"][0]["ts"], limit=1)
    assert [message["text"] for message in latest["messages"]] == ["3"]


async def test_nothing_is_read_where_the_bot_is_not(slack: SlackStandin) -> None:
    public, private = slack.channel("public", bot=False).id, slack.channel("private", private=True, bot=False).id
    assert (await call(slack, "conversations.history", channel=public))["error"] == "not_in_channel"
    assert (await call(slack, "conversations.info", channel=private))["error"] == "channel_not_found"


@pytest.mark.parametrize("arguments", [{}, {"filename": "a", "length": 0}, {"filename": "", "length": 1}])
async def test_a_file_needs_a_name_and_a_length(slack: SlackStandin, arguments: Json) -> None:
    assert (await call(slack, "files.getUploadURLExternal", **arguments))["error"] == "invalid_arguments"


async def test_a_file_needs_each_of_its_steps(slack: SlackStandin) -> None:
    channel = slack.channel_id("ops")
    place = await call(slack, "files.getUploadURLExternal", filename="a.txt", length=5)
    named: Json = {"files": [{"id": place["file_id"]}], "channel_id": channel}
    assert (await call(slack, "files.completeUploadExternal", **named))["error"] == "file_not_found"
    assert (await call(slack, "files.info", file=place["file_id"]))["error"] == "file_not_found"
    async with ClientSession() as http:
        assert (await http.post(place["upload_url"], data=b"four")).status == 400
        assert (await http.post(place["upload_url"], data=b"fives")).status == 200
        assert (await call(slack, "files.completeUploadExternal", **named))["ok"]
        assert (await http.post(place["upload_url"], data=b"fives")).status == 404
    assert (await call(slack, "files.completeUploadExternal", **named))["error"] == "file_not_found"
    assert (await call(slack, "files.completeUploadExternal", files=[], channel_id=channel))[
        "error"
    ] == "invalid_arguments"
    [[post]] = await slack.threads("ops")
    assert post.files == {"a.txt": b"fives"}


# Limits of blocks


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [section("x" * 3000)] * 4,
        [{"type": "divider"}] * 50,
        [section("x", fields=[mrkdwn("y")] * 10, accessory=BUTTON["elements"][0])],
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 150}}],
        [{"type": "context", "elements": [mrkdwn("x"), {"type": "image", "image_url": "u", "alt_text": "a"}]}],
        [BUTTON],
        [rich({"type": "text", "text": "x"}, {"type": "link", "url": "https://example.com"})],
        [rich({"type": "text", "text": "x"}, kind="rich_text_preformatted")],
        [{"type": "rich_text", "elements": [{"type": "rich_text_list", "style": "bullet", "elements": []}]}],
    ],
)
def test_blocks_that_slack_shows(blocks: list[Json]) -> None:
    assert complaints(blocks) is None


@pytest.mark.parametrize(
    ("blocks", "error"),
    [
        ({}, "invalid_blocks_format"),
        (["x"], "invalid_blocks_format"),
        ([section("x" * 2900)] * 5, "msg_blocks_too_long"),
        ([{"type": "divider"}] * 51, "invalid_blocks"),
        ([{"type": "divider", "block_id": "a"}] * 2, "invalid_blocks"),
        ([{"type": "divider", "block_id": "a" * 256}], "invalid_blocks"),
        ([{"type": "video"}], "invalid_blocks"),
        ([{"type": "section"}], "invalid_blocks"),
        ([section("x" * 3001)], "invalid_blocks"),
        ([section("")], "invalid_blocks"),
        ([section("x", fields=[mrkdwn("y")] * 11)], "invalid_blocks"),
        ([section("x", fields=[mrkdwn("y" * 2001)])], "invalid_blocks"),
        ([section("x", accessory={"type": "overflow"})], "invalid_blocks"),
        ([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], "invalid_blocks"),
        ([{"type": "context", "elements": []}], "invalid_blocks"),
        ([{"type": "context", "elements": [mrkdwn("x")] * 11}], "invalid_blocks"),
        ([{"type": "actions", "elements": []}], "invalid_blocks"),
        ([{**BUTTON, "elements": BUTTON["elements"] * 2}], "invalid_blocks"),
        ([{**BUTTON, "elements": [{**BUTTON["elements"][0], "value": "x" * 2001}]}], "invalid_blocks"),
        ([{**BUTTON, "elements": [{**BUTTON["elements"][0], "action_id": "x" * 256}]}], "invalid_blocks"),
        ([{**BUTTON, "elements": [{**BUTTON["elements"][0], "style": "blue"}]}], "invalid_blocks"),
        ([{"type": "rich_text"}], "invalid_blocks"),
        ([rich({"type": "text", "text": ""})], "invalid_blocks"),
        ([rich({"type": "link"})], "invalid_blocks"),
        ([rich({"type": "script"})], "invalid_blocks"),
        ([rich({"type": "emoji", "name": "x"}, kind="rich_text_preformatted")], "invalid_blocks"),
        ([rich(kind="rich_text_table")], "invalid_blocks"),
        ([{"type": "rich_text", "elements": [{"type": "rich_text_list", "elements": []}]}], "invalid_blocks"),
    ],
)
def test_blocks_that_slack_refuses(blocks: Any, error: str) -> None:
    refused = complaints(blocks)
    assert refused is not None
    assert refused[0] == error
    assert refused[1]


def test_what_a_message_shows() -> None:
    date = {"type": "date", "timestamp": 1, "format": "{time}", "fallback": "12:00"}
    emoji, link = {"type": "emoji", "name": "wave"}, {"type": "link", "url": "https://example.com"}
    text = shown(
        {"text": "unseen", "blocks": [section("one"), rich({"type": "text", "text": "two "}, date, emoji, link)]}
    )
    assert text.split() == ["one", "two", "12:00:wave:https://example.com"]
    assert shown({"text": "seen"}) == "seen"


# People


class App:
    """What an app on the other side gets, and says."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], str]] = []
        self.says: Json | str = ""
        self.url = ""

    async def serve(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.text()))
        return web.json_response(self.says) if isinstance(self.says, dict) else web.Response(text=self.says)

    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.got[-1][1], keep_blank_values=True).items()}


@pytest.fixture
async def app(slack: SlackStandin) -> AsyncIterator[App]:
    app = App()
    application = web.Application()
    application.router.add_post("/slack/events", app.serve)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.app_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield app
    await runner.cleanup()


async def test_a_command_is_signed_and_says_who_typed_it_where(slack: SlackStandin, app: App) -> None:
    ack = await slack.types("/auditlog shop last", user="ada@example.com")
    headers, body = app.got[0]
    assert (ack.status, ack.body) == (200, "")
    assert SignatureVerifier(slack.signing_secret).is_valid_request(body, headers)
    form = app.form()
    assert (form["command"], form["text"], form["channel_name"]) == ("/auditlog", "shop last", "ops")
    assert form["user_id"] == slack.user_id("ada@example.com")
    assert slack.ephemerals() == []


@pytest.mark.parametrize(("kind", "label"), [("im", "directmessage"), ("private", "privategroup")])
async def test_a_channel_whose_name_is_not_told(slack: SlackStandin, app: App, kind: str, label: str) -> None:
    slack.channel("there", im=kind == "im", private=kind == "private")
    await slack.types("/auditlog", channel="there")
    assert app.form()["channel_name"] == label


async def test_a_forged_or_a_stale_request(slack: SlackStandin, app: App) -> None:
    await slack.send(b"a=b", "application/x-www-form-urlencoded", secret="not it")
    await slack.send(b"a=b", "application/x-www-form-urlencoded", at="1000000000")
    verifier = SignatureVerifier(slack.signing_secret)
    assert not any(verifier.is_valid_request(body, headers) for headers, body in app.got)


async def test_an_ack_with_words_is_what_the_person_is_told(slack: SlackStandin, app: App) -> None:
    app.says = {"text": "help", "response_type": "ephemeral"}
    ack = await slack.types("/auditlog help")
    app.says = "plain"
    await slack.types("/auditlog help")
    assert ack.json["text"] == "help"
    assert [told.text for told in await slack.told(count=2)] == ["help", "plain"]
    with pytest.raises(TimeoutError):
        await slack.told(count=3, within_s=0.05)


async def test_an_app_that_is_not_there(slack: SlackStandin) -> None:
    slack.app_url = "http://127.0.0.1:1"
    assert (await slack.types("/auditlog")).status == 0
    assert [told.text for told in slack.ephemerals()] == ["failed because the app did not respond"]


async def test_a_button_in_a_message_and_in_what_one_was_told(slack: SlackStandin, app: App) -> None:
    channel = slack.channel_id("ops")
    await call(slack, "chat.postMessage", channel=channel, text="list", blocks=[BUTTON])
    [[post]] = await slack.threads("ops")
    await slack.presses("read_session", user="bob@example.com", within=post)
    pressed = json.loads(app.form()["payload"])
    assert (pressed["actions"][0]["value"], pressed["message"]["ts"]) == ("sealed", post.ts)
    assert pressed["user"]["id"] == slack.user_id("bob@example.com")

    app.says = {"text": "list", "blocks": [BUTTON]}
    await slack.types("/auditlog shop")
    [told] = slack.ephemerals()
    app.says = ""
    await slack.presses("read_session", within=told, value="forged")
    pressed = json.loads(app.form()["payload"])
    assert (pressed["actions"][0]["value"], pressed["container"]["is_ephemeral"]) == ("forged", True)
    async with ClientSession() as http:
        await http.post(pressed["response_url"], json={"replace_original": True, "text": "done"})
    assert [each.text for each in slack.ephemerals(standing=True)] == ["done"]


async def test_a_button_in_a_thread_says_so(slack: SlackStandin, app: App) -> None:
    raw = {
        "ts": "2.0",
        "thread_ts": "1.0",
        "channel": slack.channel_id("ops"),
        "blocks": [section("x", accessory=BUTTON["elements"][0])],
    }
    await slack.presses("read_session", within=Post(raw))
    assert json.loads(app.form()["payload"])["container"]["thread_ts"] == "1.0"


async def test_an_answer_that_everybody_sees_is_noticed(slack: SlackStandin, app: App) -> None:
    app.says = {"text": "all", "response_type": "in_channel"}
    await slack.types("/auditlog")
    [told] = slack.ephemerals()
    assert isinstance(told, Told)
    assert told.to_everybody


async def test_events(slack: SlackStandin, app: App) -> None:
    slack.removes_bot("ops")
    await slack.invites("ops")
    event = json.loads(app.got[0][1])["event"]
    assert (event["type"], event["user"]) == ("member_joined_channel", slack.bot_user_id)
    assert slack.bot_user_id in slack.channel("ops").members


async def test_a_thread_is_waited_for(slack: SlackStandin) -> None:
    channel = slack.channel_id("ops")
    ts = (await call(slack, "chat.postMessage", channel=channel, text="parent"))["ts"]
    waiting = asyncio.create_task(slack.thread("ops", wait_for=2))
    await call(slack, "chat.postMessage", channel=channel, text="reply", thread_ts=ts)
    parent, reply = await waiting
    assert (parent.text, reply.text) == ("parent", "reply")
    await call(slack, "chat.postMessage", channel=channel, text="another")
    [another] = await slack.thread("ops", nth=1, wait_for=1)
    assert another.text == "another"
    with pytest.raises(TimeoutError):
        await slack.thread("ops", within_s=0.05)


async def test_slow_answers(slack: SlackStandin) -> None:
    slack.fail("auth.test", "slow", seconds=0.02)
    assert (await call(slack, "auth.test"))["ok"]
    slack.fail("auth.test", 500, times=None)
    slack.heal()
    assert (await call(slack, "auth.test"))["ok"]
