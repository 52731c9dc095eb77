"""A small file system of one's own, which can be filled: a tmpfs in a private mount namespace."""

import contextlib
import os
import pathlib
import subprocess
import sys

MEGABYTES = 400
INSIDE = "CHAOS_HAS_NAMESPACES"
BLOCK = b"\0" * 65_536


def enter_namespaces(module: str, *kinds: str) -> bool:
    """Start a module again where its mounts, and other kinds of things, are its own; False where that is forbidden."""
    if INSIDE in os.environ:
        return True
    unshare = ["unshare", "--propagation", "private", *(f"--{kind}" for kind in ("mount", *kinds))]
    if os.getuid() != 0:
        unshare[1:1] = ["--user", "--map-root-user"]
    with contextlib.suppress(FileNotFoundError):
        if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode == 0:
            os.environ[INSIDE] = "1"
            os.execvp(unshare[0], [*unshare, sys.executable, "-m", module, *sys.argv[1:]])
    return False


class Disk:
    """A small file system at a folder; `is_small` is False where it could not be mounted, and is then never filled."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=700", "chaos", str(folder)]
        self.is_small = INSIDE in os.environ and subprocess.run(mount, capture_output=True, check=False).returncode == 0
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no free block."""
        assert self.is_small
        with contextlib.suppress(OSError), self._ballast.open("wb", buffering=0) as file:
            while file.write(BLOCK):
                pass

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def release(self) -> None:
        """Unmount it."""
        if self.is_small:
            subprocess.run(["umount", "--lazy", str(self.folder)], capture_output=True, check=False)
