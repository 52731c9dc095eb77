"""Decide which network addresses requests for others may go to: public ones, and those that an operator trusts.

What is public follows IANA's special-purpose registries, kept here because `ipaddress.is_global` has differed between
Python's minor versions. An address that embeds an IPv4 address is as public as that one.
"""

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

WEB_PORTS = (80, 443)
FIRST_UNPRIVILEGED_PORT = 1024
# Names that no name server of the world outside knows (RFC 6761, RFC 8375, ICANN's `.internal`).
INNER_NAMES = (".localhost", ".local", ".internal", ".intranet", ".lan", ".corp", ".home", ".home.arpa")
NOT_PUBLIC_V4 = [
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "168.63.129.16/32",  # a public address that Azure answers from inside each machine
    )
]
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
NOT_PUBLIC_V6 = [
    ipaddress.IPv6Network(network)
    # Teredo and other protocol assignments, documentation, 6to4, documentation.
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]
MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
ISATAP = (0x00005EFE, 0x02005EFE)


def is_public(address: Address) -> bool:
    """Whether an address means the same machine everywhere in the Internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_V4)
    embedded = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in MAPPED or address in NAT64:
        return is_public(embedded)
    # An ISATAP interface id, 0000:5efe or 0200:5efe and an IPv4 address, may stand behind any prefix.
    if int(address) >> 32 & 0xFFFFFFFF in ISATAP and not is_public(embedded):
        return False
    return address in GLOBAL_UNICAST and not any(address in network for network in NOT_PUBLIC_V6)


class AllowedAddresses:
    """The addresses that may be reached: public ones at ports 80, 443 and from 1024 on, and the operator's entries.

    An entry is a network (`10.1.0.0/16`), an address or a host name, the last two with or without a port
    (`[::1]:8080`). A name stands for all its addresses. Raises ValueError, whose text names the entry.
    """

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._networks: list[tuple[Network, int | None]] = []
        self._names: set[tuple[str, int | None]] = set()
        for entry in trusted:
            self._trust(entry)

    def allows(self, host: str, address: str, port: int) -> bool:
        """Whether a port of an address may be reached: `host` as in the URL, `address` from its look-up."""
        # A link-local IPv6 address comes with its interface: `fe80::1%eth0`.
        parsed = ipaddress.ip_address(address.partition("%")[0])
        if {(host.lower(), None), (host.lower(), port)} & self._names:
            return True
        if any(parsed in network and only in (None, port) for network, only in self._networks):
            return True
        return is_public(parsed) and (port in WEB_PORTS or port >= FIRST_UNPRIVILEGED_PORT)

    def may_be_public(self, host: str, port: int) -> bool:
        """Whether a name that cannot be looked up here may lead to an allowed address: trusted, or no inner name."""
        name = host.lower().rstrip(".")
        if {(name, None), (name, port)} & self._names:
            return True
        return "." in name and not name.endswith(INNER_NAMES) and (port in WEB_PORTS or port >= FIRST_UNPRIVILEGED_PORT)

    def _trust(self, entry: str) -> None:
        try:
            self._networks.append((ipaddress.ip_network(entry), None))
            return
        except ValueError:
            pass
        host, port = _split(entry)
        try:
            self._networks.append((ipaddress.ip_network(host), port))
        except ValueError:
            if not host or any(character in host for character in "/:[]@*? "):
                raise ValueError(
                    f"{entry!r} is neither a network nor an address or host name with or without a port"
                ) from None
            self._names.add((host.lower(), port))


def _split(entry: str) -> tuple[str, int | None]:
    """Split an entry into host, without brackets, and port."""
    host, colon, port = entry.rpartition(":")
    if colon and port.isdecimal() and not host.endswith(":") and 0 < int(port) < 65_536:
        return host.removeprefix("[").removesuffix("]"), int(port)
    return entry.removeprefix("[").removesuffix("]"), None
