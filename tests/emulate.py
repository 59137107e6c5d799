"""Slack played by the npm package `emulate`, driven as the stand-in is, so that the same conversations run against both.

The package is kinder than Slack (measured with 0.11.2): most methods answer 404 to GET, which slack_sdk uses; `oldest`, `limit`
and `include_all_metadata` are ignored; anybody may post in a public channel and share files there; there are no limits, no
guests, no shared channels. A proxy in front makes up for that.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from aiohttp import ClientSession, web

from bot.standin.door import Door, Json
from bot.standin.limits import complaints
from bot.standin.people import People, Room, User
from bot.standin.slack import page

VERSION = "0.11.2"
STARTS_WITHIN_S = 20.0
SPARE_PEOPLE = 900
# The package allows 5,000 requests an hour and token: each workspace has tokens of its own.
BOT_TOKENS = 600

_numbers = itertools.count(1)


@functools.cache
def package() -> Path | None:
    """The folder of the npm package: in EMULATE_DIR, in a node_modules here, or among Node's global ones."""
    places = [Path(os.environ["EMULATE_DIR"])] if os.environ.get("EMULATE_DIR") else []
    places.append(Path(__file__).parents[1])
    for place in itertools.chain(places, _global_places()):
        for folder in (place, place / "emulate", place / "node_modules" / "emulate"):
            if _is_package(folder):
                return folder
    return None


def why_not() -> str:
    """Why these tests can't run here; empty where they can."""
    if shutil.which("node") is None:
        return "Node is not installed"
    return "" if package() else f"the npm package emulate@{VERSION} is not installed (set EMULATE_DIR to its folder)"


def _global_places() -> Iterator[Path]:
    if npm := shutil.which("npm"):
        root = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, check=False, timeout=30)
        yield Path(root.stdout.strip() or ".")


def _is_package(folder: Path) -> bool:
    try:
        return (
            bool(json.loads((folder / "package.json").read_text())["version"] == VERSION) and folder.name == "emulate"
        )
    except (OSError, ValueError, KeyError):
        return False


