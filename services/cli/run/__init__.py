"""`counterpoint run` and the services one by one: what a running process is put together of."""
