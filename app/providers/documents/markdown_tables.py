"""Write tables as Markdown, with a cell for each place of their grid."""

from collections.abc import Iterable, Sequence

Rows = Sequence[Sequence[str]]


def markdown_table(rows: Rows) -> str:
    """Return the table with its first row as its head; "" for one without text. Rows may have different lengths."""
    width = max((len(row) for row in rows), default=0)
    if not any(cell.strip() for row in rows for cell in row):
        return ""
    lines = [_line([*row, *[""] * (width - len(row))]) for row in rows]
    return "\n".join([lines[0], _line(["---"] * width), *lines[1:]])


def cell_table(rows: Rows) -> str:
    """Return the text of a table that stands in a cell of another one."""
    return "\n".join(" | ".join(" ".join(cell.split()) for cell in row) for row in rows)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(_escaped, cells))} |"


def _escaped(text: str) -> str:
    return "<br>".join(" ".join(line.split()) for line in text.strip().splitlines()).replace("|", "\\|")
