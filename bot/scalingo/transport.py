"""Requests to Scalingo: the bearer, the shared rate limit, retries, and a class and a sentence for every refusal."""

from __future__ import annotations

import contextlib
import email.utils
import functools
import json
import random
import re
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from pydantic import SecretStr
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

from bot.errors import BotError, Misconfigured, RateLimited, Rejected, TokenRefused, Unreachable
from bot.scalingo.bearer import Bearer
from bot.scalingo.limiter import Limiter
from bot.scalingo.refusals import REPEATABLE, message, refusal

# What Scalingo's own Go client posts where there is nothing to say.
NOTHING = b"{}"
# The events of 72 busy hours take a few MB. Parsed, an answer takes several times its size, in a container of 256 MB.
MOST_ANSWER_BYTES = 16 * 1024 * 1024

_BEARER = re.compile(r"[\x21-\x7e]+")

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
            content = orjson.dumps(body) if body is not None else NOTHING if method == "POST" else None
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
            request = self._http.build_request("POST", self._exchange_url, content=NOTHING)
            request = next(httpx.BasicAuth("", token).auth_flow(request))
            response = await self._within_limits(request, about=about, background=False)
            try:
                if response.is_success:
                    return _parsed(await _whole(response, about), about)
                refused = await self._refusal(response, about)
            finally:
                await response.aclose()
            if isinstance(refused, TokenRefused | Unreachable):
                raise refused
            raise Misconfigured(
                f"Scalingo's authentication service exchanges no token at that address (status {response.status_code}):"
                " check SCALINGO_AUTH_URL."
            )

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
        return refusal(response.status_code, self._bearer.hidden_in(message(body)), about, response.request.method)


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
