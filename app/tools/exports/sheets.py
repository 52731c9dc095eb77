"""Write tables as an Excel workbook."""

import io
import re
from collections.abc import Sequence

import openpyxl
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from app.tools.exports.markdown_blocks import Check

MOST_ROWS = 100_000
MOST_COLUMNS = 1_000
LONGEST_CELL = 32_767
_TOP, _BOLD, _PLAIN = Alignment(wrap_text=True, vertical="top"), Font(bold=True), Font(bold=False)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,12})?")
# What XML cannot hold.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def to_xlsx(tables: Sequence[Sequence[Sequence[str]]], check: Check) -> bytes:
    """Return a workbook with a sheet for each table. Numbers become numbers, and no text becomes a formula."""
    book = openpyxl.Workbook()
    for sheet in book.worksheets:
        book.remove(sheet)
    for number, rows in enumerate(tables, 1):
        sheet = book.create_sheet(f"Sheet{number}")
        widths: dict[int, int] = {}
        for at, row in enumerate(rows[:MOST_ROWS], 1):
            check()
            for column, text in enumerate(row[:MOST_COLUMNS], 1):
                cell = sheet.cell(at, column)
                if _NUMBER.fullmatch(text) and at > 1:
                    cell.value = float(text) if "." in text else int(text)
                else:
                    cell.value = _CONTROL.sub("", text)[:LONGEST_CELL]
                    # After the value, which makes a formula of a text that begins with `=`.
                    cell.data_type = "s"
                cell.alignment = _TOP
                cell.font = _BOLD if at == 1 else _PLAIN
                widths[column] = min(60, max(widths.get(column, 8), len(text) + 2))
        for column, width in widths.items():
            sheet.column_dimensions[get_column_letter(column)].width = width
        sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
