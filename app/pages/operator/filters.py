"""What the address of a page asks for: filters, the page of a list, and times. All of it is checked here."""

import datetime
import re
from collections.abc import Collection

from flask import request

from app.services.reports.report_filters import ReportFilter, ReportRefused

LONGEST = 255
LONGEST_WORDS = 200
PAGE_ROWS = 50
_NAMES = ("app", "end_user", "account", "mode", "status", "rating")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def asked(*names: str) -> ReportFilter:
    """Return the filter that the address names, of `names` and the times. Raises ReportRefused for what is no value."""
    texts = {name: text_of(name) for name in _NAMES if name in names}
    since, until = _day("since"), _day("until")
    return ReportFilter(
        **texts,
        since=since,
        # The last day is meant whole.
        until=until and until + datetime.timedelta(days=1),
        words=text_of("words", LONGEST_WORDS) if "words" in names else None,
    )


def text_of(name: str, longest: int = LONGEST) -> str | None:
    """Return a text of the address without blanks around it; None where it is empty. Raises ReportRefused."""
    text = request.args.get(name, "").strip()
    if len(text) > longest:
        raise ReportRefused(f"{_title(name)} has more than {longest} characters.")
    if not text.isprintable():
        raise ReportRefused(f"{_title(name)} has characters that cannot be looked for.")
    return text or None


def choice(name: str, choices: Collection[str], default: str) -> str:
    """Return one of the choices. Raises ReportRefused for another text."""
    text = text_of(name) or default
    if text not in choices:
        raise ReportRefused(f"{_title(name)} is one of {', '.join(choices)}.")
    return text


def following() -> str | None:
    """Return the mark of the page that is asked for; None for the first one. Raises ReportRefused."""
    return text_of("following")


def _day(name: str) -> datetime.datetime | None:
    text = text_of(name)
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text) is None:
            raise ValueError
        return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)
    except ValueError:
        raise ReportRefused(f"{_title(name)} is a day such as 2026-01-31.") from None


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
