"""For migrations: what PostgreSQL keeps of our blobs is compressed by LZ4, where the server was built with it. Its
default costs several times the time for blobs of our size."""

from collections.abc import Mapping, Sequence

from alembic import op

_HAS_LZ4 = "select 1 from pg_settings where name = 'default_toast_compression' and 'lz4' = any(enumvals)"


def compress_quickly(columns: Mapping[str, Sequence[str]]) -> None:
    """Table → its columns. On SQLite nothing is compressed."""
    bind = op.get_bind()
    if bind.dialect.name == "sqlite" or not bind.exec_driver_sql(_HAS_LZ4).scalar():
        return
    for table, names in columns.items():
        changes = ", ".join(f"alter {name} set compression lz4" for name in names)
        op.execute(f"alter table {table} {changes}")
