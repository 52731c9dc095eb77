"""Write to a terminal and read from it; what servers and models say cannot control it."""

import sys
from typing import TextIO

_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"
# Everything that terminals obey but line feeds and tabs, and what reverses the order of what follows. Signs of control
# are shown as their pictures.
_HARMLESS: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t\r"},
    ord("\r"): "",
    0x7F: "\u2421",
    **dict.fromkeys([*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029], "\ufffd"),
}


class EndOfInput(Exception):
    """Nothing more can be read: the terminal or the pipe was closed."""


def plain(text: object) -> str:
    """Return a text as it may be written to a terminal."""
    return str(text).translate(_HARMLESS).encode("utf-8", "replace").decode()


class Screen:
    """Shows answers on standard output and everything about them on standard error.

    `interactive`: a person types; else lines come from a file or a pipe, and no questions are shown.
    """

    def __init__(self, output: TextIO | None = None, notes: TextIO | None = None, lines: TextIO | None = None) -> None:
        self._output, self._notes = output or sys.stdout, notes or sys.stderr
        self._lines = lines or sys.stdin
        self.interactive = self._lines.isatty()
        self._in_line = False
        if self.interactive:
            # Gives `input` its editing keys and history.
            import readline  # noqa: F401  # importing it is what counts

    def say(self, text: object) -> None:
        """Show a piece of an answer; the line stays open."""
        self._write(plain(text))

    def say_line(self, text: object = "") -> None:
        """Show a whole line of an answer."""
        self.end_line()
        self._write(f"{plain(text)}\n")

    def note(self, text: object) -> None:
        """Tell something about the answer."""
        self.end_line()
        words = plain(text)
        print(f"{_DIM}{words}{_PLAIN}" if self._notes.isatty() else words, file=self._notes, flush=True)

    def end_line(self) -> None:
        """End an open line."""
        if self._in_line:
            self._write("\n")

    def ask(self, question: str) -> str:
        """Return the next line that is typed or piped, without blanks around it. Raises EndOfInput."""
        self.end_line()
        try:
            line = input(plain(question)) if self.interactive else self._lines.readline()
        except EOFError:
            line = ""
            self._write("\n")
            raise EndOfInput from None
        if not line and not self.interactive:
            raise EndOfInput
        return line.encode("utf-8", "replace").decode().strip()

    def _write(self, text: str) -> None:
        if text:
            self._output.write(text)
            self._output.flush()
            self._in_line = not text.endswith("\n")
