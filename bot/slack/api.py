"""Slack's Web API as this bot uses it: every answer becomes a value or one of our failures.

A write is sent once. Where its answer is lost, `Unreachable.maybe_done` says so, and whoever wrote looks before he
writes again (bot/slack/thread.py). Reads, and writes that may be repeated, are repeated here.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from bot.errors import BadInput, BotError, Gone, RateLimited, ThreadGone, Unreachable
from bot.slack.memory import Memory
from bot.slack.message import Message
from bot.slack.pace import Pace
from bot.slack.refusals import refusal

REQUEST_TIMEOUT_S = 30.0
ATTEMPTS = 4
RATE_LIMIT_PATIENCE_S = 120.0
LONGEST_RETRY_AFTER_S = 60.0
PERSON_KEPT_S = 300.0
CHANNEL_KEPT_S = 60.0
PAGE = 200
SLOWEST_UPLOAD_BYTES_PER_S = 100_000
_REFUSED_FORM = re.compile(r"invalid_blocks(_format)?|msg_(blocks_)?too_long")
LOOPBACK = {"localhost", "127.0.0.1", "::1"}

Result = TypeVar("Result")

OnRequest = Callable[[str, int, float], None]
"""Told of each request: "slack", the HTTP status (0 where there was no answer), the seconds waited before it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are in Slack."""

    bot_user_id: str
    bot_id: str | None
    team_id: str
    url: str

    def wrote(self, message: Mapping[str, Any]) -> bool:
        bot_id = message.get("bot_id")
        return message.get("user") == self.bot_user_id or (bot_id is not None and bot_id == self.bot_id)


@dataclass(frozen=True, slots=True)
class Person:
    """`email` is None where Slack does not show it; a guest may see some channels only, a foreigner is of another company."""

    id: str
    email: str | None
    is_guest: bool = False
    is_foreign: bool = False
    is_bot: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """`is_shared`: people of another company are in it, or were invited."""

    id: str
    name: str
    is_member: bool
    is_shared: bool
    is_private: bool
    is_im: bool
    is_archived: bool


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file in a thread; `ts` is that of the message that shares it."""

    id: str
    name: str
    size: int | None
    ts: str


