"""Install lists of packages into a virtual environment, for the Makefile: `python -m app.embedded.installation --help`.

It runs before anything is installed, by the Python that makes the environment: it imports the standard library alone.
"""

import argparse
import csv
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

# A terminal's line is written anew so often; elsewhere a line is added so often at most.
TERMINAL_SECONDS, PLAIN_SECONDS = 0.5, 5.0
WIDTH = 79
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")
_FOUND = re.compile(r"(?:Collecting|Processing) ([^\s]+)")
_FETCHED = re.compile(r"\s+(?:Downloading|Using cached) ([^\s]+) \(([\d.]+) (kB|MB|GB|bytes)\)")
_MEGABYTES = {"bytes": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}
_SEPARATORS = re.compile(r"[-_.]+")
_NO_VENV = re.compile(r"No module named '?(venv|ensurepip)|ensurepip is not\s+available")


class CannotInstall(Exception):
    """The environment or a package cannot be installed; the text says what happened, and what to do where we know."""


class PipProgress:
    """What pip does at the moment, read from the lines that it prints."""

    def __init__(self) -> None:
        self._found = 0
        self._megabytes = 0.0
        self._doing = "asking the package index"
        self._packages: list[str] = []

    def read(self, line: str) -> None:
        """Take in a line of pip's output."""
        if found := _FOUND.match(line):
            self._found += 1
            self._doing = f"package {self._found}: {found[1].rpartition('/')[2]}"
        elif (fetched := _FETCHED.match(line)) and not fetched[1].endswith(".metadata"):
            self._megabytes += float(fetched[2]) * _MEGABYTES[fetched[3]]
            name = fetched[1].rpartition("/")[2].partition("-")[0]
            self._doing = f"package {self._found}: {name}, {fetched[2]} {fetched[3]} ({self._megabytes:.0f} MB so far)"
        elif line.startswith("Installing collected packages:"):
            self._packages = [name.strip() for name in line.partition(":")[2].split(",")]

    def read_all(self, lines: Iterable[str]) -> None:
        """Take in lines until there are no more."""
        for line in lines:
            self.read(line)

    def sentence(self, site: pathlib.Path) -> str:
        """Say what is being done. `site`: the folder into which packages are installed."""
        if not self._packages:
            return self._doing
        there = {_plain(folder.name.partition("-")[0]) for folder in site.glob("*.dist-info")}
        left = [name for name in self._packages if _plain(name) not in there]
        done = len(self._packages) - len(left)
        return f"installing {min(done + 1, len(self._packages))} of {len(self._packages)}: {(left or ['scripts'])[0]}"


class StatusLine:
    """Shows a sentence that changes: one line that is written anew on a terminal, else a plain line now and then."""

    def __init__(self, output: IO[str]) -> None:
        self._output, self._terminal = output, output.isatty()
        self._began = self._written = time.monotonic()

    @property
    def pause(self) -> float:
        """Seconds between two looks at what is being done."""
        return TERMINAL_SECONDS if self._terminal else 1.0

    def show(self, sentence: str) -> None:
        """Show a sentence, if it is time for it."""
        now = time.monotonic()
        text = f"  {now - self._began:4.0f} s  {sentence}"
        if self._terminal:
            print(f"\r{text[:WIDTH]:{WIDTH}}", end="", file=self._output, flush=True)
        elif now - self._written >= PLAIN_SECONDS:
            self._written = now
            print(text, file=self._output, flush=True)

    def clear(self) -> None:
        """Remove the line from a terminal."""
        if self._terminal:
            print(f"\r{'':{WIDTH}}\r", end="", file=self._output, flush=True)


def ensure_environment(folder: pathlib.Path, status: StatusLine) -> pathlib.Path:
    """Return the Python of a virtual environment that has pip; made, or completed, where that is missing.

    A folder that was there before is never removed. Raises CannotInstall.
    """
    python, existed = folder / "bin" / "python", folder.exists()
    if _runs(python, "-c", "pass"):
        remove_unfinished(site_packages(python))
        if _runs(python, *_PIP, "--version"):
            return python
        code, said = _run_shown([str(python), "-m", "ensurepip"], status)
    else:
        code, said = _run_shown([sys.executable, "-m", "venv", str(folder)], status)
    if code == 0 and _runs(python, *_PIP, "--version"):
        return python
    if not existed:
        shutil.rmtree(folder, ignore_errors=True)
    advice = "\nOn Debian and Ubuntu: apt install python3-venv" if _NO_VENV.search(said) else ""
    raise CannotInstall(f"The virtual environment {folder} cannot be made:\n{said}{advice}")


