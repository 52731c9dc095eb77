"""How requests leave this machine: through a proxy or not, and whom TLS trusts beside the system's authorities.

HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY mean what they mean to curl. Requests to this machine itself go through
no proxy, whatever the settings say: a proxy would ask its own machine.
"""

import base64
import functools
import ipaddress
import os
import re
import ssl
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

# For `requests`, which else asks a proxy for this machine's own servers too.
DIRECT = {"http": "", "https": ""}
_ENTRY = re.compile(r"(?:\[([^\]]+)\]|([^:\[\]]+))(?::(\d+))?")


class UnusableProxy(OSError):
    """A proxy is set that cannot be used; the text says why, for the operator."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. `authorization`: the value of its Proxy-Authorization header, "" without a user."""

    host: str
    port: int
    authorization: str = field(default="", repr=False)

    @property
    def header(self) -> str:
        """The header line that tells the proxy who asks, "" without a user."""
        return f"Proxy-Authorization: {self.authorization}\r\n" if self.authorization else ""


def parse_proxy(url: str) -> Proxy:
    """Return the proxy at `http://user:password@host:port`; scheme and user may be missing. Raises ValueError."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        raise ValueError("must be a proxy's URL such as http://proxy.example.com:3128") from None
    if parts.scheme != "http":
        raise ValueError(f"must be a proxy's URL that begins with http://; {parts.scheme}:// is not supported")
    if not host or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("must be a proxy's URL such as http://proxy.example.com:3128")
    if parts.username is None:
        return Proxy(host, port)
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return Proxy(host, port, f"Basic {base64.b64encode(credentials).decode()}")


def is_this_machine(host: str) -> bool:
    """Whether a host name or address means the machine itself, without a look-up."""
    host = host.lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    embedded = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (embedded or address).is_loopback or (embedded or address).is_unspecified


@dataclass(frozen=True)
class Outgoing:
    """The ways out of one process. `http`, `https`, `any_scheme`: proxies' URLs; `direct`: the value of NO_PROXY.

    `ca_files`: files, or folders, with the certificates of further authorities.
    """

    http: str = ""
    https: str = ""
    any_scheme: str = ""
    direct: str = ""
    ca_files: tuple[str, ...] = ()

    def proxy_for(self, host: str, port: int, secure: bool) -> Proxy | None:
        """Return the proxy for requests to a server, None for none. Raises UnusableProxy."""
        name = "HTTPS_PROXY" if secure else "HTTP_PROXY"
        url = self.https if secure else self.http
        if not url:
            name, url = "ALL_PROXY", self.any_scheme
        if not url or is_this_machine(host) or self._goes_direct(host, port):
            return None
        try:
            return parse_proxy(url)
        except ValueError as problem:
            raise UnusableProxy(f"{name} {problem}") from None

    def proxy_url(self, url: str) -> str:
        """Return the URL of the proxy for a URL, "" for none, as HTTP libraries take it. Raises UnusableProxy."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        if self.proxy_for(parts.hostname or "", parts.port or (443 if secure else 80), secure) is None:
            return ""
        proxy = (self.https if secure else self.http) or self.any_scheme
        return proxy if "://" in proxy else f"http://{proxy}"

    def tls_context(self) -> ssl.SSLContext:
        """Return TLS settings that trust the system's authorities and those of `ca_files`. Raises OSError."""
        return tls_context(self.ca_files)

    def _goes_direct(self, host: str, port: int) -> bool:
        host = host.lower().rstrip(".")
        return any(_matches(entry, host, port) for entry in self.direct.lower().replace(",", " ").split())


WITHOUT_PROXY = Outgoing()


def _matches(entry: str, host: str, port: int) -> bool:
    """Return whether an entry of NO_PROXY names a server: `*`, a name or suffix, an address, a network; with a port."""
    if entry == "*":
        return True
    try:
        # Before the port is split off: an IPv6 network holds colons too.
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        pass
    found = _ENTRY.fullmatch(entry)
    if found is None or (found[3] and int(found[3]) != port):
        return False
    name = (found[1] or found[2]).removeprefix("*").lstrip(".").rstrip(".")
    try:
        return ipaddress.ip_address(name) == ipaddress.ip_address(host)
    except ValueError:
        return bool(name) and (host == name or host.endswith(f".{name}"))


@functools.cache
def tls_context(ca_files: tuple[str, ...] = ()) -> ssl.SSLContext:
    """Return TLS settings that trust the system's authorities, or those of SSL_CERT_FILE, and those of the files.

    Kept, for reading them takes milliseconds. Raises OSError.
    """
    context = ssl.create_default_context()
    for name in ca_files:
        is_folder = os.path.isdir(name)
        context.load_verify_locations(cafile=None if is_folder else name, capath=name if is_folder else None)
    return context
