"""Records as JSON Lines and as CSV."""

import csv
import dataclasses
import datetime
import io
import json

import pytest

from app.services.reports.export_formats import lines, safe_cell


@dataclasses.dataclass(frozen=True)
class Record:
    id: int
    text: str
    moment: datetime.datetime
    tags: list[str]
    flag: bool
    nothing: str | None


MOMENT = datetime.datetime(2026, 3, 1, 12, 30, tzinfo=datetime.UTC)


def record(text: str = "x", number: int = 1) -> Record:
    return Record(number, text, MOMENT, ["a", "b"], True, None)


def written(form, *records: Record) -> str:
    return b"".join(lines(records, Record, form)).decode()


def rows(*records: Record) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written("csv", *records), newline="")))


def test_json_lines_hold_a_record_each():
    first, second = written("jsonl", record("a\nb"), record("ü")).splitlines()
    assert json.loads(first)["text"] == "a\nb"
    assert json.loads(second) == {
        "id": 1,
        "text": "ü",
        "moment": "2026-03-01T12:30:00+00:00",
        "tags": ["a", "b"],
        "flag": True,
        "nothing": None,
    }


def test_csv_has_headings_and_a_line_each_whatever_is_in_a_text():
    text = 'one, "two"\nthree; ü'
    assert rows(record(text), record("b")) == [
        {"id": "1", "text": text, "moment": "2026-03-01T12:30:00Z", "tags": '["a","b"]', "flag": "true", "nothing": ""},
        {"id": "1", "text": "b", "moment": "2026-03-01T12:30:00Z", "tags": '["a","b"]', "flag": "true", "nothing": ""},
    ]
    assert written("csv") == '"id","text","moment","tags","flag","nothing"\r\n'


def test_csv_comes_in_pieces():
    pieces = list(lines((record("x", number) for number in range(1_000)), Record, "csv"))
    assert len(pieces) > 4
    assert b"".join(pieces).count(b"\r\n") == 1_001


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "＝1", "|calc", "%x", "\ufeff=1"],
)
def test_nothing_in_csv_is_a_formula(text):
    (row,) = rows(record(text))
    assert row["text"] == safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "tea", "1-1", "a=b", "'=1", '"=1"'])
def test_other_texts_stay_as_they_are(text):
    assert safe_cell(text) == text
