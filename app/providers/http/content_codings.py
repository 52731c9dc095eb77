"""Decompress the content of responses: some servers compress although nobody asked them to."""

import zlib

from app.errors import ProviderProtocolError

LARGEST_PIECE = 33_554_432
# What misconfigured servers write there for content that is as it is.
PLAIN = ("", "identity", "none", "utf-8", "utf8")
FORMAT_BYTES = 2
FORMATS = {
    "gzip": (zlib.MAX_WBITS | 16,),
    "x-gzip": (zlib.MAX_WBITS | 16,),
    # The standard means zlib's format by it, and some servers send the bare stream: the first bytes tell.
    "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS),
}


def is_known(coding: str) -> bool:
    """Whether content of this Content-Encoding can be read."""
    return coding.strip().lower() in (*PLAIN, *FORMATS)


class Decoder:
    """Takes the content of a response as it was sent, and gives it back as it was before its compression."""

    def __init__(self, coding: str) -> None:
        """`coding`: a Content-Encoding that `is_known`."""
        self._formats = list(FORMATS.get(coding.strip().lower(), ()))
        self._decompressor = zlib.decompressobj(self._formats.pop(0)) if self._formats else None
        # The first bytes, while another format is possible.
        self._seen = b""

    def feed(self, content: bytes) -> bytes:
        """Return what these bytes hold. Raises ProviderProtocolError where they are broken or swell too much."""
        if self._decompressor is None or not content:
            return content
        try:
            decoded = self._decompressor.decompress(content, LARGEST_PIECE)
        except zlib.error:
            if not self._formats:
                raise ProviderProtocolError from None
            self._decompressor = zlib.decompressobj(self._formats.pop(0))
            return self.feed(self._seen + content)
        if self._decompressor.unconsumed_tail:
            raise ProviderProtocolError
        if self._formats:
            self._seen += content
            if len(self._seen) >= FORMAT_BYTES:
                self._formats.clear()
        return decoded
