"""`python -m bot try`: the real app on local stand-ins for Slack and Scalingo, one slash command, and the thread that it posts."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bot import log
from bot.app import running
from bot.errors import BadInput, BotError
from bot.settings import Settings
from bot.standin import view
from bot.standin.people import Post
from bot.standin.scalingo import ScalingoStandin
from bot.standin.slack import SlackStandin

SAMPLE = Path(__file__).parent / "standin" / "sample-audit-log.json"
# When the documentation's sample was recorded.
RECORDED_AT = datetime(2019, 5, 3, 15, 27, 27, tzinfo=UTC)
COMMAND = "/auditlog rss-john last"
ASKED_BY = "john@example.com"
WIDTH = 100
POSTED_WITHIN_S = 20.0


def run(*, picture: str | None) -> None:
    """Raises BotError where the picture can't be written, or the thread does not come."""
    target = Path(picture) if picture else None
    if target is not None and (target.suffix != ".svg" or not target.parent.is_dir()):
        raise BadInput(f"The picture is an SVG in a folder that exists: --picture thread.svg, not {picture}.")
    log.configure(as_json=False, level="WARNING")
    thread, names = asyncio.run(conversation())
    console = Console(width=WIDTH, record=target is not None)
    view.show(
        [post.raw for post in thread],
        {name: content for post in thread for name, content in post.files.items()},
        console,
        typed=COMMAND,
        typed_by=ASKED_BY.partition("@")[0],
        names=names,
    )
    if target is not None:
        try:
            view.save_picture(console, target)
        except OSError as error:
            raise BadInput(f"{target} can't be written: {error.strerror}.") from None


async def conversation() -> tuple[list[Post], dict[str, str]]:
    """The thread, and the names of everybody in it by their ids. Raises BotError where it does not come."""
    async with ScalingoStandin() as scalingo, SlackStandin() as slack:
        slack.channel("ops")
        slack.person(ASKED_BY)
        names = {user.id: user.name for user in slack.users.values()}
        scalingo.app("rss-john", owner=ASKED_BY)
        scalingo.ran("bash", app="rss-john", by=ASKED_BY, log=SAMPLE, at=RECORDED_AT)
        with tempfile.TemporaryDirectory() as folder:
            async with running(settings_for(slack, scalingo, Path(folder))) as bot:
                slack.app_url = str(bot.address)
                await slack.types(COMMAND, user=ASKED_BY)
                try:
                    return await slack.thread(within_s=POSTED_WITHIN_S), names
                except TimeoutError:
                    said = "; ".join(told.text for told in slack.ephemerals(ASKED_BY)) or "it said nothing"
                    raise BotError(f"The thread did not come within {POSTED_WITHIN_S:.0f} s: {said}.") from None


def settings_for(slack: SlackStandin, scalingo: ScalingoStandin, folder: Path) -> Settings:
    settings = Settings.from_environment(
        {
            "SLACK_BOT_TOKEN": slack.token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_API_URL": slack.api_url,
            "SCALINGO_API_TOKEN": scalingo.token,
            "SCALINGO_API_URL": scalingo.url,
            "SCALINGO_AUTH_URL": scalingo.auth_url,
            "DATABASE_URL": f"sqlite:///{folder / 'try.sqlite'}",
        }
    )
    return settings.model_copy(update={"port": 0})
