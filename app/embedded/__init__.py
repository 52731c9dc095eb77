"""What `make run` and the tests start: PostgreSQL, Redis, the model server. Production never imports it."""
