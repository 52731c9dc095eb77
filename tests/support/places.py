"""Where servers of tests run: on this machine's 127.0.0.1, or on a host of its own, which is a network namespace."""

from typing import NamedTuple

from app.embedded.ports import ReservedPort


class FixedPort:
    """A port of a host that nobody else uses."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __str__(self) -> str:
        return str(self.number)

    def release(self) -> None:
        """Nothing to give back."""


class Place(NamedTuple):
    """A host by its address, and how commands are started there: behind the prefix."""

    address: str = "127.0.0.1"
    prefix: tuple[str, ...] = ()

    def port(self, usual: int) -> "FixedPort | ReservedPort":
        """Return a port for one server: the usual one where the host is our own."""
        return FixedPort(usual) if self.prefix else ReservedPort()


HERE = Place()
