"""The commands of the contract; a BotError becomes one line and status 2."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from bot.errors import BadInput, BotError
from bot.literal import visible

DESCRIPTION = (
    "Brings the audit logs of Scalingo's one-off containers to Slack: what was typed, and what the terminal showed."
)
EXAMPLES = """\
examples:
  python -m bot try                            see the thread, with no account
  python -m bot read audit-log.json            what was done in a session that was saved to a file
  python -m bot read - --transcript < log.json what its terminal showed
  env | python -m bot mask                     text without its secrets
  python -m bot serve                          the Slack app; its variables are in the README
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, as for every other bad input."""
        self.exit(2, f"bot: {message} ({self.prog} --help shows what there is).\n")


def parser() -> argparse.ArgumentParser:
    top = _Parser(
        prog="python -m bot",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    commands.add_parser("serve", help="run the Slack app and its jobs (the default)")
    commands.add_parser("worker", help="run jobs only, beside a `serve` on the same PostgreSQL")
    read = commands.add_parser("read", help="read an audit log from a file")
    read.add_argument(
        "file", metavar="FILE", help="the audit log, as Scalingo's API gives it (gzip'd or not); - is standard input"
    )
    form = read.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the digest as JSON: times, sizes, commands")
    form.add_argument("--transcript", action="store_true", help="what the terminal showed, as plain text")
    form.add_argument("--cast", action="store_true", help="an asciicast v2, for `asciinema play -`")
    read.add_argument(
        "--marks", action="store_true", help="with --transcript: one line for each full-screen program left out"
    )
    commands.add_parser("mask", help="copy standard input to standard output with its secrets masked")
    attempt = commands.add_parser("try", help="show the whole conversation on local stand-ins: no account, no network")
    attempt.add_argument("--picture", metavar="FILE.svg", help="save what is shown as a picture")
    return top


def run(arguments: argparse.Namespace) -> None:
    match arguments.command:
        case "read":
            _read(arguments)
        case "mask":
            from bot.mask import run as mask

            mask(sys.stdin.buffer, sys.stdout.buffer)
        case "try":
            from bot.tryout import run as try_out

            try_out(picture=arguments.picture)
        case "worker":
            from bot.app import run_worker

            run_worker()
        case _:
            from bot.app import run_serve

            run_serve()


def _read(arguments: argparse.Namespace) -> None:
    from bot.read import run as read

    if arguments.marks and not arguments.transcript:
        raise BadInput("--marks goes with --transcript: python -m bot read FILE --transcript --marks.")
    read(
        arguments.file,
        json=arguments.json,
        transcript=arguments.transcript,
        cast=arguments.cast,
        marks=arguments.marks,
    )


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    try:
        run(arguments)
    except BotError as error:
        print(f"bot: {visible(str(error))}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of our output went away (`… | head`): nobody is left to tell.
        sys.stderr.close()
        return 141
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
