"""Find the encodings of texts by the names that servers, documents and mails give them."""

import codecs

# Python takes them for encodings of text, but no text is in them: they refuse bytes by errors of their own, or take a
# time that grows with the square of the text.
_NO_TEXT = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"})


def known_encoding(name: str) -> str:
    """Return Python's name of an encoding that a text may be in; "" for an unknown one."""
    try:
        found = codecs.lookup(name.strip())
    except (LookupError, ValueError):
        return ""
    # Python has codecs that are no encodings of text, such as hex and zip.
    is_text = getattr(found, "_is_text_encoding", True) and found.name not in _NO_TEXT
    return found.name if is_text else ""
