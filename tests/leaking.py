"""A session that holds whatever a session can leak, as both recorders write it, and a search for it.

Every value is made when this is imported, so that no file holds anything that a code host takes for a token.
"""

from __future__ import annotations

import base64
import json
import random
import re
import string
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

Shape = Literal["line", "raw"]

_rng = random.Random("leaks")
_OUTPUT_PIECE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)")
# Of a value of this length nothing may be left over, not even in the middle.
PIECE = 6


def _drawn(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    value = "".join(_rng.choices(alphabet, k=length - 2))
    return f"{value}{_rng.choice(string.digits)}{_rng.choice(string.ascii_letters)}"


def _hex(length: int) -> str:
    return "".join(_rng.choices("0123456789abcdef", k=length))


class Recording:
    """What a terminal showed and what was typed at it, in the order in which it happened."""

    def __init__(self, prompt: str = "~ $ ") -> None:
        self.prompt = prompt
        self._events: list[tuple[str, str]] = []

    def shows(self, *lines: str) -> None:
        for line in lines:
            self._events.append(("output", f"{line}\r\n"))

    def types(self, command: str, *answer: str) -> None:
        self._events.append(("output", self.prompt))
        for key in command:
            self._events += [("input", key), ("output", key)]
        self._events += [("input", "\r"), ("output", "\r\n")]
        self.shows(*answer)

    def types_blind(self, question: str, answer: str) -> None:
        self._events.append(("output", question))
        self._events += [("input", key) for key in answer]
        self._events += [("input", "\r"), ("output", "\r\n")]

    def log(self, shape: Shape) -> bytes:
        events = self._events if shape == "raw" else list(_in_lines(self._events))
        at = datetime.now(UTC) - timedelta(hours=1)
        return json.dumps(
            [
                {
                    "time": (at + timedelta(milliseconds=20 * number)).isoformat(),
                    "content": content,
                    "type": kind,
                }
                for number, (kind, content) in enumerate(events)
            ]
        ).encode()

    def shown(self) -> bytes:
        """What was on the screen, as lines of text."""
        return "".join(text for kind, text in self._events if kind == "output").replace("\r\n", "\n").encode()


def _in_lines(events: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Output cut at each end of a line, input at Enter; each piece ends in a line feed."""
    held = {"output": "", "input": ""}
    for kind, text in events:
        held[kind] += text
        pieces = _OUTPUT_PIECE.findall(held[kind])
        for piece in pieces:
            yield kind, piece.rstrip("\r\n") + "\n"
        held[kind] = held[kind][sum(map(len, pieces)) :]
    for kind, text in held.items():
        if text:
            yield kind, text + "\n"


# --- the secrets, by where they stand

SECRETS: dict[str, str] = {
    "env password": _drawn(16),
    "env key": _hex(64),
    "env url password": _drawn(20),
    "camelCase": _drawn(24),
    "database url": _drawn(20),
    "redis url": _drawn(32),
    "github": "ghp" + "_" + _drawn(36),
    "stripe": "sk" + "_live_" + _drawn(24),
    "slack": "xox" + "b-" + "-".join((_hex(12).translate(str.maketrans("abcdef", "123456")), _drawn(24))),
    "gitlab": "glp" + "at-" + _drawn(20),
    "aws": _drawn(40, string.ascii_letters + string.digits + "+/"),
    "scalingo": "tk" + "-us-" + _drawn(40),
    "sendgrid": "S" + "G." + _drawn(22) + "." + _drawn(43),
    "jwt": ".".join(
        base64.urlsafe_b64encode(part.encode()).decode().rstrip("=")
        for part in ('{"alg":"HS256","typ":"JWT"}', '{"sub":"' + _drawn(20) + '"}', _drawn(32))
    ),
    "pem 1": _drawn(64, string.ascii_letters + string.digits + "+/"),
    "pem 2": _drawn(64, string.ascii_letters + string.digits + "+/"),
    "pem 3": _drawn(30, string.ascii_letters + string.digits + "+/"),
    "bearer": _drawn(40),
    "basic": base64.b64encode(f"deploy:{_drawn(18)}".encode()).decode(),
    "curl -u": _drawn(18),
    "cookie": _drawn(43),
    "api key header": _drawn(32),
    "query string": _drawn(28),
    "sql alter": _drawn(18),
    "sql identified": _drawn(18),
    "mysql -p": _drawn(16),
    "redis -a": _drawn(22),
    "psql url": _drawn(20),
    "table 1": _drawn(40),
    "table 2": _drawn(40),
    "next line": _drawn(28),
    "sudo": _drawn(14),
    "read -s": _drawn(14),
    "mysql blind": _drawn(14),
    "pgsql event": _drawn(20),
    "mysql event": _drawn(20),
    "redis event": _drawn(32),
    "mongo event": _drawn(20),
    "influx event": _drawn(20),
}

# What Scalingo's own client runs for a console, by what may be shown of it.
CONSOLES: dict[str, str] = {
    "pgsql-console shop_4711": "dbclient-fetcher pgsql && psql "
    f"'postgres://shop_4711:{SECRETS['pgsql event']}@shop-4711.postgresql.example.com:30123/shop_4711?sslmode=prefer'",
    "mysql-console shop_4712": "dbclient-fetcher mysql && mysql -h shop-4712.mysql.example.com -P 30124 -u shop_4712 "
    f"--password={SECRETS['mysql event']} shop_4712",
    "redis-console": "dbclient-fetcher redis && redis-cli -h shop-4713.redis.example.com -p 30125 -a "
    f"{SECRETS['redis event']}",
    "mongo-console shop_4714": "dbclient-fetcher mongo && mongo "
    f"'mongodb://shop_4714:{SECRETS['mongo event']}@shop-4714.mongo.example.com:30126/shop_4714'",
    "influxdb-console shop_4715": "dbclient-fetcher influxdb && influx -host shop-4715.influx.example.com -port 30127 "
    f"-username shop_4715 -password {SECRETS['influx event']} -database shop_4715 -ssl",
}
EVENT_COMMAND = f"env STRIPE_KEY={SECRETS['stripe']} rails console"


def session() -> Recording:
    """Nine kinds of secret that are shown or typed in the open, and three that are typed blind."""
    s, it = SECRETS, Recording()
    it.types(
        "env",
        "LANG=C.UTF-8",
        f"SMTP_PASSWORD={s['env password']}",
        f"SECRET_KEY_BASE={s['env key']}",
        f"SEARCH_URL=https://elastic:{s['env url password']}@search.example.com:9243",
        f"clientSecret={s['camelCase']}",
        "PWD=/app",
    )
    it.types("echo $DATABASE_URL", f"postgres://shop:{s['database url']}@db.example.com:5432/shop?sslmode=prefer")
    it.types("echo $REDIS_URL", f"redis://:{s['redis url']}@cache.example.com:6379/0")
    it.types(
        "cat config/tokens.yml",
        *(f"  - {s[name]}" for name in ("github", "stripe", "slack", "gitlab", "scalingo", "sendgrid", "jwt")),
        f"aws_secret_access_key = {s['aws']}",
    )
    it.types(
        "cat id_rsa",
        "-----BEGIN RSA PRIVATE " + "KEY-----",
        s["pem 1"],
        s["pem 2"],
        s["pem 3"],
        "-----END RSA PRIVATE " + "KEY-----",
    )
    it.types(
        f"curl -v -H 'Authorization: Bearer {s['bearer']}' https://api.example.com/v1?token={s['query string']}",
        f"> authorization: Basic {s['basic']}",
        f"< set-cookie: _shop_session={s['cookie']}; path=/; HttpOnly",
        f"> X-Api-Key: {s['api key header']}",
    )
    it.types(f"curl -u deploy:{s['curl -u']} https://ci.example.com/job")
    it.types(f"psql -c \"ALTER USER shop WITH PASSWORD '{s['sql alter']}'\"", "ALTER ROLE")
    it.types(f"echo \"CREATE USER 'shop'@'%' IDENTIFIED BY '{s['sql identified']}';\" | mysql")
    it.types(f"mysql -u root -p{s['mysql -p']} shop")
    it.types(f"redis-cli -h cache.example.com -a {s['redis -a']} ping", "PONG")
    it.types(f"psql 'postgres://shop:{s['psql url']}@db.example.com:5432/shop'")
    it.types(
        "psql -c 'select id, email, api_token from users'",
        " id |       email       |                api_token                 ",
        "----+-------------------+------------------------------------------",
        f"  1 | ada@example.com   | {s['table 1']} ",
        f"  2 | bob@example.com   | {s['table 2']} ",
        "(2 rows)",
    )
    it.types("rake tokens:rotate", "Your new API token is:", f"  {s['next line']}", "Done.")
    it.types("sudo id")
    it.types_blind("[sudo] password for appsdeck: ", s["sudo"])
    it.types("read -s -p 'Token: ' TOKEN; echo")
    it.types_blind("Token: ", s["read -s"])
    it.types("mysql -u root -p shop")
    it.types_blind("Enter password: ", s["mysql blind"])
    it.shows(f"ERROR 1045 (28000): Access denied for user 'root' ({s['mysql blind']})")
    it.types("exit", "exit")
    return it


def leaks(text: str | bytes) -> set[str]:
    """The names of the secrets of which any six characters stand in `text`; six digits alone may be any number."""
    searched = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return {
        name for name, value in SECRETS.items() if any(piece in searched for piece in _pieces(_private(name, value)))
    }


def _private(name: str, value: str) -> str:
    """What nobody else's value has: the header of a token, and the names in its body, stand in whatever JSON is coded so."""
    return value.rpartition(".")[2] if name == "jwt" else value


def _pieces(value: str) -> Iterator[str]:
    pieces = (value[start : start + PIECE] for start in range(len(value) - PIECE + 1))
    return (piece for piece in pieces if not piece.isdigit())
