"""What people in Slack do: they type, they press buttons, they read what they are told.

Slack's servers are another matter: the stand-in's own, or the `emulate` package in the tests; both are driven from here.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from bot.standin.limits import complaints

Json = dict[str, Any]

RESPONSES_A_URL = 5
RESPONSE_URL_LIVES_S = 1800.0
ACK_WITHIN_S = 3.0
ELSEWHERE = "T0THEIRS"


@dataclass(frozen=True)
class Ack:
    """How the app answered; `status` 0 where it did not."""

    status: int
    body: str
    seconds: float

    @property
    def json(self) -> Json:
        return dict(json.loads(self.body)) if self.body.startswith("{") else {}


@dataclass(eq=False)
class Told:
    """What one person saw, and nobody else unless `to_everybody`; no longer `standing` once it was replaced or deleted."""

    user: str
    channel: str
    raw: Json
    to_everybody: bool = False
    standing: bool = True

    @property
    def text(self) -> str:
        return shown(self.raw)


@dataclass(frozen=True)
class Post:
    """A message as it stands in a channel, with the bytes of its files by their names."""

    raw: Json
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def ts(self) -> str:
        return str(self.raw["ts"])

    @property
    def text(self) -> str:
        return shown(self.raw)


@dataclass(eq=False)
class User:
    id: str
    name: str
    email: str | None = None
    team: str = ""
    is_guest: bool = False
    is_bot: bool = False
    deleted: bool = False


@dataclass(eq=False)
class Room:
    """A conversation; `members` are ids of users."""

    id: str
    name: str
    is_private: bool = False
    is_im: bool = False
    is_shared: bool = False
    is_archived: bool = False
    members: set[str] = field(default_factory=set)
    messages: list[Json] = field(default_factory=list)
    last_post_at: float = 0.0

    @property
    def kind(self) -> str:
        """As scopes name it."""
        return "im" if self.is_im else "groups" if self.is_private else "channels"

    @property
    def label(self) -> str:
        """As commands and buttons name it."""
        return {"im": "directmessage", "groups": "privategroup", "channels": self.name}[self.kind]


@dataclass(eq=False)
class _ResponseUrl:
    user: str
    channel: str
    made_at: float
    origin: Told | None
    used: int = 0
    last: Told | None = None


class People(ABC):
    """`app_url` is the app's address, set by whoever starts it; people are named by e-mail address, channels by name."""

    app_url: str
    url: str
    team_id: str
    bot_user_id: str
    app_id = "A0AUDITLOG"

    def __init__(self) -> None:
        super().__init__()
        self.signing_secret = secrets.token_hex(16)
        self.app_url = ""
        self.url = ""
        self.users: dict[str, User] = {}
        self.rooms: dict[str, Room] = {}
        self._told: list[Told] = []
        self._response_urls: dict[str, _ResponseUrl] = {}

    @abstractmethod
    def new_user(self, name: str) -> User: ...

    @abstractmethod
    def channel(
        self,
        name: str,
        *,
        private: bool = False,
        im: bool = False,
        shared: bool = False,
        archived: bool = False,
        bot: bool = True,
    ) -> Room:
        """A conversation, with the bot in it or not; a second call with the same name changes it."""

    @abstractmethod
    async def messages(self, channel: str) -> list[Json]:
        """Every message of the channel and of its threads, oldest first, as Slack holds it."""

    @abstractmethod
    async def file_bytes(self, file: Json) -> bytes: ...

    # Who and where

    def person(
        self, email: str | None, *, name: str = "", guest: bool = False, foreign: bool = False, deleted: bool = False
    ) -> User:
        """Somebody with an address, or without a visible one; a second call with the same name or address changes him."""
        people = self.users.values()
        known = [user for user in people if (user.name == name if name else email and user.email == email)]
        user = known[0] if known else self.new_user(name or (email or "somebody").partition("@")[0])
        user.email, user.is_guest, user.deleted = email, guest, deleted
        user.team = ELSEWHERE if foreign else self.team_id
        self.users[user.id] = user
        return user

    def user_id(self, user: str) -> str:
        """Of an id, an address or a name; whoever was not there yet is from now on."""
        if user in self.users:
            return user
        known = next((each for each in self.users.values() if user in {each.email, each.name}), None)
        return (known or self.person(user)).id

    def room(self, channel: str) -> Room | None:
        return self.rooms.get(channel) or next((room for room in self.rooms.values() if room.name == channel), None)

    def channel_id(self, channel: str) -> str:
        return (self.room(channel) or self.channel(channel)).id

    async def invites(self, channel: str = "ops", *, by: str = "ada@example.com") -> None:
        """The bot is back in the channel, and is told so."""
        room = self.rooms[self.channel_id(channel)]
        self.channel(room.name, private=room.is_private, shared=room.is_shared)
        await self.event(
            {
                "type": "member_joined_channel",
                "user": self.bot_user_id,
                "channel": room.id,
                "channel_type": "G" if room.is_private else "C",
                "team": self.team_id,
                "inviter": self.user_id(by),
            }
        )

    # What they do

    async def types(self, line: str, *, user: str = "ada@example.com", channel: str = "ops") -> Ack:
        """A slash command: `/auditlog shop last`."""
        command, _, text = line.partition(" ")
        user_id, channel_id = self.user_id(user), self.channel_id(channel)
        form = {
            "token": "unused",
            "team_id": self.team_id,
            "team_domain": "example",
            "channel_id": channel_id,
            "channel_name": self.rooms[channel_id].label,
            "user_id": user_id,
            "user_name": self.users[user_id].name,
            "command": command,
            "text": text,
            "api_app_id": self.app_id,
            "is_enterprise_install": "false",
            "response_url": self.response_url(user_id, channel_id),
            "trigger_id": f"{time.time_ns()}.1.{secrets.token_hex(8)}",
        }
        ack = await self.send(urlencode(form).encode(), "application/x-www-form-urlencoded")
        self._hears_ack(ack, user_id, channel_id, form["response_url"])
        return ack

    async def presses(
        self, action_id: str, *, user: str = "ada@example.com", within: Post | Told, value: str | None = None
    ) -> Ack:
        """The button of that `action_id`; `value` forges what it carries."""
        user_id = self.user_id(user)
        button = next(each for each in buttons(within.raw) if each.get("action_id") == action_id)
        if value is not None:
            button = {**button, "value": value}
        payload = self._pressed(button, within, self.users[user_id])
        return await self.send(
            urlencode({"payload": json.dumps(payload)}).encode(), "application/x-www-form-urlencoded"
        )

    def _pressed(self, button: Json, within: Post | Told, user: User) -> Json:
        ephemeral = within if isinstance(within, Told) else None
        channel_id = ephemeral.channel if ephemeral else within.raw["channel"]
        ts = str(within.raw.get("ts", f"{time.time():.6f}"))
        where = {"type": "message", "message_ts": ts, "channel_id": channel_id, "is_ephemeral": ephemeral is not None}
        if "thread_ts" in within.raw:
            where["thread_ts"] = within.raw["thread_ts"]
        return {
            "type": "block_actions",
            "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team},
            "api_app_id": self.app_id,
            "token": "unused",
            "container": where,
            "trigger_id": f"{time.time_ns()}.1.{secrets.token_hex(8)}",
            "team": {"id": self.team_id, "domain": "example"},
            "enterprise": None,
            "is_enterprise_install": False,
            "channel": {"id": channel_id, "name": self.rooms[channel_id].label},
            **({} if ephemeral else {"message": within.raw}),
            "state": {"values": {}},
            "response_url": self.response_url(user.id, channel_id, ephemeral),
            "actions": [{**button, "block_id": button.get("block_id", "b1"), "action_ts": f"{time.time():.6f}"}],
        }

    async def event(self, event: Json) -> Ack:
        """Through the Events API: `{"type": "member_joined_channel", …}`."""
        body = {
            "token": "unused",
            "team_id": self.team_id,
            "api_app_id": self.app_id,
            "event": {"event_ts": f"{time.time():.6f}", **event},
            "type": "event_callback",
            "event_id": f"Ev{secrets.token_hex(5).upper()}",
            "event_time": int(time.time()),
            "authorizations": [{"team_id": self.team_id, "user_id": self.bot_user_id, "is_bot": True}],
        }
        return await self.send(json.dumps(body).encode(), "application/json")

    async def send(
        self, body: bytes, content_type: str, *, at: str | None = None, secret: str | None = None, path: str = ""
    ) -> Ack:
        """A signed request to the app; `at` and `secret` make it a stale or a forged one."""
        stamp = at if at is not None else str(int(time.time()))
        base = b"v0:" + stamp.encode() + b":" + body
        signature = hmac.new((secret or self.signing_secret).encode(), base, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={signature}",
        }
        started = time.perf_counter()
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=10 * ACK_WITHIN_S)) as http,
                http.post(self.app_url + (path or "/slack/events"), data=body, headers=headers) as answer,
            ):
                text = await answer.text()
                return Ack(answer.status, text, time.perf_counter() - started)
        except (ClientError, TimeoutError):
            return Ack(0, "", time.perf_counter() - started)

    # What they are told

    def ephemerals(self, user: str = "ada@example.com", *, standing: bool = False) -> list[Told]:
        """What the person was told, in order; with `standing` only what was neither replaced nor deleted since."""
        user_id = self.user_id(user)
        return [told for told in self._told if told.user == user_id and (told.standing or not standing)]

    async def told(self, user: str = "ada@example.com", *, count: int = 1, within_s: float = 10.0) -> list[Told]:
        """Waits until the person has been told `count` things. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while True:
                heard = self.ephemerals(user)
                if len(heard) >= count:
                    return heard
                await asyncio.sleep(0.03)

    async def threads(self, channel: str = "ops") -> list[list[Post]]:
        """Each thread of the channel, oldest first: its parent, then what was said in it."""
        messages = await self.messages(channel)
        together: dict[str, list[Post]] = {}
        for message in messages:
            files = {each["name"]: await self.file_bytes(each) for each in message.get("files") or ()}
            together.setdefault(message.get("thread_ts") or message["ts"], []).append(Post(message, files))
        return list(together.values())

    async def thread(
        self, channel: str = "ops", *, wait_for: int = 3, nth: int = -1, within_s: float = 10.0
    ) -> list[Post]:
        """A thread, the newest if not told otherwise, once it holds `wait_for` messages: parent, commands, transcript.

        Raises TimeoutError.
        """
        needed = nth + 1 if nth >= 0 else -nth
        async with asyncio.timeout(within_s):
            while True:
                threads = await self.threads(channel)
                if len(threads) >= needed and len(threads[nth]) >= wait_for:
                    return threads[nth]
                await asyncio.sleep(0.03)

    # Slack's side of a response_url

    def response_routes(self) -> list[web.RouteDef]:
        return [web.post("/respond/{id}", self._response)]

    def response_url(self, user_id: str, channel_id: str, origin: Told | None = None) -> str:
        name = secrets.token_hex(12)
        self._response_urls[name] = _ResponseUrl(user_id, channel_id, time.time(), origin)
        return f"{self.url}/respond/{name}"

    async def _response(self, request: web.Request) -> web.Response:
        place = self._response_urls.get(request.match_info["id"])
        if place is None or time.time() - place.made_at > RESPONSE_URL_LIVES_S:
            return web.json_response({"ok": False, "error": "expired_url"}, status=404)
        if place.used >= RESPONSES_A_URL:
            return web.json_response({"ok": False, "error": "used_url"}, status=404)
        body = await request.json()
        if refused := complaints(body.get("blocks", [])):
            return web.json_response({"ok": False, "error": refused[0]})
        place.used += 1
        self._hears(place, body)
        return web.Response(text="ok")

    def _hears(self, place: _ResponseUrl, body: Json) -> None:
        before = place.last or place.origin
        if before is not None and (body.get("replace_original") or body.get("delete_original")):
            before.standing = False
        if body.get("text") or body.get("blocks"):
            everybody = body.get("response_type") == "in_channel"
            place.last = Told(place.user, place.channel, body, to_everybody=everybody)
            self._told.append(place.last)

    def _hears_ack(self, ack: Ack, user_id: str, channel_id: str, response_url: str) -> None:
        if ack.status == 200 and ack.body:
            place = self._response_urls[response_url.rpartition("/")[2]]
            self._hears(place, ack.json or {"text": ack.body})
        elif ack.status != 200 or ack.seconds > ACK_WITHIN_S:
            failed = "failed because the app did not respond"
            self._told.append(Told(user_id, channel_id, {"text": failed}))


def buttons(message: Json) -> Iterator[Json]:
    for block in message.get("blocks") or ():
        for element in [*(block.get("elements") or ()), block.get("accessory") or {}]:
            if element.get("type") == "button":
                yield {"block_id": block.get("block_id", "b1"), **element}


def shown(message: Json) -> str:
    """The text that Slack would show: of the blocks where there are any."""
    blocks = message.get("blocks")
    return "".join(_texts(blocks)).strip() if blocks else str(message.get("text", ""))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        yield _own_text(value)
        for name in ("text", "fields", "elements", "accessory"):
            if isinstance(value.get(name), dict | list):
                yield from _texts(value[name])
        if value.get("type") not in _INLINE:
            yield "\n"


_INLINE = {"text", "mrkdwn", "plain_text", "link", "date", "emoji"}


def _own_text(element: Json) -> str:
    match element.get("type"):
        case "emoji":
            return f":{element['name']}:"
        case "date":
            return str(element.get("fallback", ""))
        case "link":
            return str(element.get("text") or element["url"])
        case _:
            return element["text"] if isinstance(element.get("text"), str) else ""
