"""The connection to SQLite or PostgreSQL: how it is opened, migrated and shared, and what its failures are called.

What was learnt on the way, and is held by the tests:

* SQLite begins a transaction late, at the first write, and a transaction that first read is then refused at once
  (`database is locked`, whatever the busy timeout). So a writing transaction begins with BEGIN IMMEDIATE, which waits.
* `synchronous=FULL` costs half a millisecond a commit where it was measured; a request that was acknowledged then
  survives the machine as well, not only the process.
* Scalingo writes `postgres://…?sslmode=prefer`. SQLAlchemy knows no dialect `postgres`; libpq knows `sslmode`.
* A connection whose network went silent would hang for a quarter of an hour; `tcp_user_timeout` ends it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar

import aiosqlite
import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, ColumnElement, Connection, Table, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import Misconfigured, StoreDown
from bot.migrations import HEAD, revision, upgrade

DEFAULT_URL = "sqlite:///audit-log-bot.sqlite"
# Any number will do, if every process takes the same: "audit" in ASCII.
MIGRATION_LOCK = 0x6175646974

# The driver's own errors are met by whoever borrows its connection.
_GONE = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError, NoConnectionFree, OSError)
_BUSY_TIMEOUT_S = 15
# Scalingo's smallest PostgreSQL allows 10 connections, and a deploy runs two containers of each kind side by side.
_POOL = {"pool_size": 2, "max_overflow": 3, "pool_timeout": 10, "pool_pre_ping": True}
_OPTIONS = {
    "application_name": "audit-log-bot",
    "connect_timeout": "5",
    "tcp_user_timeout": "15000",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}


def database_url(given: str) -> URL:
    """`given` as SQLAlchemy takes it, the file of this directory where it is empty. Raises Misconfigured."""
    try:
        url = make_url(given or DEFAULT_URL)
        # SQLAlchemy takes a port that is none for a part of the name, and says so only when it connects.
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        raise Misconfigured(_wrong("can't be read")) from None
    if backend == "sqlite":
        return _sqlite_url(url)
    if backend in {"postgres", "postgresql"}:
        return _postgresql_url(url)
    raise Misconfigured(_wrong("names neither PostgreSQL nor SQLite"))


def _wrong(what: str) -> str:
    return f"DATABASE_URL {what}: write postgresql://user:password@host:5432/name or sqlite:///path/to/file."


def _sqlite_url(url: URL) -> URL:
    if url.host or url.query:
        raise Misconfigured(_wrong("names a host or options for an SQLite file"))
    if url.database in {None, "", ":memory:"}:
        raise Misconfigured(_wrong("names no file for SQLite, where nothing would survive"))
    return url.set(drivername="sqlite+aiosqlite")


def _postgresql_url(url: URL) -> URL:
    try:
        make_conninfo(**{name: str(value) for name, value in url.query.items()})
    except psycopg.ProgrammingError as error:
        raise Misconfigured(_wrong(f"has an option that PostgreSQL does not know ({str(error).strip()})")) from None
    return url.set(drivername="postgresql+psycopg").update_query_dict(
        {name: value for name, value in _OPTIONS.items() if name not in url.query}
    )


class FileLock:
    """Beside an SQLite file, held as long as that is open: it tells whether anybody else has it open."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def try_alone(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def share(self) -> None:
        """Blocks while another process is alone with the file."""
        fcntl.flock(self._fd, fcntl.LOCK_SH)

    def close(self) -> None:
        os.close(self._fd)