class Slack:
    """Must be built inside a running event loop; `aclose` ends its connections."""

    def __init__(
        self,
        *,
        token: SecretStr,
        api_url: str = "https://slack.com/api/",
        on_request: OnRequest | None = None,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S, connect=5),
            trace_configs=[_counting(on_request)] if on_request else [],
        )
        self._api = urlsplit(api_url)
        self._pace = pace or Pace()
        self._clock = clock
        self._identities: Memory[Identity] = Memory(float("inf"), clock)
        self._people: Memory[Person] = Memory(PERSON_KEPT_S, clock)
        self._channels: Memory[Channel] = Memory(CHANNEL_KEPT_S, clock)
        # The SDK's own retries repeat a post whose answer was lost: two messages for one. Its logger shows what is sent.
        quiet = logging.getLogger("bot.slack.sdk")
        quiet.setLevel(logging.WARNING)
        self.client = AsyncWebClient(
            token=token.get_secret_value(), base_url=api_url, session=self._http, logger=quiet, retry_handlers=[]
        )
        self.client.proxy = None  # the SDK takes it from the environment otherwise

    async def aclose(self) -> None:
        await self._http.close()

    # Who and where

    async def identity(self) -> Identity:
        return await self._identities.recall("", self._ask_identity)

    async def _ask_identity(self) -> Identity:
        answer = await self._call("auth.test")
        return Identity(answer["user_id"], answer.get("bot_id"), answer["team_id"], answer.get("url", ""))

    async def person(self, user_id: str) -> Person:
        """Somebody whom Slack does not show us is a foreigner without an address."""
        return await self._people.recall(user_id, lambda: self._ask_person(user_id))

    async def _ask_person(self, user_id: str) -> Person:
        try:
            user = (await self._call("users.info", user=user_id))["user"]
        except Gone:
            return Person(user_id, None, is_foreign=True)
        our_team = (await self.identity()).team_id
        teams = {user.get("team_id", our_team), *user.get("enterprise_user", {}).get("teams", ())}
        return Person(
            id=user_id,
            email=user.get("profile", {}).get("email") or None,
            is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
            is_foreign=bool(user.get("is_stranger")) or our_team not in teams,
            is_bot=bool(user.get("is_bot")),
            deleted=bool(user.get("deleted")),
        )

    def forget_person(self, user_id: str) -> None:
        self._people.forget(user_id)

    async def channel(self, channel_id: str) -> Channel:
        """Raises CannotPost where the conversation does not exist for us."""
        return await self._channels.recall(channel_id, lambda: self._ask_channel(channel_id))

    def forget_channel(self, channel_id: str) -> None:
        self._channels.forget(channel_id)

    async def _ask_channel(self, channel_id: str) -> Channel:
        channel = (await self._call("conversations.info", channel=channel_id))["channel"]
        is_direct = bool(channel.get("is_im") or channel.get("is_mpim"))
        return Channel(
            id=channel_id,
            name=channel.get("name", ""),
            # A direct message that we can see is one that we are in; Slack does not say so.
            is_member=bool(channel.get("is_member", is_direct)),
            is_shared=bool(channel.get("is_ext_shared") or channel.get("is_pending_ext_shared")),
            is_private=is_direct or bool(channel.get("is_private")),
            is_im=is_direct,
            is_archived=bool(channel.get("is_archived")),
        )

    # Messages

    async def post(
        self,
        channel: str,
        message: Message,
        *,
        thread_ts: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> str:
        """The `ts` of the new message. Raises CannotPost, BlocksRefused, ThreadGone, Retryable."""
        answer = await self._call(
            "chat.postMessage",
            repeatable=False,
            paced_in=channel,
            channel=channel,
            thread_ts=thread_ts,
            metadata=metadata,
            text=message.text,
            blocks=message.blocks or None,
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(answer["ts"])

    async def update(
        self, channel: str, ts: str, message: Message, *, metadata: Mapping[str, Any] | None = None
    ) -> None:
        """Raises ThreadGone where somebody deleted the message."""
        await self._call(
            "chat.update", channel=channel, ts=ts, text=message.text, blocks=message.blocks, metadata=metadata
        )

    async def delete(self, channel: str, ts: str) -> None:
        try:
            await self._call("chat.delete", channel=channel, ts=ts)
        except ThreadGone:
            return

    async def permalink(self, channel: str, ts: str) -> str:
        return str((await self._call("chat.getPermalink", channel=channel, message_ts=ts))["permalink"])

    async def history(self, channel: str, *, oldest: float) -> AsyncIterator[dict[str, Any]]:
        """The channel's messages since `oldest` (epoch seconds), newest first, with their metadata."""
        async for message in self._messages("conversations.history", channel=channel, oldest=f"{oldest:.6f}"):
            if float(message["ts"]) < oldest:
                return
            yield message

    async def replies(self, channel: str, thread_ts: str) -> AsyncIterator[dict[str, Any]]:
        """The messages of a thread with their metadata, its parent first. Raises ThreadGone."""
        async for message in self._messages("conversations.replies", channel=channel, ts=thread_ts):
            yield message

    async def _messages(self, method: str, **arguments: Any) -> AsyncIterator[dict[str, Any]]:
        cursor: str | None = None
        while cursor != "":
            answer = await self._call(method, cursor=cursor, limit=PAGE, include_all_metadata=True, **arguments)
            for message in answer["messages"]:
                yield message
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""

    async def respond(
        self, response_url: str, message: Message | None, *, replace: bool = False, delete: bool = False
    ) -> None:
        """Says something to the person alone, in place of what was said before or not. Raises Gone past 30 minutes or five posts."""
        self._check_response_url(response_url)
        body: dict[str, Any] = {"response_type": "ephemeral", "replace_original": replace, "delete_original": delete}
        if message is not None:
            body |= {"text": message.text} | ({"blocks": message.blocks} if message.blocks else {})
        await self._repeated(
            "an answer to a command", lambda: self._send_response(response_url, body), repeatable=False
        )

    async def _send_response(self, response_url: str, body: dict[str, Any]) -> None:
        async with self._http.post(response_url, json=body, allow_redirects=False) as answer:
            _check_status("an answer to a command", answer.status, answer.headers)
            refused = _REFUSED_FORM.search(await answer.text(errors="replace"))
            if refused:
                raise refusal("an answer to a command", refused[0])
            if answer.status != 200:
                raise Gone("Slack takes no more answers to that command: ask again.")

    def _check_response_url(self, response_url: str) -> None:
        where = urlsplit(response_url)
        local = {where.hostname, self._api.hostname} <= LOOPBACK
        if not local and (where.scheme, where.hostname) != ("https", "hooks.slack.com"):
            raise BadInput("That is no address of Slack's to answer to: it must begin with https://hooks.slack.com/.")

    # Files

    async def upload(
        self,
        channel: str,
        thread_ts: str,
        path: Path,
        name: str,
        title: str,
        *,
        on_file_id: Callable[[str], Awaitable[None]],
    ) -> str:
        """The id of the file, shared in the thread; `on_file_id` is awaited before it can be seen there."""
        file_id = await self._repeated("an upload", lambda: self._upload_bytes(path, name), attempts=2)
        await on_file_id(file_id)
        try:
            await self.share(channel, thread_ts, file_id, title)
        except ThreadGone:
            raise
        except Gone:
            raise Unreachable("Slack lost the file that it was given.") from None
        return file_id

    async def share(self, channel: str, thread_ts: str, file_id: str, title: str) -> None:
        """The last of the three calls: what was uploaded under `file_id` appears in the thread."""
        await self._call(
            "files.completeUploadExternal",
            repeatable=False,
            files=[{"id": file_id, "title": title}],
            channel_id=channel,
            thread_ts=thread_ts,
        )

    async def _upload_bytes(self, path: Path, name: str) -> str:
        size = (await asyncio.to_thread(path.stat)).st_size
        place = await self._call("files.getUploadURLExternal", filename=name, length=size)
        self._check_upload_url(place["upload_url"])
        timeout = aiohttp.ClientTimeout(total=60 + size / SLOWEST_UPLOAD_BYTES_PER_S, sock_connect=5)
        with path.open("rb") as file:
            async with self._http.post(
                place["upload_url"],
                data=file,
                headers={"Content-Type": "application/octet-stream"},
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                _check_status("an upload", answer.status, answer.headers)
                if answer.status != 200:
                    raise Unreachable(f"Slack did not take the bytes of the file ({answer.status}).")
        return str(place["file_id"])

    def _check_upload_url(self, upload_url: str) -> None:
        where = urlsplit(upload_url)
        if where.scheme != "https" and not {where.hostname, self._api.hostname} <= LOOPBACK:
            raise BotError("Slack named a place for the file that is not encrypted; nothing was sent there.")

    async def file_exists(self, file_id: str) -> bool:
        """False where the upload was never completed, or the file was deleted."""
        try:
            await self._call("files.info", file=file_id)
        except Gone:
            return False
        return True

    async def our_files(self, channel: str, thread_ts: str) -> list[SharedFile]:
        """The files that we shared in a thread. Raises ThreadGone."""
        us = await self.identity()
        return [
            SharedFile(file["id"], file.get("name", ""), file.get("size"), message["ts"])
            async for message in self.replies(channel, thread_ts)
            if us.wrote(message)
            for file in message.get("files") or ()
            if file.get("mode") != "tombstone"
        ]

    async def delete_file(self, file_id: str) -> None:
        try:
            await self._call("files.delete", file=file_id)
        except Gone:
            return

    # The wire

    async def _call(
        self, method: str, *, repeatable: bool = True, paced_in: str | None = None, **arguments: Any
    ) -> dict[str, Any]:
        """The answer's JSON; `method` is Slack's name for it. Raises what bot/slack/refusals.py makes of an error code."""
        send = getattr(self.client, method.replace(".", "_"))

        async def once() -> dict[str, Any]:
            try:
                answer: dict[str, Any] = (await send(**arguments)).data
            except SlackApiError as error:
                failure = _failure(method, error)
                if paced_in is not None and isinstance(failure, RateLimited):
                    self._pace.slow_down(paced_in)
                # Not chained: the SDK's error quotes the whole answer.
                raise failure from None
            return answer

        turn: AbstractAsyncContextManager[None] = self._pace.turn(paced_in) if paced_in is not None else nullcontext()
        asked_at = self._clock()
        async with turn:
            return await self._repeated(method, once, repeatable=repeatable, asked_at=asked_at)

    async def _repeated(
        self,
        what: str,
        once: Callable[[], Awaitable[Result]],
        *,
        repeatable: bool = True,
        attempts: int = ATTEMPTS,
        asked_at: float | None = None,
    ) -> Result:
        """Waits as long as Slack says "too many requests"; repeats what got no answer, unless it may have been done."""

        def worth_it(error: BaseException) -> bool:
            return isinstance(error, RateLimited) or (
                isinstance(error, Unreachable) and (repeatable or not error.maybe_done)
            )

        def enough(state: RetryCallState) -> bool:
            if isinstance(_error(state), RateLimited):
                return (state.seconds_since_start or 0) + state.upcoming_sleep > RATE_LIMIT_PATIENCE_S
            return state.attempt_number >= attempts

        waiting_since = self._clock() if asked_at is None else asked_at
        async for attempt in AsyncRetrying(retry=retry_if_exception(worth_it), wait=_pause, stop=enough, reraise=True):
            with attempt:
                _waited_s.set(self._clock() - waiting_since)
                try:
                    return await once()
                except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                    raise Unreachable(f"Slack can't be reached for {what}.") from None
                except (aiohttp.ClientError, TimeoutError):
                    raise Unreachable(f"Slack gave no answer to {what}.", maybe_done=True) from None
                finally:
                    waiting_since = self._clock()
        raise AssertionError  # tenacity returns or raises


_waited_s: ContextVar[float] = ContextVar("waited_s", default=0.0)
_growing = wait_random_exponential(multiplier=0.25, max=5)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None


def _pause(state: RetryCallState) -> float:
    error = _error(state)
    if isinstance(error, RateLimited):
        asked_for_s = 1.0 if error.retry_after_s is None else error.retry_after_s
        return min(asked_for_s, LONGEST_RETRY_AFTER_S) + random.uniform(0, 0.1)  # noqa: S311
    return _growing(state)


def _failure(method: str, error: SlackApiError) -> BotError:
    # Where the JSON is cut the SDK hands over aiohttp's own response, which has no `data`.
    response = error.response
    answer = getattr(response, "data", None)
    answer = answer if isinstance(answer, dict) else {}
    status: int = response.status_code if hasattr(response, "status_code") else response.status
    try:
        _check_status(method, status, response.headers)
    except BotError as failure:
        return failure
    if code := answer.get("error"):
        return refusal(method, str(code), str(answer.get("needed") or ""))
    if status == 200:
        return Unreachable(f"Slack's answer to {method} can't be read.", maybe_done=True)
    return BotError(f"Slack answered {status} to {method}: is SLACK_API_URL right?")


def _check_status(what: str, status: int, headers: Mapping[str, str]) -> None:
    if status == 429:
        try:
            retry_after_s = float(headers.get("Retry-After", 1))
        except ValueError:
            retry_after_s = 1.0
        raise RateLimited("Slack asks for a pause.", retry_after_s)
    if status >= 500:
        raise Unreachable(f"Slack could not do {what} ({status}).", maybe_done=True)


def _counting(on_request: OnRequest) -> aiohttp.TraceConfig:
    async def answered(_session: object, _context: object, request: aiohttp.TraceRequestEndParams) -> None:
        on_request("slack", request.response.status, _waited_s.get())

    async def failed(_session: object, _context: object, _request: object) -> None:
        on_request("slack", 0, _waited_s.get())

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(answered)
    trace.on_request_exception.append(failed)
    return trace
