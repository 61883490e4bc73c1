"""For migrations: tables in the words of both databases. By a word that a release has used its tables are made anew on
every new database: it is never changed, another one is added."""

from collections.abc import Mapping, Sequence

from alembic import op

Words = Mapping[str, tuple[str, str]]
"""Word → what PostgreSQL is told, what SQLite is."""

WORDS: Words = {
    # text that sorts by bytes on either
    "key": ('text collate "C"', "text"),
    "bytes": ("bytea", "blob"),
    "double": ("double precision", "real"),
    "serial": ("bigint generated always as identity", "integer primary key autoincrement"),
    # the rows live in the primary key itself
    "clustered": ("", "without rowid"),
    # room in each page for new versions of its rows, so that an update touches no index
    "hot": ("with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)", ""),
    # rows live for seconds: dead ones must not pile up at the head of the queue
    "queue": ("with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)", ""),
}
_HAS_LZ4 = "select 1 from pg_settings where name = 'default_toast_compression' and 'lz4' = any(enumvals)"
_NO_WORDS: Words = {}


def create_tables(tables: str, compressed: Mapping[str, Sequence[str]], own_words: Words = _NO_WORDS) -> None:
    """`tables`: statements, with words in braces. `compressed`: table → its columns that PostgreSQL compresses by LZ4,
    where the server was built with it: its default costs several times the time for blobs of our size."""
    bind = op.get_bind()
    on_sqlite = bind.dialect.name == "sqlite"
    words = {word: spellings[on_sqlite] for word, spellings in {**WORDS, **own_words}.items()}
    for statement in tables.format_map(words).split(";"):
        if statement.strip():
            op.execute(statement)
    if on_sqlite or not bind.exec_driver_sql(_HAS_LZ4).scalar():
        return
    for table, columns in compressed.items():
        changes = ", ".join(f"alter {name} set compression lz4" for name in columns)
        op.execute(f"alter table {table} {changes}")
