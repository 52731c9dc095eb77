"""Hosts of one's own: network namespaces at a bridge, each of which can be cut off."""

import subprocess

from tests.support.places import Place

PREFIX = "10.77.0"
BRIDGE = Place(f"{PREFIX}.254", ("env",))


class Network:
    """Some hosts, and this process at the bridge between them. To be made in network and mount namespaces of one's own.

    Nothing is left of it when the namespaces end.
    """

    def __init__(self, hosts: int) -> None:
        _run("ip", "link", "set", "lo", "up")
        _run("mkdir", "-p", "/run/netns")
        _run("mount", "-t", "tmpfs", "hosts", "/run/netns")
        _run("ip", "link", "add", "br0", "type", "bridge")
        _run("ip", "address", "add", f"{BRIDGE.address}/24", "dev", "br0")
        _run("ip", "link", "set", "br0", "up")
        self.places = [self._add_host(number) for number in range(1, hosts + 1)]

    def cut(self, host: int) -> None:
        """Let nothing through to or from a host, counted from 1; nobody is told."""
        _run("ip", "link", "set", f"port{host}", "down")

    def heal(self, host: int) -> None:
        _run("ip", "link", "set", f"port{host}", "up")

    def _add_host(self, number: int) -> Place:
        name, inside = f"host{number}", ("ip", "-n", f"host{number}")
        _run("ip", "netns", "add", name)
        _run("ip", "link", "add", f"port{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
        _run("ip", "link", "set", f"port{number}", "master", "br0", "up")
        _run(*inside, "link", "set", "lo", "up")
        _run(*inside, "address", "add", f"{PREFIX}.{number}/24", "dev", "eth0")
        _run(*inside, "link", "set", "eth0", "up")
        return Place(f"{PREFIX}.{number}", ("ip", "netns", "exec", name))


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
