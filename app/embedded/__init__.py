"""What `make run` and the tests start: PostgreSQL, Redis, the model server, voice and ears. Production never imports it."""
