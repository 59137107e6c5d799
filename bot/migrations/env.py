"""Alembic runs this; the connection, with its transaction begun, is handed in by `upgrade`."""

from alembic import context

from bot.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
