"""Name the file that an app is imported from, so that importing it again updates the same app.

A file in a Git checkout is known by its repository and its path in it: checkouts on several machines, and those that a
CI server makes anew for each run, hold the same file. Any other file is known by its path. What the file says does not
count: its name, its mode and its content may change.
"""

import configparser
import hashlib
import pathlib
import re

LONGEST = 1_000
_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)
# `https://user:key@host/path.git`, `ssh://git@host:22/path` or `git@host:path`.
_URL = re.compile(r"(?:[a-zA-Z+]+://)?(?:[^/@]+@)?(?P<host>[^/:]+)(?::\d+(?=/))?[:/]+(?P<path>.+?)(?:\.git)?/*")


def source_of(path: pathlib.Path) -> str:
    """Return a text by which the file is found again: `host/repository: path` or an absolute path."""
    whole = path.resolve()
    source = str(whole)
    for folder in whole.parents:
        if (folder / ".git").exists():
            repository = _repository(folder / ".git")
            source = f"{repository}: {whole.relative_to(folder).as_posix()}" if repository else source
            break
    source = source.encode("utf-8", "replace").decode().replace("\0", "")
    return source if len(source) <= LONGEST else hashlib.sha256(source.encode()).hexdigest()


def _repository(git: pathlib.Path) -> str:
    """Return the address of a checkout's repository without user, key and scheme; empty where it has none."""
    try:
        if git.is_file():
            # A worktree or submodule: the file names the folder, and that may name the one with the settings.
            git = git.parent / git.read_text("utf-8").partition("gitdir:")[2].strip()
        common = git / "commondir"
        if common.is_file():
            git = git / common.read_text("utf-8").strip()
        config = configparser.RawConfigParser(strict=False, interpolation=None)
        config.read_string(_INDENTATION.sub("", (git / "config").read_text("utf-8")))
        url = config.get('remote "origin"', "url", fallback="")
    except (OSError, ValueError, configparser.Error):
        return ""
    # A repository on this machine: its path says no more than the file's own.
    match = None if url.startswith((".", "/", "file:")) else _URL.fullmatch(url.strip())
    return f"{match['host'].lower()}/{match['path'].strip('/')}" if match else ""
