"""Check that exports take the same memory however long they are: `python -m tests.bench.exports [--messages N]`.

Peak memory and rows a second of `conversations export`, of a hundredth of the messages and of all, and the seconds of
the other reports. A million messages take 2 GB of disk, in a temporary folder.
"""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import psycopg2

from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from tests.bench.message_rows import fill
from tests.support.paths import PROJECT
from tests.support.stack import CHAT_APP, stop_on_signals

REPORTS = (
    ("conversations", "list", "--json"),
    ("conversations", "list", "--end-user", "visitor-7", "--json"),
    ("conversations", "list", "--rating", "dislike", "--json"),
    ("feedback", "list", "--json"),
    ("usage", "--by", "app,model,day", "--json", "--limit", "100000"),
    ("usage", "--by", "end_user", "--json", "--limit", "100000"),
)


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a command took, with its start: seconds, its own seconds of processor, its peak of resident memory in MB."""

    seconds: float
    processor: float
    peak: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s, {self.processor:.1f} s of processor, {self.peak:.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--format", choices=["jsonl", "csv"], default="jsonl")
    options = parser.parse_args()
    stop_on_signals()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with (
            EmbeddedPostgres(folder / "postgres", durable=False) as postgres,
            EmbeddedRedis(folder / "redis") as redis,
        ):
            settings = {
                "DATABASE_URL": postgres.url,
                "REDIS_URL": redis.url,
                "DATA_DIR": name,
                "SECRET_KEY": "k" * 32,
                "LOG_LEVEL": "ERROR",
            }
            flask(settings, "db", "upgrade")
            flask(settings, "apps", "import", str(CHAT_APP), "--code", "bench")
            with contextlib.closing(psycopg2.connect(postgres.url)) as connection:
                began = time.monotonic()
                fill(connection, options.messages)
                print(f"{options.messages:,} messages filled in {time.monotonic() - began:.0f} s", flush=True)
            measure(settings, folder / f"answers.{options.format}", options.messages)


def measure(settings: dict[str, str], file: pathlib.Path, messages: int) -> None:
    for arguments in REPORTS:
        print(f"{' '.join(arguments)}: {flask(settings, *arguments)}", flush=True)
    # 10 seconds lie between two messages.
    part = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_767_225_600 + messages // 100 * 10))
    for name, more in ((f"{messages // 100:,}", ["--until", part]), (f"{messages:,}", [])):
        cost = flask(settings, "conversations", "export", "-o", str(file), *more)
        with open(file, "rb") as written:
            rows = sum(1 for _ in written)
        size = file.stat().st_size / 1_000_000
        print(
            f"export of {name}: {rows:,} lines, {size:.0f} MB, {rows / cost.seconds:,.0f} a second: {cost}", flush=True
        )


def flask(settings: dict[str, str], *arguments: str) -> Cost:
    """Run a command and return what it took."""
    began = time.monotonic()
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
    process = subprocess.Popen(command, cwd=PROJECT, env={**os.environ, **settings}, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
    return Cost(time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
