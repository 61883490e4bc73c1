"""What the profile needs of a database, in its own words: `records` are its rows, `updating` and `refreshing` its two
kinds of transaction, `store` its writing side and `reading` its reading side. Adapters: memory, SQLite, PostgreSQL."""
