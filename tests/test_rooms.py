"""The plan of the house: which room may use which. A new room, or a library in a room, is drawn here first.

Whatever arrives (command, button, webhook, clock) becomes a row in the store and a job; only jobs act; only `reading`
understands a recording; only `slack` and `scalingo` speak to the outside; `errors` words every failure.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A room is a module or a package of `bot`; the longest name that fits is a module's room. `store` and its migrations are one.
PLAN = """
room             | uses of ours                                                          | and of others
-----------------+-----------------------------------------------------------------------+--------------------------------------------
errors           |                                                                       |
session          |                                                                       |
literal          |                                                                       |
scratch          |                                                                       |
log              | literal                                                               | structlog
metrics          |                                                                       | prometheus_client
signing          | errors                                                                | orjson
settings         | errors                                                                | pydantic pydantic_settings
reading          | errors                                                                | orjson re2
read             | errors literal reading                                                | rich
mask             | reading                                                               |
digester         | errors literal reading                                                | orjson
digest           | errors digester scratch                                               | orjson
scalingo         | errors                                                                | httpx orjson pydantic structlog tenacity
slack            | errors session literal digest                                         | aiohttp pydantic slack_sdk tenacity
slack.listeners  | errors signing slack                                                  | slack_bolt
store            | errors session scalingo                                               | aiosqlite alembic psycopg sqlalchemy
queue            | errors store                                                          | pgqueuer psycopg pydantic_settings structlog
readings         | errors session digest metrics scalingo scratch                        |
access           | errors scalingo slack                                                 |
web              | errors settings signing                                               | aiohttp orjson slack_bolt
jobs             | errors session access log metrics queue reading readings scalingo     |
                 |   settings signing slack store                                        |
app              | errors access digest jobs log metrics queue reading readings scalingo | aiohttp slack_bolt slack_sdk
                 |   settings slack slack.listeners store web                            |
standin          | literal                                                               | aiohttp rich
tryout           | errors app log settings standin                                       | rich
__main__         | errors app literal mask read tryout                                           |
"""

SAME_ROOM = {"migrations": "store"}

# The environment is read once, by `settings`.
READS_THE_ENVIRONMENT = {
    "bot/settings.py",
    "bot/digest.py",  # hands on to the reader's process what Python needs to start, and none of our secrets
}

# What a pure core has no use for: a network, a database, another process, a thread, a clock, chance, the environment.
NOT_PURE = {
    *("asyncio", "concurrent", "ctypes", "ftplib", "http", "logging", "multiprocessing", "os", "random", "secrets"),
    *("select", "signal", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "threading", "time"),
    *("urllib.request", "uuid", "webbrowser"),
}


@dataclass(frozen=True)
class Room:
    name: str
    ours: frozenset[str]
    others: frozenset[str]


def _plan() -> dict[str, Room]:
    rows: list[list[str]] = []
    for line in PLAN.strip().splitlines()[2:]:
        cells = [cell.strip() for cell in line.split("|")]
        if cells[0]:
            rows.append(cells)
        else:
            rows[-1] = [
                rows[-1][0],
                *(f"{above} {below}" for above, below in zip(rows[-1][1:], cells[1:], strict=True)),
            ]
    return {name: Room(name, frozenset(ours.split()), frozenset(others.split())) for name, ours, others in rows}


ROOMS = _plan()


def _modules() -> Iterator[tuple[str, ast.Module]]:
    """Each file of ours by its path, without the `bot` package's own page."""
    for path in sorted((ROOT / "bot").rglob("*.py")):
        if path != ROOT / "bot" / "__init__.py":
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def _room(module: str) -> str | None:
    """The room of `bot.<module>`, given without the `bot.`."""
    words = module.split(".")
    for length in range(len(words), 0, -1):
        name = ".".join(words[:length])
        if name in SAME_ROOM or name in ROOMS:
            return SAME_ROOM.get(name, name)
    return None


def _room_of_file(path: str) -> str | None:
    return _room(path.removeprefix("bot/").removesuffix(".py").removesuffix("/__init__").replace("/", "."))


def _imported(tree: ast.Module) -> Iterator[str]:
    """Full names, those in functions and for types alone as well; `from bot import log` is `bot.log`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their whole way"
            assert node.module is not None
            yield node.module
            # The name may be a module, too.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


FILES = dict(_modules())


@pytest.mark.parametrize("path", FILES)
def test_a_room_uses_what_the_plan_draws(path: str) -> None:
    room = ROOMS[_room_of_file(path) or pytest.fail(f"{path} is in no room of the plan")]
    imported = set(_imported(FILES[path]))
    ours = {_room(name.removeprefix("bot.")) for name in imported if name.startswith("bot.")} - {room.name}
    others = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names - {"bot"}
    assert ours <= room.ours
    assert others <= room.others


def test_the_plan_draws_nothing_that_is_not_there() -> None:
    used: dict[str, set[str]] = {name: set() for name in ROOMS}
    for path, tree in FILES.items():
        room = _room_of_file(path)
        assert room is not None
        for name in _imported(tree):
            other = _room(name.removeprefix("bot.")) if name.startswith("bot.") else name.partition(".")[0]
            used[room].add(other or "")
    for room, drawn in ROOMS.items():
        assert drawn.ours | drawn.others <= used[room], f"{room} does not use all that the plan gives it"
    assert {_room_of_file(path) for path in FILES} == set(ROOMS)


def test_imports_point_one_way() -> None:
    order = list(TopologicalSorter({name: room.ours for name, room in ROOMS.items()}).static_order())
    assert order[-1] == "__main__"


@pytest.mark.parametrize("path", [path for path in FILES if path.startswith("bot/reading/")])
def test_reading_is_pure(path: str) -> None:
    imported = set(_imported(FILES[path]))
    assert not {name for name in imported if name in NOT_PURE or name.partition(".")[0] in NOT_PURE}


@pytest.mark.parametrize("path", FILES)
def test_the_environment_is_read_once(path: str) -> None:
    nodes = ast.walk(FILES[path])
    named = {node.attr for node in nodes if isinstance(node, ast.Attribute) and _is_os(node.value)}
    imported = {name for name in _imported(FILES[path]) if name in {"os.environ", "os.getenv"}}
    asks = bool(imported or named & {"environ", "environb", "getenv", "getenvb", "putenv"})
    assert asks == (path in READS_THE_ENVIRONMENT)


def _is_os(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "os"


@pytest.mark.parametrize("command", ["bot.read", "bot.mask", "bot.digester"])
def test_a_file_is_read_without_loading_what_serves(command: str) -> None:
    """These start in a tenth of a second, and the reader's process is as small as the bot's memory needs it."""
    script = f"import sys, bot.__main__, {command}, bot.reading.export; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert not {"aiohttp", "alembic", "asyncio", "httpx", "pydantic", "rich", "slack_sdk", "sqlalchemy"} & set(
        loaded.split()
    )
