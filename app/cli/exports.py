"""Write exports to stdout or to a file, and tell how far they are."""

import contextlib
import datetime
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, TypeVar

import click

from app.services.reports.export_formats import Format, lines

TERMINAL_SECONDS, LOG_SECONDS = 0.5, 10.0

Record = TypeVar("Record")


def export_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of an export: `form`, `file` and `progress`."""
    form = click.option(
        "--format",
        "form",
        type=click.Choice(["jsonl", "csv"]),
        help="JSON Lines, or CSV for spreadsheets. Without it the file's ending decides, else JSON Lines.",
    )
    file = click.option(
        "-o",
        "--output",
        "file",
        type=click.Path(dir_okay=False, path_type=pathlib.Path),
        help="The file to write; it is there once it is whole. Without it, stdout.",
    )
    progress = click.option(
        "--progress/--no-progress", default=None, help="Tell on stderr how far it is; usual on a terminal."
    )
    return form(file(progress(command)))


def write_export(
    records: Iterable[Any], kind: type, form: Format | None, file: pathlib.Path | None, progress: bool | None
) -> None:
    """Write records of the dataclass `kind`, whose times are `created_at`. Raises click.ClickException."""
    chosen: Format = form or ("csv" if file is not None and file.suffix.lower() == ".csv" else "jsonl")
    wanted = sys.stderr.isatty() if progress is None else progress
    followed = _followed(records) if wanted else records
    with contextlib.ExitStack() as stack:
        target = sys.stdout.buffer if file is None else stack.enter_context(_replaced(file))
        for piece in lines(followed, kind, chosen):
            target.write(piece)
        target.flush()


@contextlib.contextmanager
def _replaced(file: pathlib.Path) -> Iterator[IO[bytes]]:
    """Lend a file `NAME.….part`, which takes the name `file` once it is whole; on a failure it is removed.

    Only its owner may read it. What a kill leaves behind still ends with `.part`. Raises click.ClickException.
    """
    try:
        number, name = tempfile.mkstemp(prefix=f"{file.name}.", suffix=".part", dir=file.parent)
        with open(number, "wb", buffering=1 << 20) as target:
            try:
                yield target
                target.flush()
                os.fsync(target.fileno())
                os.replace(name, file)
            except BaseException:
                os.unlink(name)
                raise
    except OSError as error:
        raise click.ClickException(f"{file}: cannot be written: {error.strerror}") from None


def _followed(records: Iterable[Record]) -> Iterator[Record]:
    """Yield records and tell on stderr how many there were: on a terminal in one line, else in one now and then."""
    terminal = sys.stderr.isatty()
    pause = TERMINAL_SECONDS if terminal else LOG_SECONDS
    began = told = time.monotonic()
    number = 0
    for number, record in enumerate(records, 1):
        yield record
        if number % 100 == 0 and time.monotonic() - told > pause:
            told = time.monotonic()
            _tell(number, told - began, getattr(record, "created_at", None), terminal)
    _tell(number, time.monotonic() - began, None, terminal)
    if terminal:
        click.echo(err=True)


def _tell(number: int, seconds: float, moment: datetime.datetime | None, terminal: bool) -> None:
    place = "" if moment is None else f", up to {moment.astimezone(datetime.UTC):%Y-%m-%d %H:%M}"
    line = f"{number:,} rows in {seconds:.0f} s ({number / max(seconds, 0.001):,.0f} a second){place}"
    click.echo(f"\r\033[K{line}" if terminal else line, nl=not terminal, err=True)
