"""Slack on local HTTP, for `try` and the tests: strict where Slack is strict, and faulty where it is told to be.

Written from api.slack.com (methods, Block Kit, files, metadata, rate limits): limits, membership, scopes, unknown methods,
bad tokens. Events, commands and buttons are sent by `People`; there is no Socket Mode.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web

from bot.standin.door import Door
from bot.standin.limits import complaints
from bot.standin.people import Json, People, Room, User

TEAM = "T0OURS"
LONGEST_TEXT = 40_000
DEFAULT_PAGE, MOST_PER_PAGE = 100, 999
MOST_METADATA = 8_000
SCOPES = frozenset(
    {
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "mpim:history",
        "mpim:read",
        "users:read",
        "users:read.email",
    }
)


@dataclass(eq=False)
class File:
    id: str
    name: str
    length: int
    title: str = ""
    content: bytes | None = None
    completed: bool = False
    deleted: bool = False


class _Refused(Exception):
    def __init__(self, error: str, status: int = 200, **more: Any) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"ok": False, "error": error, **more}


class SlackStandin(People, Door):
    """`seconds_a_message`: how long a channel rests after one (0: not at all); `share_delay_s`: how long a file takes to appear."""

    def __init__(
        self, *, seconds_a_message: float = 0.0, share_delay_s: float = 0.0, scopes: Iterable[str] = SCOPES
    ) -> None:
        super().__init__()
        self.team_id = TEAM
        self.token = f"xoxb-{secrets.token_hex(12)}"
        self.seconds_a_message = seconds_a_message
        self.share_delay_s = share_delay_s
        self.scopes = set(scopes)
        self.files: dict[str, File] = {}
        self.bot_id = "B0AUDITLOG"
        self.bot_user_id = "U0AUDITLOG"
        self.users[self.bot_user_id] = User(self.bot_user_id, "audit-log", team=TEAM, is_bot=True)
        self._last_ts = 0
        self._later: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None

    # Its life

    async def start(self, port: int = 0) -> None:
        application = web.Application(client_max_size=1 << 31)
        application.add_routes(
            [
                web.route("*", "/api/{method}", self.door),
                web.post("/upload/v1/{file}", self.door),
                *self.response_routes(),
                *self.more_routes(),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        for task in self._later:
            task.cancel()
        if self._runner:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    def more_routes(self) -> list[web.RouteDef]:
        return []

    # What happens in the workspace, told from Python

    def new_user(self, name: str) -> User:
        return User(f"U{secrets.token_hex(5).upper()}", name)

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
        room = self.room(name) or Room(f"{'D' if im else 'C'}{secrets.token_hex(5).upper()}", name)
        room.is_private, room.is_im, room.is_shared, room.is_archived = private or im, im, shared, archived
        (room.members.add if bot else room.members.discard)(self.bot_user_id)
        self.rooms[room.id] = room
        return room

    def removes_bot(self, channel: str = "ops") -> None:
        self.rooms[self.channel_id(channel)].members.discard(self.bot_user_id)

    def deletes(self, post_ts: str, channel: str = "ops") -> None:
        """Somebody deletes a message by hand."""
        room = self.rooms[self.channel_id(channel)]
        room.messages = [message for message in room.messages if message["ts"] != post_ts]

    def says(
        self, text: str, *, user: str = "ada@example.com", channel: str = "ops", thread_ts: str | None = None
    ) -> Json:
        """Somebody else's message, so that a channel or a thread is not ours alone."""
        said: Json = {"user": self.user_id(user), "text": text} | ({"thread_ts": thread_ts} if thread_ts else {})
        return self._add(self.rooms[self.channel_id(channel)], said)

    # What People ask

    async def messages(self, channel: str = "ops") -> list[Json]:
        room = self.rooms[self.channel_id(channel)]
        return [{**message, "channel": room.id} for message in room.messages]

    async def file_bytes(self, file: Json) -> bytes:
        return self.files[file["id"]].content or b""

    # The door: who asks, what for

    async def _served(self, request: web.Request, method: str, arguments: Json) -> web.Response:
        if method == "upload":
            return await self._upload(request)
        try:
            self._check(request, method, arguments)
            return web.json_response({"ok": True, **_METHODS[method](self, arguments)})
        except _Refused as refused:
            headers = {"Retry-After": "1"} if refused.status == 429 else {}
            return web.json_response(refused.body, status=refused.status, headers=headers)

    def _check(self, request: web.Request, method: str, arguments: Json) -> None:
        if method not in _METHODS:
            raise _Refused("unknown_method", req_method=method)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            raise _Refused("not_authed")
        if token != self.token:
            raise _Refused("invalid_auth")
        needed = _needed_scope(method, self.rooms.get(arguments.get("channel", "")))
        if needed and needed not in self.scopes:
            raise _Refused("missing_scope", needed=needed, provided=",".join(sorted(self.scopes)))

    async def _upload(self, request: web.Request) -> web.Response:
        file = self.files.get(request.match_info["file"])
        content = await request.read()
        if file is None or file.completed:
            return web.Response(status=404, text="file_not_found")
        if len(content) != file.length:
            return web.Response(status=400, text=f"expected {file.length} bytes, got {len(content)}")
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    # The methods

    def auth_test(self, _arguments: Json) -> Json:
        who = {"user_id": self.bot_user_id, "bot_id": self.bot_id, "user": "audit-log"}
        return {"url": "https://example.slack.com/", "team": "Example", "team_id": TEAM, **who}

    def users_info(self, arguments: Json) -> Json:
        user = self.users.get(arguments.get("user", ""))
        if user is None:
            raise _Refused("user_not_found")
        profile = {"real_name": user.name.title(), "display_name": user.name}
        if user.email and "users:read.email" in self.scopes:
            profile["email"] = user.email
        return {
            "user": {
                "id": user.id,
                "team_id": user.team,
                "name": user.name,
                "deleted": user.deleted,
                "is_bot": user.is_bot,
                "is_restricted": user.is_guest,
                "is_ultra_restricted": False,
                **({"is_stranger": True} if user.team != TEAM else {}),
                "profile": profile,
            }
        }

    def conversations_info(self, arguments: Json) -> Json:
        room = self._room(arguments)
        if room.is_im:
            return {"channel": {"id": room.id, "is_im": True, "user": next(iter(room.members), "")}}
        return {
            "channel": {
                "id": room.id,
                "name": room.name,
                "is_channel": not room.is_private,
                "is_group": room.is_private,
                "is_im": False,
                "is_mpim": False,
                "is_private": room.is_private,
                "is_archived": room.is_archived,
                "is_member": self.bot_user_id in room.members,
                "is_shared": room.is_shared,
                "is_ext_shared": room.is_shared,
                "is_org_shared": False,
                "is_pending_ext_shared": False,
            }
        }

    def conversations_history(self, arguments: Json) -> Json:
        room = self._readable_room(arguments)
        replies: defaultdict[str, list[Json]] = defaultdict(list)
        for message in room.messages:
            replies[message.get("thread_ts", "")].append(message)
        return page([{**each, **_thread_of(each, replies[each["ts"]])} for each in reversed(replies[""])], arguments)

    def conversations_replies(self, arguments: Json) -> Json:
        room = self._readable_room(arguments)
        parent = self._message(room, arguments.get("ts", ""), "thread_not_found")
        replies = [message for message in room.messages if message.get("thread_ts") == parent["ts"]]
        return page([{**parent, **_thread_of(parent, replies)}, *replies], arguments)

    def chat_post_message(self, arguments: Json) -> Json:
        room = self._writable_room(arguments)
        said = _said(arguments)
        if thread_ts := arguments.get("thread_ts"):
            said["thread_ts"] = self._message(room, thread_ts, "thread_not_found")["ts"]
        if time.monotonic() - room.last_post_at < self.seconds_a_message:
            raise _Refused("ratelimited", status=429)
        room.last_post_at = time.monotonic()
        message = self._add(room, said)
        return {"channel": room.id, "ts": message["ts"], "message": message}

    def chat_update(self, arguments: Json) -> Json:
        room = self._writable_room(arguments)
        message = self._message(room, arguments.get("ts", ""), "message_not_found")
        if message["user"] != self.bot_user_id:
            raise _Refused("cant_update_message")
        said = _said(arguments)
        message.pop("blocks", None)
        message.update(said, edited={"user": self.bot_user_id, "ts": self._new_ts()})
        return {"channel": room.id, "ts": message["ts"], "text": message["text"], "message": message}

    def chat_delete(self, arguments: Json) -> Json:
        room = self._room(arguments)
        message = self._message(room, arguments.get("ts", ""), "message_not_found")
        if message["user"] != self.bot_user_id:
            raise _Refused("cant_delete_message")
        room.messages.remove(message)
        return {"channel": room.id, "ts": message["ts"]}

    def chat_get_permalink(self, arguments: Json) -> Json:
        room = self._room(arguments)
        message = self._message(room, arguments.get("message_ts", ""), "message_not_found")
        return {
            "channel": room.id,
            "permalink": f"https://example.slack.com/archives/{room.id}/p{message['ts'].replace('.', '')}",
        }

    def files_get_upload_url(self, arguments: Json) -> Json:
        name, length = arguments.get("filename", ""), str(arguments.get("length", ""))
        if not name or not length.isdecimal() or int(length) == 0:
            raise _Refused("invalid_arguments")
        file = File(f"F{secrets.token_hex(5).upper()}", name, int(length))
        self.files[file.id] = file
        return {"upload_url": f"{self.url}/upload/v1/{file.id}", "file_id": file.id}

    def files_complete_upload(self, arguments: Json) -> Json:
        named = arguments.get("files", "[]")
        named = json.loads(named) if isinstance(named, str) else named
        files = [self._uploaded(each) for each in named]
        if not files:
            raise _Refused("invalid_arguments")
        room = self._writable_room({**arguments, "channel": arguments.get("channel_id", "")}, file=True)
        if thread_ts := arguments.get("thread_ts"):
            self._message(room, thread_ts, "thread_not_found")
        for file in files:
            file.completed = True
        if self.share_delay_s:
            task = asyncio.create_task(self._share_later(room, files, thread_ts))
            self._later.add(task)
            task.add_done_callback(self._later.discard)
        else:
            self._share(room, files, thread_ts)
        return {"files": [{"id": file.id, "title": file.title} for file in files]}

    def files_info(self, arguments: Json) -> Json:
        return {"file": _file_json(self._completed(arguments))}

    def files_delete(self, arguments: Json) -> Json:
        file = self._completed(arguments)
        file.deleted = True
        for room in self.rooms.values():
            for message in room.messages:
                if "files" in message:
                    message["files"] = [each for each in message["files"] if each["id"] != file.id]
        return {}

    # What the methods have in common

    def _room(self, arguments: Json) -> Room:
        room = self.rooms.get(arguments.get("channel", ""))
        if room is None or (room.is_private and self.bot_user_id not in room.members):
            raise _Refused("channel_not_found")
        return room

    def _readable_room(self, arguments: Json) -> Room:
        room = self._room(arguments)
        if self.bot_user_id not in room.members:
            raise _Refused("not_in_channel")
        return room

    def _writable_room(self, arguments: Json, *, file: bool = False) -> Room:
        if arguments.get("channel") in self.users:
            # A user's id stands for the direct messages with that person.
            arguments = {**arguments, "channel": self.channel(f"with-{arguments['channel']}", im=True).id}
        room = self._room(arguments)
        if room.is_archived:
            raise _Refused("is_archived")
        if self.bot_user_id not in room.members and (file or "chat:write.public" not in self.scopes):
            raise _Refused("not_in_channel")
        return room

    def _message(self, room: Room, ts: str, missing: str) -> Json:
        found = next((message for message in room.messages if message["ts"] == ts), None)
        if found is None:
            raise _Refused(missing)
        return found

    def _uploaded(self, named: Json) -> File:
        file = self.files.get(named.get("id", ""))
        if file is None or file.content is None or file.completed:
            raise _Refused("file_not_found")
        file.title = named.get("title") or file.name
        return file

    def _completed(self, arguments: Json) -> File:
        file = self.files.get(arguments.get("file", ""))
        if file is None or not file.completed or file.deleted:
            raise _Refused("file_not_found")
        return file

    async def _share_later(self, room: Room, files: list[File], thread_ts: str | None) -> None:
        await asyncio.sleep(self.share_delay_s)
        self._share(room, files, thread_ts)

    def _share(self, room: Room, files: list[File], thread_ts: str | None) -> None:
        message: Json = {"text": "", "files": [_file_json(file) for file in files], "upload": True}
        self._add(room, message | ({"thread_ts": thread_ts} if thread_ts else {}))

    def _add(self, room: Room, said: Json) -> Json:
        ours = {"user": self.bot_user_id, "bot_id": self.bot_id, "app_id": self.app_id, "username": "audit-log"}
        message = {"type": "message", "ts": self._new_ts(), **({} if "user" in said else ours), **said}
        room.messages.append(message)
        return message

    def _new_ts(self) -> str:
        self._last_ts = max(self._last_ts + 1, time.time_ns() // 1000)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"


_METHODS: dict[str, Callable[[SlackStandin, Json], Json]] = {
    "auth.test": SlackStandin.auth_test,
    "chat.delete": SlackStandin.chat_delete,
    "chat.getPermalink": SlackStandin.chat_get_permalink,
    "chat.postMessage": SlackStandin.chat_post_message,
    "chat.update": SlackStandin.chat_update,
    "conversations.history": SlackStandin.conversations_history,
    "conversations.info": SlackStandin.conversations_info,
    "conversations.replies": SlackStandin.conversations_replies,
    "files.completeUploadExternal": SlackStandin.files_complete_upload,
    "files.delete": SlackStandin.files_delete,
    "files.getUploadURLExternal": SlackStandin.files_get_upload_url,
    "files.info": SlackStandin.files_info,
    "users.info": SlackStandin.users_info,
}


def _needed_scope(method: str, room: Room | None) -> str | None:
    kind = room.kind if room else "channels"
    return {
        "chat.delete": "chat:write",
        "chat.postMessage": "chat:write",
        "chat.update": "chat:write",
        "conversations.history": f"{kind}:history",
        "conversations.info": f"{kind}:read",
        "conversations.replies": f"{kind}:history",
        "files.completeUploadExternal": "files:write",
        "files.delete": "files:write",
        "files.getUploadURLExternal": "files:write",
        "files.info": "files:read",
        "users.info": "users:read",
    }.get(method)


def _said(arguments: Json) -> Json:
    """What chat.postMessage and chat.update keep of their arguments. Raises what Slack refuses."""
    text = arguments.get("text") or ""
    blocks = _parsed(arguments.get("blocks"), "invalid_blocks_format") or []
    if not text and not blocks:
        raise _Refused("no_text")
    if len(text) > LONGEST_TEXT:
        raise _Refused("msg_too_long")
    if refused := complaints(blocks):
        raise _Refused(refused[0], response_metadata={"messages": [f"[ERROR] {fault}" for fault in refused[1]]})
    said: Json = {"text": text} | ({"blocks": blocks} if blocks else {})
    metadata = _parsed(arguments.get("metadata"), "invalid_metadata_format")
    if metadata is not None:
        _check_metadata(metadata)
        said["metadata"] = metadata
    return said


def _parsed(value: Any, error: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise _Refused(error) from None


def _check_metadata(metadata: Any) -> None:
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise _Refused("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise _Refused("invalid_metadata_format")
    if len(json.dumps(metadata)) > MOST_METADATA:
        raise _Refused("metadata_too_large")


def page(messages: list[Json], arguments: Json) -> Json:
    """`messages` in the order of the method; its cursor is the place of the next one."""
    oldest, latest = float(arguments.get("oldest") or 0), float(arguments.get("latest") or "inf")
    within = [message for message in messages if oldest < float(message["ts"]) < latest]
    limit = min(int(arguments.get("limit") or DEFAULT_PAGE), MOST_PER_PAGE)
    start = int(arguments.get("cursor") or 0)
    more = start + limit < len(within)
    with_metadata = str(arguments.get("include_all_metadata", "")).lower() in {"1", "true"}
    return {
        "messages": [_without_metadata(each) if not with_metadata else each for each in within[start : start + limit]],
        "has_more": more,
        "response_metadata": {"next_cursor": str(start + limit) if more else ""},
    }


def _thread_of(parent: Json, replies: list[Json]) -> Json:
    """What Slack adds to a parent that has replies."""
    if not replies:
        return {}
    users = list(dict.fromkeys(reply["user"] for reply in replies))
    return {"thread_ts": parent["ts"], "reply_count": len(replies), "reply_users": users[:5]}


def _without_metadata(message: Json) -> Json:
    return {name: value for name, value in message.items() if name != "metadata"}


def _file_json(file: File) -> Json:
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        "mimetype": "text/plain",
        "filetype": "text",
        "mode": "snippet",
        "size": file.length,
    }
