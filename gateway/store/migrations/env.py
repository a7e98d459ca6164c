"""What Alembic runs: the migrations, on the connection that it was given."""

from alembic import context

# Without `transactional_ddl` Alembic would end the transaction that it is called in.
context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