class _Row(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


R = TypeVar("R", bound=_Row)


def columns(table: Table, row: type[_Row]) -> list[ColumnElement[Any]]:
    """Those columns of `table` that `row` has a field for, by its name."""
    return [table.c[field.name] for field in fields(row)]


def into(row: type[R], mapping: Mapping[Any, Any] | None) -> R | None:
    return None if mapping is None else row(**mapping)


class Database:
    """What every noun of the store is built on: transactions, and failures in our words."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.on_postgresql = url.get_backend_name() == "postgresql"
        self.alone = False
        self._engine = _postgresql_engine(url) if self.on_postgresql else _sqlite_engine(url)
        self._reader = self._engine.execution_options(
            **({"isolation_level": "AUTOCOMMIT"} if self.on_postgresql else {"reading": True})
        )
        self._lock: FileLock | None = None
        # SQLite has one writer at a time, and its waiting is a sleep in steps: the writers of a process queue up here.
        self._one_writer = asyncio.Lock()

    @classmethod
    async def open(cls, url: str = "") -> Self:
        """Opens the database and brings its tables up to date, however many processes do so at once.

        Raises Misconfigured where it can never work, StoreDown where it is not there (yet).
        """
        self = cls(database_url(url))
        try:
            if not self.on_postgresql:
                await asyncio.to_thread(self._take_file)
            await self._migrate()
            await self._opened()
            if self._lock is not None:
                await asyncio.to_thread(self._lock.share)
        except BaseException:
            await self.close()
            raise
        return self

    async def close(self) -> None:
        await self._engine.dispose()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def ping(self) -> None:
        """Raises StoreDown."""
        async with self._reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def connect_beside(self) -> psycopg.AsyncConnection[Any]:
        """A connection of one's own to PostgreSQL, outside the pool, for LISTEN. Raises StoreDown."""
        with self._faults():
            _, options = self._engine.dialect.create_connect_args(self.url)
            return await psycopg.AsyncConnection.connect(autocommit=True, **options)

    @asynccontextmanager
    async def raw_connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """PostgreSQL's own connection out of the pool, each statement its own transaction. Raises StoreDown."""
        async with self._reading() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                yield driver
            except psycopg.OperationalError:
                # SQLAlchemy did not see it, and would hand a broken connection to the next one.
                await connection.invalidate()
                raise

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[None]:
        """On PostgreSQL, one process at a time."""
        async with self._reading() as connection:
            await connection.execute(text(f"SELECT pg_advisory_lock({MIGRATION_LOCK})"))
            try:
                yield
            finally:
                await connection.execute(text(f"SELECT pg_advisory_unlock({MIGRATION_LOCK})"))

    async def _opened(self) -> None:
        """For what a store does while it may still be alone with its file."""

    def _take_file(self) -> None:
        path = Path(str(self.url.database))
        try:
            self._lock = FileLock(path.with_name(path.name + ".lock"))
            # SQLite would make it with the umask's mode; its -wal and -shm follow the file's.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self.alone = self._lock.try_alone()
            if not self.alone:
                self._lock.share()
        except OSError as error:
            raise Misconfigured(f"The SQLite file {path} can't be opened: {error.strerror}.") from None

    async def _migrate(self) -> None:
        async with self._reading() as connection:
            if await connection.run_sync(revision) == HEAD:
                return
        if self.on_postgresql:
            async with self.migrating(), self._writing() as connection:
                await connection.run_sync(upgrade)
        else:
            async with self._writing() as connection:
                await connection.run_sync(upgrade)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        with self._faults():
            async with self._reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: all of it, or, after an error, nothing."""
        with self._faults():
            if self.on_postgresql:
                async with self._engine.begin() as connection:
                    yield connection
            else:
                async with self._one_writer, self._engine.begin() as connection:
                    yield connection

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Both dialects have ON CONFLICT and RETURNING, in the same words."""
        return postgresql.insert(table) if self.on_postgresql else sqlite.insert(table)

    @property
    def _where(self) -> str:
        return f"PostgreSQL at {self.url.host}" if self.on_postgresql else f"the SQLite file {self.url.database}"

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except _GONE as error:
            if _is_ours(error):
                raise
            raise self._fault(error) from None
        except DBAPIError as error:
            # Its subclasses are statements that failed; itself it says that the file is none, or damaged.
            if type(error.orig) is sqlite3.DatabaseError:
                raise Misconfigured(
                    f"{self.url.database} is no SQLite file, or a damaged one: name another in DATABASE_URL."
                ) from None
            if error.connection_invalidated:
                raise self._fault(error) from None
            raise

    def _fault(self, error: Exception) -> Misconfigured | StoreDown:
        said = str(getattr(error, "orig", error))
        # libpq gives these two no code, only words; in another language they are tried again, which does no harm.
        if "authentication failed" in said or ("does not exist" in said and "connection" in said):
            return Misconfigured(f"{self._where} refuses the user, the password or the name in DATABASE_URL.")
        return StoreDown(f"The database does not answer ({self._where}): nothing is lost, it is tried again.")


def _is_ours(error: Exception) -> bool:
    """SQLite has one class for an outage and for a statement that is wrong."""
    original = getattr(error, "orig", None)
    return isinstance(original, sqlite3.OperationalError) and original.sqlite_errorcode == sqlite3.SQLITE_ERROR


def _postgresql_engine(url: URL) -> AsyncEngine:
    return create_async_engine(url, hide_parameters=True, **_POOL)


async def _opened(path: str) -> aiosqlite.Connection:
    connection = aiosqlite.connect(path, timeout=_BUSY_TIMEOUT_S)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does: no thread of it keeps the process alive
    return await connection


def _sqlite_engine(url: URL) -> AsyncEngine:
    async def connect() -> aiosqlite.Connection:
        """A connection that, where whoever waits for it is cancelled, is closed and not lost."""
        opening = asyncio.ensure_future(_opened(str(url.database)))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            with suppress(sqlite3.Error):
                await (await opening).close()
            raise

    engine = create_async_engine(url, hide_parameters=True, async_creator=connect)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        # The driver's own BEGIN would come too late: see `begin`.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
