"""Brings the store's tables up to date with Alembic; only ever additive, for old and new containers run side by side."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from bot.errors import Misconfigured

# Most starts find it and need no Alembic at all. A test holds it to be the last of `versions`.
HEAD = "0001"


def revision(connection: Connection) -> str | None:
    """The one that the database is at; None where it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def upgrade(connection: Connection) -> None:
    """Within the caller's transaction. Raises Misconfigured where a newer version of the bot has been here."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    try:
        command.upgrade(config, "head")
    except CommandError:
        raise Misconfigured(
            "The database was made by a newer version of this bot: run that version, or restore a backup."
        ) from None
