"""The names that logs and traces have for end users: the same person has the same one, and nobody can read who it is.

They are made with the first key of SECRET_KEY, and so the same in all processes of an installation until it changes.
"""

import hashlib
import hmac

from app.services.auth.tokens import server_keys

LENGTH = 16


def pseudonym(end_user_id: str) -> str:
    """Return the name of an end user: 16 hexadecimal digits."""
    digest = hmac.digest(server_keys()[0].encode(), f"end user in logs: {end_user_id}".encode(), hashlib.sha256)
    return digest.hex()[:LENGTH]
