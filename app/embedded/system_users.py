"""As whom PostgreSQL runs: it refuses root."""

import os
import pathlib
import stat
import subprocess
import tempfile
from typing import NamedTuple

from app.embedded.process import CannotStart

NOBODY = 65534
NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


class SystemUser(NamedTuple):
    """How a command is started: behind a prefix, or as another user."""

    prefix: tuple[str, ...] = ()
    user: int | None = None


def system_user_for(directory: pathlib.Path, program: str) -> SystemUser:
    """The account that runs a program on this directory, which is its own afterwards. Raises CannotStart.

    Ourselves; root in a user namespace, in which it is somebody else; where namespaces are forbidden (containers), nobody.
    """
    if os.getuid() != 0:
        return SystemUser()
    if _namespaces_allowed():
        _hand_over(directory, 0)
        return SystemUser(prefix=NAMESPACE)
    _check_reach(program)
    _open_way(directory)
    _hand_over(directory, NOBODY)
    return SystemUser(user=NOBODY)


def _namespaces_allowed() -> bool:
    try:
        return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _check_reach(program: str) -> None:
    try:
        subprocess.run(
            [program, "--version"], cwd="/", capture_output=True, check=True, user=NOBODY, group=NOBODY, extra_groups=[]
        )
    except (PermissionError, subprocess.CalledProcessError):
        raise CannotStart(
            f"PostgreSQL does not run as root, and other users cannot reach {program}: "
            "put the checkout elsewhere, run as another user, or set DATABASE_URL."
        ) from None


def _open_way(directory: pathlib.Path) -> None:
    """Let others pass through (not list) the folder of our data; of others' folders, only temporary ones are changed."""
    temporary = pathlib.Path(tempfile.gettempdir()).resolve()
    for parent in directory.resolve().parents:
        mode = stat.S_IMODE(parent.stat().st_mode)
        if mode & stat.S_IXOTH:
            continue
        if parent != directory.resolve().parent and temporary not in parent.parents:
            raise CannotStart(
                f"PostgreSQL does not run as root, and other users cannot pass through {parent}: "
                "set DATA_DIR to another folder, run as another user, or set DATABASE_URL."
            )
        parent.chmod(mode | stat.S_IXOTH)


def _hand_over(directory: pathlib.Path, user: int) -> None:
    if directory.stat().st_uid == user:
        return
    for folder, folders, files in os.walk(directory):
        for name in (*folders, *files):
            os.chown(os.path.join(folder, name), user, user, follow_symlinks=False)
    # The last, so that a hand-over that was cut off is done again.
    os.chown(directory, user, user)
