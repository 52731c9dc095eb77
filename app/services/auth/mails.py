"""Send mails by SMTP, as plain text and HTML."""

import email.utils
import smtplib
import ssl
import urllib.parse
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any, NamedTuple

import structlog
from flask import current_app

log = structlog.get_logger(__name__)

SERVER_SECONDS = 10
PORTS = {"smtp+starttls": 587, "smtps": 465, "smtp": 25}
DEVELOPMENT = "DEVELOPMENT"
NO_SERVER = "SMTP_URL is not set"


class Mail(NamedTuple):
    """A mail with the same content as plain text and as HTML."""

    subject: str
    text: str
    html: str


def can_be_read(settings: Mapping[str, Any]) -> bool:
    """Whether mails can be read: by their recipients, or under `make run` in its log."""
    return bool(settings["SMTP_URL"]) or settings["DEPLOY_ENV"] == DEVELOPMENT


def send(recipient: str, mail: Mail) -> None:
    """Hand a mail to the server of SMTP_URL. Without one, write it to the log under `make run`, and drop it elsewhere.

    Raises smtplib.SMTPException, OSError.
    """
    settings = current_app.config
    if settings["SMTP_URL"]:
        _deliver(settings["SMTP_URL"], _message(recipient, mail, settings["MAIL_FROM"]))
    elif settings["DEPLOY_ENV"] == DEVELOPMENT:
        log.warning("mail.shown_here", reason=NO_SERVER, to=recipient, subject=mail.subject, text=mail.text)
    else:
        # Mails hold codes, which must not be in a production log.
        log.error("mail.not_sent", reason=NO_SERVER)


def _message(recipient: str, mail: Mail, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, mail.subject
    message["Date"] = email.utils.localtime()
    message["Message-ID"] = email.utils.make_msgid(domain=email.utils.parseaddr(sender)[1].rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _deliver(url: str, message: EmailMessage) -> None:
    address = urllib.parse.urlsplit(url)
    host, port = address.hostname or "", address.port or PORTS[address.scheme]
    if address.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port, timeout=SERVER_SECONDS, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, port, timeout=SERVER_SECONDS)
    with server:
        if address.scheme == "smtp+starttls":
            server.starttls(context=ssl.create_default_context())
        if address.username:
            server.login(urllib.parse.unquote(address.username), urllib.parse.unquote(address.password or ""))
        server.send_message(message)
