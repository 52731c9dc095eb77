"""Frontdesk: serves published AI apps over the public Web API.

Importing this package loads nothing: gunicorn reads its settings from here before gevent has patched anything.
"""

import sys

VERSION = "0.1.0"
# Redis's client and PyJWT take this package along wherever it is installed, and the MCP package installs it: 8 MiB in every process, for
# certificates and signatures that are not ours.
_HEAVY = "cryptography"
sys.modules.setdefault(_HEAVY, None)  # type: ignore[arg-type]


def admit_cryptography() -> None:
    """Let the package in after all, for one that cannot do without."""
    if sys.modules.get(_HEAVY) is None:
        sys.modules.pop(_HEAVY, None)
