"""Read the name that a server gives a file in `Content-Disposition` (RFC 6266), as real servers write it."""

import contextlib
import email.errors
import email.header
import re
import urllib.parse

from app.providers.http.charsets import known_encoding

# A parameter behind its semicolon: a quoted text, or all up to the next semicolon.
_PARAMETER = re.compile(r""";\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)""", re.ASCII)
_ESCAPED = re.compile(r'\\(["\\])')
_PART = re.compile(r"filename\*([0-9]{1,2})(\*?)")
_ENCODED_WORD = re.compile(r"=\?[\w-]+\?[bq]\?", re.IGNORECASE | re.ASCII)


def announced_name(disposition: str) -> str:
    """Return the file name of a `Content-Disposition` header without its folders; "" where there is none.

    `filename*` wins over `filename`. Names are also read that are raw UTF-8, in pieces (RFC 2231) or mail's encoded
    words (RFC 2047).
    """
    parameters: dict[str, str] = {}
    for name, value in _PARAMETER.findall(f";{disposition}"):
        parameters.setdefault(name.lower(), _unquoted(value.strip()))
    name = _extended(parameters.get("filename*", "")) or _joined(parameters) or _plain(parameters.get("filename", ""))
    return name.replace("\\", "/").rpartition("/")[2].strip()


def _unquoted(value: str) -> str:
    if len(value) < 2 or not value.startswith('"') or not value.endswith('"'):
        return value.removeprefix('"')
    # No other backslash is an escape: some servers send whole Windows paths.
    return _ESCAPED.sub(r"\1", value[1:-1])


def _extended(value: str) -> str:
    """Return the text of a value such as `UTF-8'en'na%C3%AFve` (RFC 8187); "" for a malformed one."""
    charset, _, rest = value.partition("'")
    _, mark, encoded = rest.partition("'")
    return _decoded(encoded, charset) if mark else ""


def _decoded(encoded: str, charset: str) -> str:
    encoding = known_encoding(charset or "utf-8")
    return urllib.parse.unquote_to_bytes(encoded).decode(encoding, "replace") if encoding else ""


def _joined(parameters: dict[str, str]) -> str:
    """Return the text of a value in numbered pieces, `filename*0*`, `filename*1` and so on."""
    parts = sorted(
        (int(found[1]), found[2], value) for key, value in parameters.items() if (found := _PART.fullmatch(key))
    )
    if not parts or [number for number, _, _ in parts] != list(range(len(parts))):
        return ""
    charset, _, first = parts[0][2].partition("'") if parts[0][1] else ("", "", parts[0][2])
    pieces = [first.partition("'")[2] if parts[0][1] else first, *(value for _, _, value in parts[1:])]
    escaped = [piece if mark else urllib.parse.quote(piece) for piece, (_, mark, _) in zip(pieces, parts, strict=True)]
    return _decoded("".join(escaped), charset)


def _plain(value: str) -> str:
    # Headers come as Latin-1, whatever the server wrote.
    with contextlib.suppress(UnicodeError):
        value = value.encode("latin-1").decode("utf-8")
    if not _ENCODED_WORD.search(value):
        return value
    try:
        return str(email.header.make_header(email.header.decode_header(value)))
    except (email.errors.HeaderParseError, LookupError, UnicodeError, ValueError):
        return value
