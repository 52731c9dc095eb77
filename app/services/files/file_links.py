"""Links to files that work for some minutes without credentials (contract README §8)."""

import base64
import hmac
import re
import secrets
import time
from collections.abc import Sequence

from flask import current_app

from app.models.owners import Owner
from app.models.upload_files import list_owned_files
from app.services.auth.tokens import server_keys

NONCE_BYTES = 16
_SIGN_OF_LINK = "/file-preview?"
_LINK = re.compile(
    r"/files/(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/file-preview"
    r"\?timestamp=(?P<timestamp>[0-9]{1,12})&(?:amp;)?nonce=(?P<nonce>[0-9a-f]{32})&(?:amp;)?sign=(?P<sign>[A-Za-z0-9_=%-]{40,60})"
)


def link(file_id: str) -> str:
    """A fresh link to a file."""
    return f"{current_app.config['PUBLIC_URL']}{_path(file_id)}"


def _path(file_id: str) -> str:
    timestamp, nonce = str(int(time.time())), secrets.token_hex(NONCE_BYTES)
    sign = _signature(server_keys()[0], file_id, timestamp, nonce).replace("=", "%3D")
    return f"/files/{file_id}/file-preview?timestamp={timestamp}&nonce={nonce}&sign={sign}"


def seconds_left(file_id: str, timestamp: str, nonce: str, sign: str) -> float:
    """How long a link still works; 0 for one that is over, or was never ours."""
    if not _is_ours(file_id, timestamp, nonce, sign):
        return 0.0
    until: int = int(timestamp) + current_app.config["FILE_LINK_SECONDS"]
    return max(until - time.time(), 0.0)


def renewed(owner: Owner, texts: Sequence[str]) -> list[str]:
    """Return texts with fresh links in place of those that were ours, however old, to files of this owner.

    What nobody signed stays as it is: whoever can make a model repeat a made-up link must not get it signed. So does
    the link to another's file: it has come to somebody who may open it no longer than it works.
    """
    matches = [match for text in texts if _SIGN_OF_LINK in text for match in _LINK.finditer(text)]
    signed = {match["id"] for match in matches if _is_signed(match)}
    own = list_owned_files(owner, list(signed)) if signed else {}

    def fresh(match: re.Match[str]) -> str:
        return _path(match["id"]) if match["id"] in own and _is_signed(match) else match[0]

    return [_LINK.sub(fresh, text) if own else text for text in texts]


def _is_signed(match: re.Match[str]) -> bool:
    return _is_ours(match["id"], match["timestamp"], match["nonce"], match["sign"].replace("%3D", "="))


def _is_ours(file_id: str, timestamp: str, nonce: str, sign: str) -> bool:
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12 and sign.isascii()):
        return False
    return any(hmac.compare_digest(_signature(key, file_id, timestamp, nonce), sign) for key in server_keys())


def _signature(key: str, file_id: str, timestamp: str, nonce: str) -> str:
    digest = hmac.digest(key.encode(), f"file-preview|{file_id}|{timestamp}|{nonce}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode()
