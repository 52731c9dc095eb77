"""The whole product on servers that fail over: Redis behind Sentinels, PostgreSQL with a standby."""

import pathlib

import redis

from tests.support.postgres_pair import PostgresPair
from tests.support.redis_group import RedisGroup
from tests.support.stack import Stack


class FailoverStack(Stack):
    """A stack whose Redis and PostgreSQL each have a second server."""

    def __init__(self, directory: pathlib.Path, worker_processes: int = 1) -> None:
        super().__init__(directory, 1, worker_processes)
        self.redis = RedisGroup(directory / "redis")
        self.postgres = PostgresPair(directory / "postgres")

    def redis_client(self) -> "redis.Redis":
        return self.redis.client()
