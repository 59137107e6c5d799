"""A line recorder cuts output at `\\r\\n`, `\\n` and a bare `\\r`, and writes each piece with `\\n` at its end. Which it was
is lost; here it is told from what stands around it, as far as it can be.
"""

from __future__ import annotations

import re

from bot.reading.commands import Commands
from bot.reading.prompts import Prompts
from bot.reading.sequences import SILENT

# The next piece begins by erasing or redrawing its line.
REDRAWS = re.compile(r"\x1b\[[0-2]?K|\x1b\[1?G|\x1b\[0?J|\((?:reverse-|failed |fwd-)?\(?(?:reverse-)?i-search\)")
# A piece that shows nothing: modes only, or an erased line.
SHOWS_NOTHING = re.compile(r"(?:\x1b\[\?2004[hl])+\Z|(?:\x1b\[[0-9]*A)?\x1b\[2K\Z")
ALL_REDRAWS = re.compile(r"\n(?=\x1b\[[0-2]?K|\x1b\[1?G|\x1b\[0?J)|(?<=\x1b\[\?2004l)\n|(?<=\x1b\[2K)\n")


class Returns:
    """Gives back `\\r` or `\\r\\n` for each piece's end; the last one waits for what comes next."""

    def __init__(self, prompts: Prompts, commands: Commands) -> None:
        self._prompts = prompts
        self._commands = commands
        self._last: str | None = None  # the piece whose end is not known yet, as it was written

    def feed(self, text: str) -> tuple[str, str]:
        """`text` is whole pieces, each ending in `\\n`. Gives the end of the piece before, and these without their last end."""
        ending = self.ending(text[: text.index("\n")])
        body = text[:-1]
        self._last = body[body.rfind("\n") + 1 :]
        return ending, ALL_REDRAWS.sub("\r", body).replace("\n", "\r\n")

    def ending(self, following: str) -> str:
        if self._last is None:
            return ""
        return "\r" if self._returns(self._last, following) else "\r\n"

    def _returns(self, last: str, following: str) -> bool:
        if REDRAWS.match(following) or SHOWS_NOTHING.match(last):
            return True
        shown = SILENT.sub("", last)
        if not self._commands.waiting and not shown.endswith("^C"):
            prompt = self._prompts.find(shown + " ")
            if prompt and SILENT.sub("", following).startswith(prompt[0].rstrip()):
                return True
        return False
