"""What the profile needs of a database: `records` are its rows, `updating` and `refreshing` its two kinds of
transaction, `store` the writing side and `reading` the reading side. Adapters: memory, SQLite, PostgreSQL."""
