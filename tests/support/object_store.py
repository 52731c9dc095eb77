"""A real S3-compatible server (moto's) on a socket of this machine."""

import secrets
from types import TracebackType
from typing import Self

import boto3
from moto.server import ThreadedMotoServer

REGION = "us-east-1"


class ObjectStore:
    def __init__(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    @property
    def environment(self) -> dict[str, str]:
        """The environment that its clients need."""
        host, port = self._server.get_host_and_port()
        return {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "tests",
            "AWS_DEFAULT_REGION": REGION,
        }

    def make_bucket(self) -> str:
        """Create an empty bucket and return its name."""
        name = f"tests-{secrets.token_hex(8)}"
        self.client().create_bucket(Bucket=name)
        return name

    def client(self) -> "boto3.client":
        return boto3.client(
            "s3",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=REGION,
            aws_access_key_id="tests",
            aws_secret_access_key="tests",
        )
