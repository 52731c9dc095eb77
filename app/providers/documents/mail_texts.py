"""Read the text of mails (eml)."""

import email
import email.message
import email.policy

from app.providers.documents.text_encoding import read_text

_HEADS = ("Subject", "From", "To", "Cc", "Date")


def mail_text(content: bytes, marked: bool) -> str:
    """Return the heads and the text of a mail; "" for one without text, and for one that is written in HTML alone."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    body = message.get_body(("plain",))
    payload = None if body is None else body.get_payload(decode=True)
    if body is None or not isinstance(payload, bytes):
        return ""
    heads = "\n".join(f"{name}: {message[name]}" for name in _HEADS if message[name])
    return f"{heads}\n\n{read_text(payload, body.get_content_charset() or '')}"
