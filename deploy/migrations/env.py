"""Runs inside Alembic, on the connection that services/sql/migrations.py passes in."""

from alembic import context

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("run `counterpoint db upgrade`: migrations need an open database")
context.configure(connection=connection, transactional_ddl=True)
context.run_migrations()
