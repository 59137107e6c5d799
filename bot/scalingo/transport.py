"""Requests to Scalingo: the bearer, the shared rate limit, retries, and a class and a sentence for every refusal."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import functools
import json
import random
import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from pydantic import SecretStr
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

from bot.errors import (
    BotError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    PaymentRequired,
    RateLimited,
    Rejected,
    TokenRefused,
    Unreachable,
)
from bot.scalingo.limiter import Limiter

# A bearer lives an hour; the minutes in between are for clocks that differ and requests under way.
BEARER_LASTS_S = 55 * 60.0
# The events of 72 busy hours take a few MB; whatever is much longer is no answer of this API.
MOST_ANSWER_BYTES = 32 * 1024 * 1024
# Safe to send again: done twice is as good as done once.
REPEATABLE = {"GET", "PATCH", "DELETE"}

OnRequest = Callable[[str, int, float], None]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long we try before a person is told: seconds, and how often a request that may be repeated is sent."""

    tries: int = 4
    first_wait_s: float = 0.5
    longest_wait_s: float = 8.0
    limited_first_wait_s: float = 2.0
    limited_s: float = 120.0
    connect_s: float = 5.0
    # Between two pieces: there is no limit to how long all of a large log may take.
    answer_s: float = 30.0

    def retrying(self, *failures: type[BotError]) -> AsyncRetrying:
        """Calls a function again after one of `failures`, Unreachable unless said; the last one is raised as it is."""
        return AsyncRetrying(
            retry=retry_if_exception_type(failures or Unreachable),
            stop=stop_after_attempt(self.tries),
            wait=wait_exponential(self.first_wait_s, max=self.longest_wait_s) + wait_random(0, self.first_wait_s),
            reraise=True,
        )


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Loading them takes longer than a request; the tests open hundreds of clients."""
    return httpx.create_ssl_context(trust_env=False)


class Transport:
    """One connection pool, one bearer and one limiter, for everything that the bot asks Scalingo."""

    def __init__(
        self,
        *,
        token: SecretStr,
        auth_url: str,
        limiter: Limiter,
        patience: Patience,
        on_request: OnRequest | None,
        clock: Callable[[], float],
    ) -> None:
        self.patience = patience
        self._limiter = limiter
        self._on_request = on_request
        self._bearer = Bearer(token, clock, self._exchange)
        self._exchange_url = f"{auth_url}/v1/tokens/exchange"
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(patience.answer_s, connect=patience.connect_s),
            limits=httpx.Limits(max_connections=50, max_keepalive_connections=10),
            verify=_certificates(),
            # No proxy, certificate or password out of the environment, and no other host than the configured ones.
            trust_env=False,
            follow_redirects=False,
            # The documentation's examples send both with every request.
            headers={"Accept": "application/json", "Content-Type": "application/json", "Accept-Encoding": "gzip"},
        )

    async def aclose(self) -> None:
        self._bearer.forget()
        await self._http.aclose()

    async def signed_in(self) -> None:
        """Raises TokenRefused where the API token is not accepted."""
        await self._bearer.get()

    async def json(
        self,
        method: str,
        url: str,
        *,
        about: str,
        background: bool,
        params: Mapping[str, str | int] | None = None,
        body: object = None,
    ) -> Any:
        """The parsed answer, None where it has no body. `about` says in words what is asked for.

        Raises Unreachable after the tries that `Patience` allows, RateLimited, TokenRefused, or what `refusal` says.
        """

        async def once() -> Any:
            content = None if body is None else orjson.dumps(body)
            request = self._http.build_request(method, url, params=params, content=content)
            async with self.answer(request, about=about, background=background) as response:
                return _parsed(await _whole(response, about), about)

        # Before the tries are counted: the exchange has its own.
        await self.signed_in()
        if method not in REPEATABLE:
            return await once()
        return await self.patience.retrying()(once)

    @contextlib.asynccontextmanager
    async def answer(self, request: httpx.Request, *, about: str, background: bool) -> AsyncIterator[httpx.Response]:
        """The successful answer to one request, its body unread; sent again only after a 401 or a 429: it was not done."""
        response = await self._accepted(request, about=about, background=background)
        try:
            if not response.is_success:
                raise await self._refusal(response, about)
            with _network_errors_explained(request, about):
                yield response
        finally:
            await response.aclose()

    def get(self, url: str) -> httpx.Request:
        return self._http.build_request("GET", url)

    async def _accepted(self, request: httpx.Request, *, about: str, background: bool) -> httpx.Response:
        bearer = await self._bearer.get()
        response = await self._within_limits(_with_bearer(request, bearer), about=about, background=background)
        if response.status_code == 401:
            await response.aclose()
            bearer = await self._bearer.get(instead_of=bearer)
            response = await self._within_limits(_with_bearer(request, bearer), about=about, background=background)
        return response

    async def _within_limits(self, request: httpx.Request, *, about: str, background: bool) -> httpx.Response:
        """Waits for the limiter, and past every 429, as long as `Patience` allows. Raises RateLimited."""
        paused_s, attempt = 0.0, 0
        while True:
            response = await self._sent(request, about=about, background=background)
            if response.status_code != 429:
                return response
            await response.aclose()
            wait_s = _retry_after_s(response) or self._growing_wait_s(attempt)
            paused_s += wait_s
            await self._limiter.pause(min(wait_s, self.patience.limited_s))
            if paused_s > self.patience.limited_s:
                raise RateLimited(
                    f"Scalingo's rate limit left no room for {about} for {self.patience.limited_s:.0f} s:"
                    " something else uses the same account; try again in a few minutes.",
                    retry_after_s=wait_s,
                )
            attempt += 1

    def _growing_wait_s(self, attempt: int) -> float:
        return self.patience.limited_first_wait_s * 2.0 ** min(attempt, 4) * random.uniform(1.0, 1.5)  # noqa: S311 - jitter

    async def _sent(self, request: httpx.Request, *, about: str, background: bool) -> httpx.Response:
        asked_at = time.monotonic()
        await self._limiter.acquire(background=background)
        waited_s = time.monotonic() - asked_at
        status = 0
        try:
            with _network_errors_explained(request, about):
                response = await self._http.send(request, stream=True)
            status = response.status_code
        finally:
            if self._on_request:
                self._on_request("scalingo", status, waited_s)
        return response

    async def _exchange(self, token: str) -> str:
        """A new bearer. Doing this twice does no harm, so it is repeated like a GET."""
        about = "a bearer token"

        async def once() -> Any:
            request = next(httpx.BasicAuth("", token).auth_flow(self._http.build_request("POST", self._exchange_url)))
            response = await self._within_limits(request, about=about, background=False)
            try:
                if not response.is_success:
                    raise await self._refusal(response, about)
                return _parsed(await _whole(response, about), about)
            finally:
                await response.aclose()

        answer: Any = await self.patience.retrying()(once)
        bearer = answer.get("token") if isinstance(answer, dict) else None
        if not isinstance(bearer, str) or not _BEARER.fullmatch(bearer):
            raise Unreachable("Scalingo's authentication service gave no bearer token: check SCALINGO_AUTH_URL.")
        return bearer

    async def _refusal(self, response: httpx.Response, about: str) -> BotError:
        """The error that the API's documentation describes for this status; what it says itself is shown shortened."""
        body = b""
        with contextlib.suppress(Unreachable):
            body = await _whole(response, about)
        return refusal(response.status_code, self._bearer.hidden_in(_message(body)), about, response.request.method)


