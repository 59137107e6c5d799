"""Values that leave us and come back: a button's, a webhook's address. Only what we signed is believed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any

import orjson

from bot.errors import Refused

_MAC_BYTES = 18


def seal(key: bytes, value: Any) -> str:
    """JSON of `value` with its signature, in characters that a URL's path takes as they are."""
    body = orjson.dumps(value)
    return base64.urlsafe_b64encode(_mac(key, body) + body).decode().rstrip("=")


def unseal(key: bytes, sealed: str) -> Any:
    """Raises Refused for whatever `seal` did not make with this key."""
    try:
        raw = base64.b64decode(sealed + "=" * (-len(sealed) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, body)):
        raise Refused("That button is not one of ours, or it is from before the app's secret changed: ask again.")
    return orjson.loads(body)


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, hashlib.sha256)[:_MAC_BYTES]
