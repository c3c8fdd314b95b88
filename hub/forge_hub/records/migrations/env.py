"""Alembic's entry point: it works on the connection that the program hands it."""

from alembic import context

from forge_hub.records.schema import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
