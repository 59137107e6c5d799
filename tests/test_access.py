"""Who may read: asked of Slack and Scalingo again when a session is handed out, whatever was true before."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ADA, Start, audit_log, until

from bot.standin.scalingo import ScalingoStandin
from bot.standin.slack import SlackStandin


@pytest.mark.parametrize("became", ["guest", "foreign", "deleted", "nameless"])
async def test_a_subscription_ends_with_the_standing_of_whoever_made_it(
    became: str, scalingo: ScalingoStandin, tmp_path: Path
) -> None:
    async with SlackStandin() as slack:
        slack.channel("ops")
        slack.person(ADA)
        start = Start(slack, scalingo, tmp_path)
        first = await start(POLL_EVERY_S="0.2")
        await slack.types("/auditlog subscribe shop")

        async def subscribed() -> bool:
            return len(await first.parts.store.subscriptions()) == 1

        await until(subscribed)
        slack.person(ADA, guest=became == "guest", foreign=became == "foreign", deleted=became == "deleted").email = (
            None if became == "nameless" else ADA
        )
        # What was known of her for minutes is not known to another process.
        second = await start(POLL_EVERY_S="0.2")
        scalingo.ran("bash", app="shop", by=ADA, log=audit_log("out", typed=("cat customers",)))

        async def ended() -> bool:
            return not await second.parts.store.subscriptions() and bool(await slack.messages("ops"))

        await until(ended)
        (said,) = await slack.messages("ops")
        assert "gets no more sessions of `shop`" in said["text"]
        assert "customers" not in str(said)
        await start.stop()
