"""Mail forms to their recipients (contract human-input.md §3)."""

import datetime
import html
import smtplib
from typing import Any

import structlog
from flask import current_app

from app.models.form_recipients import list_unmailed, mark_mailed, take_form_mail
from app.models.identifiers import now
from app.services.auth import mails
from app.services.auth.mails import Mail
from app.workflow.contracts.human_forms import LINK

log = structlog.get_logger(__name__)

DEFAULT_SUBJECT = "A form waits for your answer"
LONGEST_SUBJECT = 200
LATE = datetime.timedelta(minutes=1)
_HTML = (
    '<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{subject}</title></head>\n'
    '<body style="font-family: sans-serif; color: #1c2330">{body}</body></html>\n'
)


def mail(token: str) -> None:
    """Mail a form to the recipient of a token, unless that was done or the form is closed.

    A mail that the server does not take is tried again by beat.
    """
    moment = now()
    row = take_form_mail(token, moment, moment - LATE)
    if row is None:
        return
    try:
        mails.send(row.email, _mail(row.mail, token))
    except (smtplib.SMTPException, OSError) as failure:
        log.warning("form.not_mailed", error=str(failure))
        return
    mark_mailed(token, now())


def unmailed(moment: datetime.datetime, most: int = 1_000) -> list[str]:
    """Return the tokens whose mails are late: their worker died, or the mail server was away for long."""
    return list_unmailed(moment - LATE, most)


def link_of(token: str) -> str:
    """Return the address of a form's page; without WEB_APP_URL a text that says what is missing."""
    pages = current_app.config["WEB_APP_URL"]
    return (
        f"{pages}/form/{token}"
        if pages
        else f"(this server has no address for the form's page: WEB_APP_URL is not set) form token {token}"
    )


def _mail(written: dict[str, Any], token: str) -> Mail:
    subject = " ".join(written["subject"].split())[:LONGEST_SUBJECT] or DEFAULT_SUBJECT
    link = link_of(token)
    shown = f'<a href="{html.escape(link)}">{html.escape(link)}</a>' if link.startswith("http") else html.escape(link)
    body = html.escape(written["body"]).replace("\n", "<br>\n").replace(html.escape(LINK), shown)
    return Mail(subject, written["body"].replace(LINK, link), _HTML.format(subject=html.escape(subject), body=body))
