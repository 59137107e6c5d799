"""The process that reads one audit log for `digest.py`: a module of its own, so that it imports nothing it does not need."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import orjson

from bot.errors import AuditLogBroken, AuditLogCut
from bot.literal import legible

# One message holds fewer; the file has them all.
COMMANDS_LIMIT = 600

BROKEN, CUT = 2, 3


def main(log_path: str, transcript_path: str) -> int:
    from bot.reading.export import digest_to

    # Whoever waits for an ack comes first.
    os.nice(10)
    try:
        values = digest_to(Path(log_path), Path(transcript_path), COMMANDS_LIMIT, legible)
    except AuditLogBroken as error:
        sys.stderr.write(f"{error}\n")
        return CUT if isinstance(error, AuditLogCut) else BROKEN
    sys.stdout.buffer.write(orjson.dumps(values))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