class Emulator:
    """The package's process: one for many workspaces, each with channels and people of its own."""

    def __init__(self) -> None:
        self.team_id = "T000000001"
        self.bot_id = "B0AUDITLOG"
        self.bot_user_id = "U0AUDITLOG"
        self.app_id = People.app_id
        self.bot_tokens = ["-".join(("xoxb", "emulated", str(number))) for number in range(BOT_TOKENS)]
        self.url = ""
        self.spare: list[Json] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="emulate-")

    def start(self) -> None:
        folder = package()
        assert folder is not None, why_not()
        seed = Path(self._folder.name) / "seed.json"
        seed.write_text(json.dumps(self._seed()))
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = ["node", str(folder / _bin(folder)), "start", "--service", "slack", "--port", str(port)]
        self._process = subprocess.Popen(
            [*command, "--seed", str(seed), "--base-url", self.url],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not (members := self._try_members()):
            assert time.monotonic() < deadline, "emulate did not start"
            time.sleep(0.05)
        self.spare = [each for each in members if each["name"].startswith("spare")]

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        self._folder.cleanup()

    def _seed(self) -> Json:
        bot = {"bot_id": self.bot_id, "bot_user_id": self.bot_user_id, "app_id": self.app_id}
        app = {
            **bot,
            "client_id": "1.2",
            "client_secret": "unused",
            "name": "Audit log",
            "bot_name": "audit-log",
            "redirect_uris": [],
            "scopes": [],
        }
        people = [f"spare{number}" for number in range(SPARE_PEOPLE)]
        return {
            "slack": {
                "team": {"name": "Example", "domain": "example"},
                "users": [{"name": name} for name in people],
                "oauth_apps": [app],
                "tokens": [
                    *({"token": token, "user": self.bot_user_id, **bot} for token in self.bot_tokens),
                    *({"token": name, "user": name} for name in people),
                ],
            }
        }

    def _try_members(self) -> list[Json]:
        try:
            return list(self.asked("users.list", "admin", limit=1000)["members"])
        except URLError:
            return []

    def asked(self, method: str, token: str, **arguments: Any) -> Json:
        # Blocking for some milliseconds: what a test sets up reads as it does with the stand-in.
        request = Request(f"{self.url}/api/{method}", urlencode(arguments).encode())
        request.add_header("Authorization", f"Bearer {token}")
        with urlopen(request, timeout=5) as answer:
            return dict(json.load(answer))


class Emulated(People, Door):
    """`async with Emulated(emulator) as slack`: the same words as bot.standin.slack.SlackStandin."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__()
        self.team_id = emulator.team_id
        self.bot_id = emulator.bot_id
        self.bot_user_id = emulator.bot_user_id
        self.token = emulator.bot_tokens.pop()
        # A token that the package does not know is that of its admin.
        self._admin = f"admin-{next(_numbers)}"
        self._emulator = emulator
        self._tokens: dict[str, str] = {}
        self._runner: web.AppRunner | None = None

    # Its life

    async def __aenter__(self) -> Emulated:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        application = web.Application(client_max_size=1 << 31)
        application.add_routes(
            [
                web.route("*", "/api/{method}", self.door),
                web.post("/upload/v1/{file}", self.door),
                *self.response_routes(),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._http = ClientSession()

    async def stop(self) -> None:
        await self._http.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    # What happens in the workspace

    def new_user(self, name: str) -> User:
        """One of the spare people, for the package takes nobody in while it runs."""
        spare = self._emulator.spare.pop()
        self._tokens[spare["id"]] = spare["name"]
        return User(spare["id"], name)

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
        room = self.room(name) or self._new_room(name, private=private, im=im)
        room.is_shared, room.is_archived = shared, archived
        if bot and not im and self.bot_user_id not in room.members:
            self._emulator.asked("conversations.invite", self._admin, channel=room.id, users=self.bot_user_id)
            room.members.add(self.bot_user_id)
        if not bot:
            self.removes_bot(room.id)
        return room

    def _new_room(self, name: str, *, private: bool, im: bool) -> Room:
        if im:
            opened = self._emulator.asked("conversations.open", self._admin, users=self._emulator.spare.pop()["id"])
        else:
            unique = f"{name}-{next(_numbers)}"
            opened = self._emulator.asked(
                "conversations.create", self._admin, name=unique, is_private=str(private).lower()
            )
        room = Room(opened["channel"]["id"], name, is_private=private or im, is_im=im)
        self.rooms[room.id] = room
        return room

    def removes_bot(self, channel: str = "ops") -> None:
        room = self.rooms[self.channel_id(channel)]
        if self.bot_user_id in room.members:
            self._emulator.asked("conversations.kick", self._admin, channel=room.id, user=self.bot_user_id)
            room.members.discard(self.bot_user_id)

    def deletes(self, post_ts: str, channel: str = "ops") -> None:
        self._emulator.asked("chat.delete", token=self.token, channel=self.channel_id(channel), ts=post_ts)

    def says(self, text: str, *, user: str = "ada@example.com", channel: str = "ops") -> Json:
        token = self._tokens[self.user_id(user)]
        return dict(
            self._emulator.asked("chat.postMessage", token, channel=self.channel_id(channel), text=text)["message"]
        )

    async def messages(self, channel: str = "ops") -> list[Json]:
        where = self.channel_id(channel)
        top = (await self._forward("conversations.history", {"channel": where, "limit": 1000}, self._admin))["messages"]
        found: list[Json] = []
        for parent in top:
            thread = await self._forward("conversations.replies", {"channel": where, "ts": parent["ts"]}, self._admin)
            found += thread["messages"]
        return [{**message, "channel": where} for message in sorted(found, key=lambda message: str(message["ts"]))]

    async def file_bytes(self, file: Json) -> bytes:
        where = file["url_private"].replace(self.url, self._emulator.url)
        async with self._http.get(where, headers={"Authorization": f"Bearer {self._admin}"}) as answer:
            return await answer.read()

    # The proxy

    async def _served(self, request: web.Request, method: str, arguments: Json) -> web.Response:
        if method == "upload":
            return await self._upload(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token != self.token:
            return web.json_response({"ok": False, "error": "invalid_auth"})
        if error := self._refusal(method, arguments):
            return web.json_response({"ok": False, "error": error})
        if method in {"conversations.history", "conversations.replies"}:
            where: Json = {name: arguments[name] for name in ("channel", "ts") if name in arguments}
            answer = await self._forward(method, {**where, "limit": 1000}, token)
        else:
            answer = await self._forward(method, arguments, token)
        return web.json_response(self._corrected(method, arguments, answer))

    async def _upload(self, request: web.Request) -> web.Response:
        where = f"{self._emulator.url}/upload/v1/{request.match_info['file']}"
        async with self._http.post(where, data=await request.read()) as answer:
            return web.Response(status=answer.status, text=await answer.text())

    async def _forward(self, method: str, arguments: Json, token: str) -> Json:
        headers = {"Authorization": f"Bearer {token}"}
        async with self._http.post(f"{self._emulator.url}/api/{method}", json=arguments, headers=headers) as answer:
            if answer.status == 404:
                return {"ok": False, "error": "unknown_method"}
            return dict(await answer.json())

    def _refusal(self, method: str, arguments: Json) -> str | None:
        """What Slack would have said."""
        if method in {"chat.postMessage", "chat.update"}:
            blocks = arguments.get("blocks") or []
            if refused := complaints(json.loads(blocks) if isinstance(blocks, str) else blocks):
                return refused[0]
        room = self.rooms.get(arguments.get("channel") or arguments.get("channel_id") or "")
        if room is None or self.bot_user_id in room.members:
            return "is_archived" if room and room.is_archived and method.startswith("chat.") else None
        if room.is_private:
            return "channel_not_found"
        return None if method == "conversations.info" else "not_in_channel"

    def _corrected(self, method: str, arguments: Json, answer: Json) -> Json:
        if not answer["ok"]:
            return answer
        match method:
            case "files.getUploadURLExternal":
                answer["upload_url"] = answer["upload_url"].replace(self._emulator.url, self.url)
            case "users.info":
                self._add_person(answer["user"])
            case "conversations.info":
                room = self.rooms[answer["channel"]["id"]]
                answer["channel"] |= {"is_ext_shared": room.is_shared, "is_archived": room.is_archived}
            case "conversations.history" | "conversations.replies":
                answer |= page(answer["messages"], arguments)
        return answer

    def _add_person(self, shown: Json) -> None:
        if user := self.users.get(shown["id"]):
            shown |= {"team_id": user.team, "is_restricted": user.is_guest, "deleted": user.deleted}
            shown["profile"]["email"] = user.email


def _bin(folder: Path) -> str:
    named = json.loads((folder / "package.json").read_text())["bin"]
    return str(named if isinstance(named, str) else named["emulate"])


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