def _run_shown(command: Sequence[str], status: StatusLine) -> tuple[int, str]:
    """Run a command that makes the environment, and show that it runs; returns its exit code and what it says."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        while True:
            status.show("making the virtual environment")
            try:
                said, _ = process.communicate(timeout=status.pause)
            except subprocess.TimeoutExpired:
                continue
            status.clear()
            return process.returncode, said.strip() or f"exit code {process.returncode}"


def site_packages(python: pathlib.Path) -> pathlib.Path:
    """Return the folder into which an environment's Python installs packages."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return pathlib.Path(subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip())


def remove_unfinished(site: pathlib.Path) -> list[str]:
    """Remove the records of packages whose installation was cut off, so that pip installs them again; returns them.

    The last thing that pip writes is the final RECORD, which names the file INSTALLER beside it.
    """
    unfinished = [folder for folder in sorted(site.glob("*.dist-info")) if not _is_finished(folder)]
    for folder in unfinished:
        shutil.rmtree(folder)
    return [folder.name.partition("-")[0] for folder in unfinished]


def install(python: pathlib.Path, arguments: Sequence[str], status: StatusLine) -> None:
    """Run `pip install` and show what it does. Raises CannotInstall with what pip says."""
    site, progress = site_packages(python), PipProgress()
    command = [str(python), *_PIP, "install", "--progress-bar", "off", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace") as pip:
        assert pip.stdout is not None and pip.stderr is not None
        complaints: list[str] = []
        readers = [
            threading.Thread(target=progress.read_all, args=(pip.stdout,)),
            threading.Thread(target=complaints.extend, args=(pip.stderr,)),
        ]
        for reader in readers:
            reader.start()
        while pip.poll() is None:
            status.show(progress.sentence(site))
            readers[0].join(status.pause)
            if not readers[0].is_alive():
                pip.wait()
        for reader in readers:
            reader.join()
    status.clear()
    if pip.returncode:
        errors = [line for line in complaints if not line.startswith("WARNING: Running pip as")]
        raise CannotInstall(
            f"pip could not install the packages:\n{''.join(errors[-12:]).strip() or f'exit code {pip.returncode}'}\n"
            "What was downloaded is kept: the same command goes on from here."
        )


def _is_finished(folder: pathlib.Path) -> bool:
    try:
        with (folder / "RECORD").open(newline="") as record:
            return any(row and row[0].endswith(".dist-info/INSTALLER") for row in csv.reader(record))
    except OSError:
        return False


def _runs(python: pathlib.Path, *arguments: str) -> bool:
    try:
        return subprocess.run([python, *arguments], capture_output=True).returncode == 0
    except OSError:
        return False


def _plain(name: str) -> str:
    return _SEPARATORS.sub("-", name).lower()


def _rounds(lists: Sequence[str], alone: Sequence[str], constraints: str) -> Iterator[list[str]]:
    """Yield the arguments of each call of pip: all lists at once, then those whose dependencies are left out."""
    for names, more in ((lists, ()), (alone, ("--no-deps",))):
        if names:
            yield [*more, "--constraint", constraints, *(part for name in names for part in ("--requirement", name))]


def main() -> None:
    """Install what the command line names, and end with what happened on stderr if that fails."""
    parser = argparse.ArgumentParser(prog="python -m app.embedded.installation", description=__doc__)
    parser.add_argument("environment", type=pathlib.Path, help="the folder of the virtual environment")
    parser.add_argument("lists", nargs="*", help="lists of packages")
    parser.add_argument("--alone", action="append", default=[], help="a list whose dependencies are left out")
    parser.add_argument("--constraints", required=True, help="the versions")
    parser.add_argument("--say", default="", help="what to print at first")
    given = parser.parse_intermixed_args()
    if given.say:
        print(given.say, flush=True)
    began = time.monotonic()
    try:
        status = StatusLine(sys.stdout)
        python = ensure_environment(given.environment, status)
        for arguments in _rounds(given.lists, given.alone, given.constraints):
            install(python, arguments, status)
    except CannotInstall as problem:
        sys.exit(f"frontdesk: {problem}")
    except KeyboardInterrupt:
        sys.exit("\nfrontdesk: Interrupted. The same command goes on from here.")
    print(f"  installed in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
