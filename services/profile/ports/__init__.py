"""What the profile needs of a database: `records` are its rows, `updating` and `refreshing` its two kinds of
transaction, `reading` what readers ask and `store` that and the rest. Adapters: memory, SQLite, PostgreSQL."""