class Bearer:
    """The hour-long key that the API token is exchanged for: once, however many requests wait for it."""

    def __init__(self, token: SecretStr, clock: Callable[[], float], exchange: Callable[[str], Awaitable[str]]) -> None:
        self._token = token
        self._clock = clock
        self._exchange = exchange
        self._value = ""
        self._good_until = float("-inf")
        self._under_way: asyncio.Task[str] | None = None

    async def get(self, *, instead_of: str | None = None) -> str:
        """`instead_of` is one that Scalingo refused just now."""
        if self._value != instead_of and self._clock() < self._good_until:
            return self._value
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._renew())
            # Whoever waited may have been cancelled; a failure without a listener must not be reported as unnoticed.
            self._under_way.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._under_way)

    def forget(self) -> None:
        self._good_until = float("-inf")
        if self._under_way is not None:
            self._under_way.cancel()

    def hidden_in(self, text: str) -> str:
        for secret in filter(None, (self._token.get_secret_value(), self._value)):
            text = text.replace(secret, "••••••")
        return text

    async def _renew(self) -> str:
        self._value = await self._exchange(self._token.get_secret_value())
        self._good_until = self._clock() + BEARER_LASTS_S
        return self._value


_BEARER = re.compile(r"[\x21-\x7e]+")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_ADDRESS = re.compile(r"https?://\S+")
_MOST_SAID = 200


