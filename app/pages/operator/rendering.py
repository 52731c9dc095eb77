"""Render the operators' pages: templates that escape all that they are given, and a stylesheet named by its content."""

import datetime
import hashlib
import json
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import jinja2
from flask import Response, current_app, g, request, stream_with_context, url_for

from app.services.auth import operator_access
from app.services.reports import export_formats
from app.services.reports.export_formats import Format

_FOLDER = pathlib.Path(__file__).parent
STYLESHEET = (_FOLDER / "static" / "operator.css").read_bytes()
STYLESHEET_NAME = f"operator-{hashlib.sha256(STYLESHEET).hexdigest()[:16]}.css"
# What a page shows of one value; the API has the rest.
LONGEST_VALUE = 20_000
NAVIGATION = (
    ("operator.today", "Today"),
    ("operator.conversations", "Conversations"),
    ("operator.runs", "Runs"),
    ("operator.feedback", "Feedback"),
    ("operator.usage", "Usage"),
    ("operator.apps", "Apps"),
)
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # A page whose forms are sent without their origin could not be told from another's.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Return a page. `values`: what its template shows."""
    session = g.get("operator_session")
    shared = {
        "navigation": NAVIGATION,
        "signed_in": session is not None and session.signed_in,
        "form_token": operator_access.form_token(session) if session is not None else "",
        "stylesheet": url_for("operator.stylesheet", name=STYLESHEET_NAME),
        "version": current_app.config["VERSION"],
    }
    return Response(_ENVIRONMENT.get_template(template).render(shared | values), status, mimetype="text/html")


def stylesheet(name: str) -> Response:
    """Return the stylesheet, to be kept for ever; another name is an older or newer release's, and not to be kept."""
    response = Response(STYLESHEET, mimetype="text/css")
    kept = "public, max-age=31536000, immutable" if name == STYLESHEET_NAME else "no-store"
    response.headers["Cache-Control"] = kept
    return response


def export(records: Iterable[Any], kind: type, form: Format, name: str) -> Response:
    """Return records of the dataclass `kind` as a file to keep, which is sent while it is made."""
    content = stream_with_context(export_formats.blocks(export_formats.lines(records, kind, form)))
    response = Response(content, mimetype=export_formats.MIME_TYPES[form])
    response.headers["Content-Disposition"] = f"attachment; filename={name}.{form}"
    return response


def following_url(following: str) -> str:
    """Return the address of the page behind this one of a list."""
    return f"{request.path}?{urlencode({**request.args.to_dict(), 'following': following})}"


def _time(moment: datetime.datetime | None) -> str:
    """Return a time in UTC to the second."""
    return "" if moment is None else moment.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")


def _machine_time(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    if value < 10:
        return f"{value:.2f} s"
    return f"{value:.0f} s" if value < 600 else f"{value / 60:.0f} min"


def _number(value: float) -> str:
    """Return a number with its thousands apart."""
    return f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _plain(value: float) -> str:
    """Return a number with a decimal where it is small and has one."""
    return _number(value) if value == int(value) or value >= 100 else f"{value:.1f}"


def _cut(text: str | None, most: int) -> str:
    text = text or ""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _value(value: Any) -> str:
    """Return a value as people read it: a text as it is, anything else as indented JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)
    left = len(text) - LONGEST_VALUE
    return text if left <= 0 else f"{text[:LONGEST_VALUE]}\n… {_number(left)} more characters: the API gives all."


def _without(args: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in args.items() if name not in names and value}


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {"url_for": url_for, "request": request, "following_url": following_url}
    environment.filters |= {
        "time": _time,
        "machine_time": _machine_time,
        "seconds": _seconds,
        "number": _number,
        "plain": _plain,
        "cut": _cut,
        "value": _value,
        "without": _without,
    }
    return environment


_ENVIRONMENT = _environment()
