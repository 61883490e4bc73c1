"""The log on one machine: append-only files of SQLite. Nothing to install, no replica."""
