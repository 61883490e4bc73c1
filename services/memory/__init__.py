"""Tables, positions and outbox lanes in the memory of one process, as `services.sql` has them in a database."""
