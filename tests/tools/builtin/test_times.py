"""The tools of the provider `time`."""

import datetime
import re
from typing import Any

import pytest

from app.tools.tool_types import ToolFailed
from tests.tools.builtin.calls import call


@pytest.mark.parametrize("provider", ["time", "langgenius/time/time"])
def test_the_time_is_told(provider: str) -> None:
    told = datetime.datetime.strptime(call(provider, "current_time").text, "%Y-%m-%d %H:%M:%S")
    assert abs(told - datetime.datetime.now(datetime.UTC).replace(tzinfo=None)) < datetime.timedelta(seconds=5)


def test_the_time_is_told_in_a_zone_and_a_form() -> None:
    assert re.fullmatch(
        r"\d\d:\d\d \+0[12]00", call("time", "current_time", timezone="Europe/Berlin", format="%H:%M %z").text
    )


def test_a_zone_that_is_none_is_named() -> None:
    with pytest.raises(ToolFailed, match="no time zone 'Moon/Base'"):
        call("time", "current_time", timezone="Moon/Base")


@pytest.mark.parametrize(
    ("tool", "arguments", "answer"),
    [
        ("localtime_to_timestamp", {"localtime": "2024-01-01 00:00:00"}, "1704067200"),
        ("localtime_to_timestamp", {"localtime": "2024-01-01 08:00:00", "timezone": "Asia/Shanghai"}, "1704067200"),
        ("localtime_to_timestamp", {"localtime": "2024-01-01"}, "1704067200"),
        ("localtime_to_timestamp", {"localtime": "2024-01-01T00:00:00+01:00"}, "1704063600"),
        ("timestamp_to_localtime", {"timestamp": 1704067200}, "2024-01-01 00:00:00"),
        ("timestamp_to_localtime", {"timestamp": "1704067200", "timezone": "UTC+8"}, "2024-01-01 08:00:00"),
        ("timestamp_to_localtime", {"timestamp": 1704067200000}, "2024-01-01 00:00:00"),
        (
            "timezone_conversion",
            {
                "current_time": "2024-07-01 12:00:00",
                "current_timezone": "Asia/Shanghai",
                "target_timezone": "Europe/Berlin",
            },
            "2024-07-01 06:00:00",
        ),
        ("weekday", {"year": 2024, "month": "2", "day": 29}, "2024-02-29 is a Thursday."),
    ],
)
def test_times_are_converted(tool: str, arguments: dict[str, Any], answer: str) -> None:
    assert call("langgenius/time/time", tool, **arguments).text == answer


@pytest.mark.parametrize(
    ("tool", "arguments", "problem"),
    [
        ("localtime_to_timestamp", {"localtime": "soon"}, "'soon' is no time"),
        ("timestamp_to_localtime", {"timestamp": "soon"}, "'soon' is no timestamp"),
        ("timestamp_to_localtime", {"timestamp": "1e30"}, "is no timestamp"),
        ("timezone_conversion", {"current_time": "0001-01-01", "target_timezone": "UTC-12"}, "outside of the calendar"),
        ("weekday", {"year": 2023, "month": 2, "day": 29}, "There is no date 2023-02-29"),
        ("weekday", {"month": "May"}, "month must be a number"),
    ],
)
def test_what_is_no_time_is_told(tool: str, arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(ToolFailed, match=problem):
        call("time", tool, **arguments)


def test_a_long_format_is_refused() -> None:
    with pytest.raises(ToolFailed, match="format is longer"):
        call("time", "current_time", format="%Y" * 1_000)
