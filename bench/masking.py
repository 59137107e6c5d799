"""How fast masking is, and how much it finds.

    python bench/masking.py [DIRECTORY]

DIRECTORY holds `corpus.jsonl` and `score.py` (default: ../shared/secrets beside this repository); without it the lines of
the tests' own cases are the text, and no score is given. Seconds are this process's CPU time.
"""

import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from secret_cases import files, read_case  # noqa: E402

from bot.reading import secrets  # noqa: E402
from bot.reading.secrets import Masker  # noqa: E402

BLOCK = 1 << 16
QUIET_BYTES = 16_000_000
WORDS = [
    "order",
    "queue",
    "worker",
    "payment",
    "retry",
    "invoice",
    "batch",
    "cache",
    "stock",
    "price",
    "index",
    "export",
    "user",
    "event",
    "token",
    "session",
]


def quiet_log(size: int) -> str:
    """Log lines as a worker writes them: words of the trade, ids, times, and a secret in one line of 10,000."""
    rng = random.Random(7)
    lines, length, number = [], 0, 0
    while length < size:
        number += 1
        message = " ".join(rng.choices(WORDS, k=6))
        line = f"2026-03-02 11:04:{number % 60:02d}.{number % 1000:03d} [{rng.getrandbits(32):08x}] INFO {message} id={number} {rng.random():.4f}\n"
        if number % 10_000 == 0:
            line = f"DATABASE_URL=postgres://shop:{rng.getrandbits(64):016x}@db:5432/shop\n"
        lines.append(line)
        length += len(line)
    return "".join(lines)


def blocks_of(text: str) -> list[str]:
    blocks, start = [], 0
    while start < len(text):
        end = text.rfind("\n", start, start + BLOCK) + 1 or len(text)
        blocks.append(text[start:end])
        start = end
    return blocks


def speed(name: str, text: str, work: Callable[[str], object]) -> None:
    blocks = blocks_of(text)
    began = time.process_time()
    for block in blocks:
        work(block)
    seconds = time.process_time() - began
    print(f"{name:<44}{len(text.encode()) / max(seconds, 1e-9) / 1e6:10.1f} MB/s")


def hinted_lines(hints: Any, block: bytes) -> int:
    count, position = 0, 0
    while hit := hints.search(block, position):
        count += 1
        position = block.find(b"\n", hit.start()) + 1 or len(block)
    return count


def labelled_text(directory: Path) -> str:
    corpus = directory / "corpus.jsonl"
    if corpus.exists():
        return "".join(json.loads(line)["text"] + "\n" for line in corpus.read_text(encoding="utf-8").splitlines())
    return "".join(line.text + "\n" for path in files() for line in read_case(path))


def main() -> None:
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "secrets"
    log, labelled = quiet_log(QUIET_BYTES), labelled_text(directory)
    automaton = secrets._automaton()  # noqa: SLF001  # the scan alone has no public name
    with_re = re.compile(automaton.block.pattern.replace(b"(?m:", b"(?:"), re.MULTILINE)
    masker = Masker()
    masker.feed(log[: log.index("\n") + 1])
    speed("a plain copy of a log", log, lambda block: block.encode().decode())
    speed("the filter on that log", log, masker.feed)
    speed("its scan for hints alone, in re2", log, lambda block: hinted_lines(automaton.block, block.encode()))
    speed("the same scan in re", log[:500_000], lambda block: hinted_lines(with_re, block.encode()))
    speed("the filter where one line in ten is secret", labelled, Masker().feed)
    score = directory / "score.py"
    if score.exists():
        done = subprocess.run(
            [sys.executable, str(score), "--call", "bot.reading.secrets:mask_lines"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        print(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
