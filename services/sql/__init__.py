"""One SQL database, SQLite or PostgreSQL, under one face. Knows no table but positions and outbox lanes."""