_REFUSALS: Mapping[int, tuple[type[BotError], str]] = {
    401: (
        TokenRefused,
        "Scalingo refused the API token: it was deleted, renewed or mistyped; make a new one in the account settings"
        " of its dashboard and put it into SCALINGO_API_TOKEN.",
    ),
    402: (PaymentRequired, "Scalingo wants the account's billing settled first: it refused {about}{said}."),
    403: (
        Forbidden,
        "The bot's account at Scalingo may not have {about}{said}: make it a collaborator who is not limited.",
    ),
    404: (Gone, "Scalingo does not know {about}: is the name right, and is it in that region?"),
    409: (Conflict, "Scalingo refused {about} because of the state it is in{said}."),
    422: (Invalid, "Scalingo finds a field wrong in the request for {about}{said}."),
}
_REDIRECT = (
    "Scalingo answered the request for {about} with a redirect ({status}), which is never followed:"
    " check SCALINGO_API_URL and SCALINGO_AUTH_URL."
)
_FAULT = "Scalingo has a problem of its own ({status}) and could not give {about}{said}: try again in a moment."
_OTHER = "Scalingo refused {about} with status {status}{said}."


def refusal(status: int, message: str, about: str, method: str = "GET") -> BotError:
    """The error for an answer that is no success. `message` is the API's own, cleaned, or empty."""
    kind, sentence = _REFUSALS.get(status, (Rejected, _REDIRECT if 300 <= status < 400 else _OTHER))
    said = f" (it says: {message})" if message else ""
    if status >= 500:
        return Unreachable(_FAULT.format(about=about, said=said, status=status), maybe_done=method not in REPEATABLE)
    return kind(sentence.format(about=about, said=said, status=status))


def _message(body: bytes) -> str:
    """What the API says of an error, where it says it in JSON: one short line without addresses."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(answer, dict):
        return ""
    parts = [answer["error"]] if isinstance(answer.get("error"), str) else []
    errors = answer.get("errors")
    if isinstance(errors, dict):
        parts += [
            f"{name} {', '.join(map(str, each if isinstance(each, list) else [each]))}" for name, each in errors.items()
        ]
    message = _ADDRESS.sub("(address)", " ".join(_UNSEEN.sub(" ", "; ".join(parts)).split()))
    return message if len(message) <= _MOST_SAID else message[:_MOST_SAID] + "…"


def _with_bearer(request: httpx.Request, bearer: str) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {bearer}"
    return request


@contextlib.contextmanager
def _network_errors_explained(request: httpx.Request, about: str) -> Iterator[None]:
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Unreachable(f"Scalingo could not be reached for {about}: try again in a moment.") from error
    except httpx.TimeoutException as error:
        raise Unreachable(
            f"Scalingo took too long over {about}: try again in a moment.", maybe_done=request.method not in REPEATABLE
        ) from error
    except httpx.RequestError as error:
        raise Unreachable(
            f"The connection to Scalingo was lost over {about}: try again in a moment.",
            maybe_done=request.method not in REPEATABLE,
        ) from error


async def _whole(response: httpx.Response, about: str) -> bytes:
    body = bytearray()
    with _network_errors_explained(response.request, about):
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > MOST_ANSWER_BYTES:
                raise Rejected(
                    f"Scalingo's answer about {about} is over {MOST_ANSWER_BYTES >> 20} MiB: it is not read."
                )
    return bytes(body)


def _parsed(body: bytes, about: str) -> Any:
    if not body.strip():
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        # Slower, and takes lone surrogates: `\\ud800` in one event's command must not hide the others.
        return json.loads(body)
    except ValueError:
        raise Unreachable(
            f"Scalingo answered the request for {about} with something that is no JSON: try again in a moment.",
            maybe_done=True,
        ) from None


def _retry_after_s(response: httpx.Response) -> float | None:
    """Seconds, or a date; None where the header is missing, past or nonsense."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value) or None
    try:
        seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
    except (TypeError, ValueError):
        return None
    return seconds if seconds > 0 else None
