"""A file for a session on its way: private, and gone with the process, however that ends."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self


class Scratch:
    """On Linux no name ever leads to it: `path` is the descriptor's, and a child gets it with `pass_fds`."""

    def __init__(self) -> None:
        nameless = sys.platform == "linux"
        self._file = tempfile.TemporaryFile() if nameless else tempfile.NamedTemporaryFile()  # noqa: SIM115 - `close` closes it
        self.fd = self._file.fileno()
        self.path = Path(f"/proc/self/fd/{self.fd}") if nameless else Path(str(self._file.name))

    @property
    def size(self) -> int:
        return os.fstat(self.fd).st_size

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
