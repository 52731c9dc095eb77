"""What `make run` says and does while it installs: progress, failures as they are, an interruption."""

import io
import pathlib
import subprocess
import sys

import pytest

from app.embedded.installation import (
    CannotInstall,
    PipProgress,
    StatusLine,
    ensure_environment,
    install,
    remove_unfinished,
    site_packages,
)
from tests.support.paths import PROJECT

PIP_SAYS = """Looking in indexes: https://pypi.org/simple
Collecting flask (from -r app/requirements/production.txt (line 2))
  Downloading flask-3.1.3-py3-none-any.whl.metadata (2.9 kB)
  Downloading flask-3.1.3-py3-none-any.whl (103 kB)
Collecting kreuzberg
  Downloading kreuzberg-4.10.4-cp310-abi3-manylinux_2_28_x86_64.whl (99.7 MB)
Processing /wheels/json_repair-0.64.6-py3-none-any.whl
""".splitlines(keepends=True)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def installed(site: pathlib.Path, name: str, *lines: str) -> pathlib.Path:
    folder = site / f"{name}.dist-info"
    folder.mkdir()
    (folder / "RECORD").write_text("".join(f"{line},,\n" for line in lines))
    return folder


def test_progress_names_the_package_its_size_and_the_sum(tmp_path):
    progress, told = PipProgress(), []
    for line in PIP_SAYS:
        progress.read(line)
        told.append(progress.sentence(tmp_path))
    assert told == [
        "asking the package index",
        "package 1: flask",
        "package 1: flask",
        "package 1: flask, 103 kB (0 MB so far)",
        "package 2: kreuzberg",
        "package 2: kreuzberg, 99.7 MB (100 MB so far)",
        "package 3: json_repair-0.64.6-py3-none-any.whl",
    ]


def test_progress_counts_what_is_installed(tmp_path):
    progress = PipProgress()
    progress.read("Installing collected packages: flask, json-repair, kreuzberg\n")
    assert progress.sentence(tmp_path) == "installing 1 of 3: flask"
    installed(tmp_path, "flask-3.1.3")
    installed(tmp_path, "json_repair-0.64.6")
    assert progress.sentence(tmp_path) == "installing 3 of 3: kreuzberg"
    installed(tmp_path, "kreuzberg-4.10.4")
    assert progress.sentence(tmp_path) == "installing 3 of 3: scripts"


def test_a_terminal_has_one_line_that_changes():
    terminal = Terminal()
    status = StatusLine(terminal)
    status.show("package 1: flask")
    status.show("x" * 200)
    status.clear()
    lines = terminal.getvalue().split("\r")
    assert lines[1].rstrip() == "     0 s  package 1: flask"
    assert {len(line) for line in lines[1:4]} == {79} and "\n" not in terminal.getvalue()


def test_elsewhere_a_line_comes_now_and_then():
    output = io.StringIO()
    status = StatusLine(output)
    status.show("package 1: flask")
    assert output.getvalue() == ""
    status._written -= 11
    status.show("package 2: celery")
    status.show("package 3: redis")
    assert output.getvalue() == "     0 s  package 2: celery\n"


def test_a_package_that_was_cut_off_is_installed_again(tmp_path):
    """pip writes the final record last: the one of the wheel itself does not name INSTALLER."""
    whole = installed(tmp_path, "flask-3.1.3", "flask/app.py", "flask-3.1.3.dist-info/INSTALLER")
    cut_off = installed(tmp_path, "celery-5.7.0", "celery/app.py", "celery-5.7.0.dist-info/RECORD")
    (tmp_path / "redis-8.1.0.dist-info").mkdir()
    assert remove_unfinished(tmp_path) == ["celery", "redis"]
    assert whole.exists() and not cut_off.exists()


def test_a_failure_of_venv_is_told_as_it_is(tmp_path):
    taken = tmp_path / "file"
    taken.write_text("mine")
    with pytest.raises(CannotInstall) as failed:
        ensure_environment(taken / "venv", StatusLine(io.StringIO()))
    assert "Not a directory" in str(failed.value) and "python3-venv" not in str(failed.value)
    assert taken.read_text() == "mine"


def test_a_folder_that_was_there_stays_when_venv_fails(tmp_path):
    (tmp_path / "bin").write_text("no folder")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CannotInstall, match="cannot be made"):
        ensure_environment(tmp_path, StatusLine(io.StringIO()))
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_failure_of_pip_is_told_and_what_is_there_is_kept(tmp_path):
    wanted = tmp_path / "list.txt"
    wanted.write_text(f"--no-index\n--find-links {tmp_path}\nno-such-package\n")
    python = pathlib.Path(sys.executable)
    with pytest.raises(CannotInstall, match="No matching distribution found for no-such-package"):
        install(python, ["--requirement", str(wanted)], StatusLine(io.StringIO()))
    assert site_packages(python).is_dir()


def test_make_says_the_sizes_and_tells_what_venv_says(tmp_path):
    """The command line of the Makefile, as make writes it."""
    (tmp_path / "file").touch()
    arguments = [f"VENV={tmp_path}/file/venv", f"PYTHON={sys.executable}", "install"]
    done = subprocess.run(["make", *arguments], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "MB to download" in done.stdout and "`make run`" in done.stdout
    assert "Not a directory" in done.stderr and "usage:" not in done.stderr


def test_the_makefile_removes_an_environment_only_when_asked_to():
    lines = (PROJECT / "Makefile").read_text().splitlines()
    assert [line.strip() for line in lines if "rm -rf" in line and "$(VENV)" in line] == [
        "@rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache"
    ]


def test_it_needs_nothing_but_the_standard_library():
    done = subprocess.run(
        [sys.executable, "-S", "-m", "app.embedded.installation", "--help"], cwd=PROJECT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
