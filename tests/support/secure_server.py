"""A scripted server behind TLS, with a certificate of an authority that only the tests know."""

import pathlib
import socket
import ssl

import trustme

from tests.support.raw_server import Behaviour


class PrivateAuthority:
    """An authority whose certificate is in a file."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._authority = trustme.CA()
        self.file = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.file))

    def serving(self, name: str, behaviour: Behaviour) -> Behaviour:
        """Return a behaviour of a RawServer that speaks TLS under a name."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert(name).configure_cert(context)

        def behave(connection: socket.socket) -> None:
            behaviour(context.wrap_socket(connection, server_side=True))

        return behave
