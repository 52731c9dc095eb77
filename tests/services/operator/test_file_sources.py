"""By what a file is known when it is imported again."""

import pathlib

import pytest

from app.services.operator.file_sources import LONGEST, source_of


def checkout(folder: pathlib.Path, url: str) -> pathlib.Path:
    """A checkout of a repository with this address and a file in it; the file."""
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "config").write_text(f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {url}\n\tfetch = +x\n')
    (folder / "apps").mkdir()
    return folder / "apps" / "desk.yml"


def test_a_file_is_known_by_its_path(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert source_of(pathlib.Path("a.yml")) == source_of(tmp_path / "x" / ".." / "a.yml") == str(tmp_path / "a.yml")
    assert source_of(tmp_path / "a.yml") != source_of(tmp_path / "b" / "a.yml")


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/desk.git",
        "https://ci:secret@GitHub.com/acme/desk",
        "git@github.com:acme/desk.git",
        "ssh://git@github.com:22/acme/desk.git/",
    ],
)
def test_checkouts_of_one_repository_hold_the_same_file(tmp_path: pathlib.Path, url: str) -> None:
    assert source_of(checkout(tmp_path / "anywhere", url)) == "github.com/acme/desk: apps/desk.yml"


def test_a_worktree_is_a_checkout_too(tmp_path: pathlib.Path) -> None:
    checkout(tmp_path / "main", "git@github.com:acme/desk.git")
    inner = tmp_path / "main" / ".git" / "worktrees" / "side"
    inner.mkdir(parents=True)
    (inner / "commondir").write_text("../..\n")
    (tmp_path / "side").mkdir()
    (tmp_path / "side" / ".git").write_text(f"gitdir: {inner}\n")
    assert source_of(tmp_path / "side" / "desk.yml") == "github.com/acme/desk: desk.yml"


@pytest.mark.parametrize("url", ["/srv/git/desk", "../desk", "file:///srv/git/desk", ""])
def test_without_a_remote_address_the_path_counts(tmp_path: pathlib.Path, url: str) -> None:
    assert source_of(checkout(tmp_path / "desk", url)) == str(tmp_path / "desk" / "apps" / "desk.yml")


def test_a_git_folder_that_cannot_be_read_does_no_harm(tmp_path: pathlib.Path) -> None:
    (tmp_path / ".git").write_text("no such thing")
    assert source_of(tmp_path / "a.yml") == str(tmp_path / "a.yml")


def test_a_long_path_has_a_short_name(tmp_path: pathlib.Path) -> None:
    long = tmp_path.joinpath(*["x" * 200] * 6)
    assert len(source_of(long / "a.yml")) <= LONGEST
    assert source_of(long / "a.yml") != source_of(long / "b.yml")
