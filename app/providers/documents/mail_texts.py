"""Read mails (eml)."""

import email
import email.message
import email.policy
from typing import NamedTuple

from app.providers.documents.text_encoding import read_text

_HEADS = ("Subject", "From", "To", "Cc", "Date")


class MailText(NamedTuple):
    """The heads and the text of a mail. `is_page`: the text is HTML."""

    heads: str
    text: str
    is_page: bool


def read_mail(content: bytes) -> MailText:
    """Return a mail, its plain text if it has one. Attachments are left out."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    heads = "\n".join(f"{name}: {message[name]}" for name in _HEADS if message[name])
    body = message.get_body(("plain", "html"))
    payload = None if body is None else body.get_payload(decode=True)
    if body is None or not isinstance(payload, bytes):
        return MailText(heads, "", False)
    is_page = body.get_content_type() == "text/html"
    return MailText(heads, read_text(payload, body.get_content_charset() or "", markup=is_page), is_page)
