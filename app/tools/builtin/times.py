"""The tools of the provider `time`: the current time, and conversions between times, time zones and timestamps."""

import datetime
import re
import zoneinfo
from collections.abc import Mapping
from typing import Any

from app.providers.cancellation import Cancellation
from app.tools.builtin.builtin_tool import BuiltinProvider, number, provider, text, tool
from app.tools.tool_types import ToolFailed

FORMAT = "%Y-%m-%d %H:%M:%S"
_LONGEST_FORMAT = 200
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?", re.IGNORECASE)
_ZONE = "IANA time zone, such as Europe/Berlin; UTC by default"


def time_provider() -> BuiltinProvider:
    """Return the provider `time`."""
    return provider(
        "🕒",
        tool(
            "current_time",
            "The current date and time.",
            {"en_US": "Current time", "zh_Hans": "当前时间"},
            _current_time,
            timezone=("string", _ZONE),
            format=("string", "strftime format; %Y-%m-%d %H:%M:%S by default"),
        ),
        tool(
            "localtime_to_timestamp",
            "Converts a local time to a Unix timestamp.",
            {"en_US": "Local time to timestamp", "zh_Hans": "获取时间戳"},
            _to_timestamp,
            ("localtime",),
            localtime=("string", "For example 2026-01-31 12:00:00"),
            timezone=("string", _ZONE),
        ),
        tool(
            "timestamp_to_localtime",
            "Converts a Unix timestamp to a local time.",
            {"en_US": "Timestamp to local time", "zh_Hans": "时间戳转换"},
            _to_local_time,
            ("timestamp",),
            timestamp=("", "Seconds since 1970; milliseconds are understood too"),
            timezone=("string", _ZONE),
        ),
        tool(
            "timezone_conversion",
            "Converts a local time of one time zone to another.",
            {"en_US": "Convert time zones", "zh_Hans": "转换时区"},
            _convert,
            ("current_time", "target_timezone"),
            current_time=("string", "For example 2026-01-31 12:00:00"),
            current_timezone=("string", _ZONE),
            target_timezone=("string", "The time zone that is wanted"),
        ),
        tool(
            "weekday",
            "The day of the week of a date.",
            {"en_US": "Weekday", "zh_Hans": "星期几"},
            _weekday,
            year=("", "For example 2026; this year by default"),
            month=("", "1 to 12"),
            day=("", "1 to 31"),
        ),
    )


def _current_time(arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> str:
    zone, form = _zone(text(arguments, "timezone", default="UTC")), text(arguments, "format", default=FORMAT)
    if len(form) > _LONGEST_FORMAT:
        raise ToolFailed(f"The format is longer than {_LONGEST_FORMAT} characters.")
    try:
        return datetime.datetime.now(zone).strftime(form)
    except ValueError:
        raise ToolFailed("The format is not a valid strftime format.") from None


def _to_timestamp(arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> str:
    moment = _read(text(arguments, "localtime"), _zone(text(arguments, "timezone", default="UTC")))
    return str(int(moment.timestamp()))


def _to_local_time(arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> str:
    zone, given = _zone(text(arguments, "timezone", default="UTC")), text(arguments, "timestamp")
    try:
        value = float(given)
        # Beyond the year 5000 in seconds: milliseconds.
        moment = datetime.datetime.fromtimestamp(value / 1000 if abs(value) >= 1e11 else value, zone)
    except (ValueError, OverflowError, OSError):
        raise ToolFailed(f"{given[:60]!r} is no timestamp: give seconds since 1970.") from None
    return moment.strftime(FORMAT)


def _convert(arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> str:
    source = _zone(text(arguments, "current_timezone", default="UTC"))
    target = _zone(text(arguments, "target_timezone", default="UTC"))
    try:
        return _read(text(arguments, "current_time"), source).astimezone(target).strftime(FORMAT)
    except OverflowError:
        raise ToolFailed("The time lies outside of the calendar.") from None


def _weekday(arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> str:
    today = datetime.datetime.now(datetime.UTC).date()
    year = number(arguments, "year", default=today.year, least=1, most=9999)
    month = number(arguments, "month", default=today.month, least=0, most=13)
    day = number(arguments, "day", default=today.day, least=0, most=32)
    try:
        date = datetime.date(year, month, day)
    except ValueError:
        raise ToolFailed(f"There is no date {year}-{month:02}-{day:02}.") from None
    return f"{date.isoformat()} is a {_DAYS[date.weekday()]}."


def _zone(name: str) -> datetime.tzinfo:
    """Return a time zone by its IANA name or its offset. Raises ToolFailed."""
    offset = _OFFSET.fullmatch(name.strip())
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        if minutes < 24 * 60:
            return datetime.timezone(datetime.timedelta(minutes=minutes if offset[1] == "+" else -minutes))
    try:
        return zoneinfo.ZoneInfo(name.strip())
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ToolFailed(f"There is no time zone {name[:60]!r}: use an IANA name such as Europe/Berlin.") from None


def _read(given: str, zone: datetime.tzinfo) -> datetime.datetime:
    """Return a time that a person wrote; one that names its own zone keeps it. Raises ToolFailed."""
    plain = given.strip().replace("/", "-")
    for form in (FORMAT, "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y-%m-%dT%H:%M"):
        try:
            return datetime.datetime.strptime(plain, form).replace(tzinfo=zone)
        except ValueError:
            continue
    try:
        moment = datetime.datetime.fromisoformat(plain)
    except ValueError:
        raise ToolFailed(f"{given[:60]!r} is no time: write it as 2026-01-31 12:00:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
