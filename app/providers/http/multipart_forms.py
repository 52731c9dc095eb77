"""A multipart form with one file, sent in pieces: a recording of 30 MB is never in memory as a whole."""

import secrets
from collections.abc import Iterator, Mapping
from typing import BinaryIO

PIECE = 65_536


class MultipartForm:
    """Fields and a file. Names, values and `media_type` are ours or the operator's: they are not escaped.

    `size`: the file's bytes; it is read from its beginning, each time that the form is sent.
    """

    def __init__(self, fields: Mapping[str, str], filename: str, media_type: str, file: BinaryIO, size: int) -> None:
        boundary = secrets.token_hex(16)
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        described = (
            f'Content-Disposition: form-data; name="file"; filename="{filename}"\r\nContent-Type: {media_type}\r\n\r\n'
        )
        self._before = f"{''.join(parts)}--{boundary}\r\n{described}".encode()
        self._behind = f"\r\n--{boundary}--\r\n".encode()
        self._file, self._size = file, size
        self.media_type = f"multipart/form-data; boundary={boundary}"
        self.length = len(self._before) + size + len(self._behind)

    def pieces(self) -> Iterator[bytes]:
        """The form's bytes, `length` in all."""
        yield self._before
        self._file.seek(0)
        left = self._size
        while left and (piece := self._file.read(min(left, PIECE))):
            left -= len(piece)
            yield piece
        yield self._behind
