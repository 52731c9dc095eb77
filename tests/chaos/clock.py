"""Clocks that can be moved, one for each process: `moved_clock.c` stands between the process and the system's time."""

import contextlib
import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).with_name("moved_clock.c")


class Clocks:
    """A clock for each process, by its kind; `can_move` is False where there is no C compiler."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._library = folder / "moved_clock.so"
        with contextlib.suppress(FileNotFoundError):
            command = ["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(self._library), str(SOURCE)]
            subprocess.run([*command, "-ldl"], check=True)

    @property
    def can_move(self) -> bool:
        return self._library.exists()

    def start(self, kind: str) -> dict[str, str]:
        """Return the environment of a process that is to follow this clock, which shows the system's time again."""
        if not self.can_move:
            return {}
        self.move(kind, 0)
        return {"LD_PRELOAD": str(self._library), "MOVED_CLOCK": str(self._file(kind))}

    def move(self, kind: str, seconds: int) -> None:
        """Show a time so many seconds ahead of the system's, behind it where they are negative."""
        # Processes have the file in their memory: it is written in its place.
        with self._file(kind).open("r+b" if self._file(kind).exists() else "wb") as file:
            file.write(seconds.to_bytes(8, "little", signed=True))

    def _file(self, kind: str) -> pathlib.Path:
        return self._folder / f"{kind}.clock"
