"""Build a multipart form around one file, piece by piece: a recording of 30 MB is never in memory as a whole."""

import secrets
from collections.abc import Iterator, Mapping
from typing import BinaryIO

PIECE = 65_536


class MultipartForm:
    """A form of text fields and one file. `length`: its bytes; `media_type`: its Content-Type, with the boundary.

    `size`: the file's bytes; it is read from its beginning each time that the form is sent. Names, values and the media
    type of the file are sent as they are, without escapes: they must come from our code or the operator.
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
        self._after = f"\r\n--{boundary}--\r\n".encode()
        self._file, self._size = file, size
        self.media_type = f"multipart/form-data; boundary={boundary}"
        self.length = len(self._before) + size + len(self._after)

    def pieces(self) -> Iterator[bytes]:
        """Yield the form's bytes, `length` in all."""
        yield self._before
        self._file.seek(0)
        left = self._size
        while left and (piece := self._file.read(min(left, PIECE))):
            left -= len(piece)
            yield piece
        yield self._after
