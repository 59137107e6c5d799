"""The database consoles that Scalingo's own client starts, with the password on the command line.

That line is the run event's `command`: `dbclient-fetcher pgsql && psql 'postgres://user:PASSWORD@host:port/db'`. The
client itself shows `pgsql-console user`, and so do we: the name and the user, of the line nothing else.
"""

from typing import Final
from urllib.parse import unquote

from bot.reading.lazily import lazily
from bot.reading.secrets import Masker

_CONSOLES: Final = {
    "pgsql": "pgsql-console",
    "postgres": "pgsql-console",
    "postgresql": "pgsql-console",
    "psql": "pgsql-console",
    "pgcli": "pgsql-console",
    "timescale": "pgsql-console",
    "mysql": "mysql-console",
    "mariadb": "mysql-console",
    "redis": "redis-console",
    "rediss": "redis-console",
    "redis-cli": "redis-console",
    "valkey": "redis-console",
    "valkey-cli": "redis-console",
    "keydb-cli": "redis-console",
    "mongo": "mongo-console",
    "mongodb": "mongo-console",
    "mongosh": "mongo-console",
    "influx": "influxdb-console",
    "influxdb": "influxdb-console",
}
_FETCHED: Final = lazily(r"\bdbclient-fetcher(?:\s+-\S+)*\s+[\"']?(?P<database>[A-Za-z][\w-]*)")
_PROGRAM: Final = lazily(
    r"^\s*(?:(?:exec|env|command|time)\s+|\w+=(?:'[^']*'|\"[^\"]*\"|\S*)\s+)*(?:[\w.~/-]*/)?"
    r"(?P<program>psql|pgcli|mysql|mariadb|redis-cli|valkey-cli|keydb-cli|mongo|mongosh|influx)(?=\s|$)"
)
_ADDRESS: Final = lazily(r"\b[a-z][a-z0-9+.-]{1,30}://(?P<user>[^\s:/@\"']{1,128})(?::[^\s\"']*)?@")
_USER_FLAG: Final = {
    "pgsql-console": lazily(
        r"\s(?:-U\s*|--username[= ]\s*)[\"']?(?P<user>[^\s\"']{1,128})|\buser=(?P<dsn>[^\s\"']{1,128})"
    ),
    "mysql-console": lazily(r"\s(?:-u\s*|--user(?:name)?[= ]\s*)[\"']?(?P<user>[^\s\"']{1,128})"),
    "mongo-console": lazily(r"\s(?:-u\s*|--username[= ]\s*)[\"']?(?P<user>[^\s\"']{1,128})"),
    "influxdb-console": lazily(r"\s--?username[= ]\s*[\"']?(?P<user>[^\s\"']{1,128})"),
}
_A_USER: Final = lazily(r"[\w][\w.-]{0,63}")


def shown_command(command: str) -> str:
    """What may be shown of a run event's `command`: a console's name and its user, or the command with its secrets masked."""
    console = _console(command)
    if console is None:
        return Masker().line(command)
    user = _user(console, command)
    return f"{console} {user}" if user else console


def _console(command: str) -> str | None:
    if fetched := _FETCHED.search(command):
        return _CONSOLES.get(fetched["database"].lower(), f"{fetched['database'].lower()}-console")
    if (started := _PROGRAM.match(command)) and _has_login(command):
        return _CONSOLES[started["program"]]
    return None


def _has_login(command: str) -> bool:
    """A client that somebody started by hand is a command like any other, unless a password stands on its line."""
    return Masker().line(command) != command


def _user(console: str, command: str) -> str | None:
    """The login's name where it is plainly one; a name that could be part of a password is not shown."""
    if console == "redis-console":
        return None
    flag = _USER_FLAG.get(console)
    match = _ADDRESS.search(command) or (flag.search(command) if flag else None)
    if match is None:
        return None
    user = unquote(next(value for value in match.groups() if value))
    return user if _A_USER.fullmatch(user) else None
