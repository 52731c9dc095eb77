"""Start PostgreSQL, Redis, a model server and a speech server on this machine, for `make run` and the tests.

Production never imports this package.
"""
