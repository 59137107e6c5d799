"""What is believed: values that come back to us as we signed them (a button's, a webhook's address), and what Slack signed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import Any

import orjson

from bot.errors import Refused

NOT_OURS = "That button is not one of ours, or it is from before the app's secret changed: ask again."

_MAC_BYTES = 18
# Slack's documentation: a request that is more than five minutes away from now may be a replay.
SLACK_MAY_DIFFER_S = 300.0
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


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
        raise Refused(NOT_OURS)
    return orjson.loads(body)


def by_slack(secret: str, body: bytes, *, timestamp: str, signature: str, now: float) -> bool:
    """Whether Slack signed this request, and lately: docs.slack.dev, "Verifying requests from Slack", version v0."""
    if not _TIMESTAMP.fullmatch(timestamp) or abs(now - int(timestamp)) > SLACK_MAY_DIFFER_S:
        return False
    expected = hmac.digest(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    # As bytes: a header may hold what no ASCII string does, and is then no reason to fail.
    return hmac.compare_digest(f"v0={expected.hex()}".encode(), signature.encode("utf-8", "surrogateescape"))


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, hashlib.sha256)[:_MAC_BYTES]
