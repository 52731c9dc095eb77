"""Choose the system user that runs PostgreSQL, which refuses to run as root."""

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
    """How a command is started as another user: behind a prefix, or with a user id; neither means as ourselves."""

    prefix: tuple[str, ...] = ()
    user: int | None = None


def system_user_for(directory: pathlib.Path, program: str) -> SystemUser:
    """Return the user that runs a program on this directory, and make the directory its own. Raises CannotStart.

    Unless we are root, that is ourselves. Root enters a user namespace, in which it has another name and its own files
    stay within reach. Where namespaces are forbidden, as in many containers, the program runs as the user nobody, who
    must be able to reach the program and the directory.
    """
    if os.getuid() != 0:
        return SystemUser()
    if _namespaces_allowed():
        _change_owner(directory, 0)
        return SystemUser(prefix=NAMESPACE)
    _check_access(program)
    _open_path(directory)
    _change_owner(directory, NOBODY)
    return SystemUser(user=NOBODY)


def _namespaces_allowed() -> bool:
    try:
        return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _check_access(program: str) -> None:
    try:
        subprocess.run(
            [program, "--version"], cwd="/", capture_output=True, check=True, user=NOBODY, group=NOBODY, extra_groups=[]
        )
    except (PermissionError, subprocess.CalledProcessError):
        raise CannotStart(
            f"PostgreSQL does not run as root, and other users cannot reach {program}: "
            "put the checkout elsewhere, run as another user, or set DATABASE_URL."
        ) from None


def _open_path(directory: pathlib.Path) -> None:
    """Let other users pass through the folders above the directory; they cannot list them.

    Only the folder right above, which is ours, and temporary ones are changed: the rights of all others are not ours to
    widen. Raises CannotStart if one of those forbids the way.
    """
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


def _change_owner(directory: pathlib.Path, user: int) -> None:
    if directory.stat().st_uid == user:
        return
    for folder, folders, files in os.walk(directory):
        for name in (*folders, *files):
            os.chown(os.path.join(folder, name), user, user, follow_symlinks=False)
    # The folder itself comes last, for it is the sign that all is done: a change that was cut off is made again.
    os.chown(directory, user, user)
