"""Read bytes as text: by their mark, by what is declared, as UTF-8, and else by a guess.

One reader for uploads, documents, datasets and answers of servers. The guess is chardet's, corrected where short texts
mislead it. Only the beginning of a long text is looked at, so that the time is bounded.
"""

import codecs
import re
from collections.abc import Iterator
from encodings.aliases import aliases

from app.providers.http.charsets import known_encoding

# How much of a text a guess looks at, and where declarations are looked for.
SAMPLE = 65_536
_HEAD = 4_096
# UTF-32 first, for its mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
MARK = "\ufeff"
_DECLARATIONS = (
    re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*+=\s*+["']([\w.:-]{1,40})""", re.IGNORECASE),
    re.compile(rb"""<meta\s[^>]{0,400}?charset\s*+=\s*+["']?\s*+([\w.:-]{1,40})""", re.IGNORECASE),
    re.compile(rb"""\A@charset\s+"([\w.:-]{1,40})""", re.IGNORECASE),
)
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
# As browsers do: what is called by the name on the left is written in its larger sister, which Windows brought.
_SISTERS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_LATIN = ("cp1252", "cp1250", "cp1254", "cp1257", "iso8859-2", "iso8859-15", "iso8859-16", "cp1258")
_OTHER_SCRIPTS = ("cp1251", "cp1253", "cp1255", "cp1256", "koi8-r", "koi8-u", "iso8859-5", "iso8859-7", "cp874")
# Pairs whose letters are mostly the same: which one it is, the other letters say.
_TWINS = {"cp1250": "iso8859-2", "cp1253": "iso8859-7"}
_WESTERN = frozenset("äöüÄÖÜßàâæçèéêëîïôœùûÿÀÂÆÇÈÉÊËÎÏÔŒÙÛáíóúñÁÍÓÚÑ¿¡ãõÃÕåÅøØìòÌÒ€£§°©®²³·«»‹›„“”‘’‚–—…•½ºª\xa0")
_FEW_LETTERS = 6
_CUT = ("unexpected end of data", "incomplete multibyte sequence", "truncated data")
_FAR_EASTERN = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff00-\uffef]")
_WORD = re.compile(rb"[A-Za-z\x80-\xff]+")


def read_text(content: bytes, declared: str = "", markup: bool = False) -> str:
    """Return the text of bytes, without a byte order mark. Bytes that fit nothing become U+FFFD.

    `declared`: the charset that came with them, or a whole Content-Type; "" for none. `markup`: it may be HTML or XML,
    which declare their encoding themselves.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace").lstrip(MARK)
    for encoding in _candidates(content, declared, markup):
        try:
            return content.decode(encoding).lstrip(MARK)
        except UnicodeDecodeError as problem:
            # A text that was cut inside of its last character is still one, if it has others of its encoding.
            whole = content[: problem.start]
            if problem.reason in _CUT and problem.start > len(content) - 4 and not whole.isascii():
                return whole.decode(encoding).lstrip(MARK)
    return content.decode(_guess(content[:SAMPLE]), "replace").lstrip(MARK)


def _candidates(content: bytes, declared: str, markup: bool) -> Iterator[str]:
    """Yield the encodings to be tried, the likeliest first."""
    parameter = _CHARSET.search(declared)
    named = _known(parameter[1] if parameter else declared)
    if named:
        yield named
    wide = _wide_encoding(content[:SAMPLE])
    if wide:
        yield wide
    if markup:
        for declaration in _DECLARATIONS:
            found = declaration.search(content, 0, _HEAD)
            inner = _known(found[1].decode("ascii")) if found else ""
            # A declaration that can be read byte by byte is not in UTF-16.
            if inner and not inner.startswith(("utf-16", "utf-32")):
                yield inner
    # Escapes of seven bits, so that they would pass as UTF-8.
    if b"\x1b$" in content[:SAMPLE]:
        yield "iso2022_jp_ext"
    yield "utf-8"


def _known(name: str) -> str:
    """Return Python's name of an encoding as it is meant; "" for an unknown one."""
    found = known_encoding(name)
    return _SISTERS.get(found, found)


def _wide_encoding(sample: bytes) -> str:
    """Return UTF-16 or UTF-32 for a text without a mark whose zero bytes stand where theirs do; "" for others."""
    if b"\0" not in sample or _has_stray_zeros(sample):
        return ""
    units = len(sample) // 4
    zeros = [sample[place : units * 4 : 4].count(0) for place in range(4)]
    for encoding, wanted in (("utf-32-le", (2, 3)), ("utf-32-be", (0, 1))):
        if units and all(zeros[place] == units for place in wanted):
            return encoding
    # Zeros in the high bytes alone: Latin letters, blanks or line breaks.
    low, high = sample[0::2].count(0), sample[1::2].count(0)
    if high and low * 20 <= high:
        return "utf-16-le"
    return "utf-16-be" if low and high * 20 <= low else ""


def _has_stray_zeros(sample: bytes) -> bool:
    """Return whether zero bytes are characters of a text in UTF-8: few, and all else is UTF-8."""
    if sample.count(0) * 10 > len(sample):
        return False
    try:
        # Not final: the sample may end inside a character.
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def _guess(sample: bytes) -> str:
    """Return the likeliest encoding of bytes that are not UTF-8."""
    # Imported on first use: it loads its models, and most texts are UTF-8.
    import chardet

    modern = chardet.EncodingEra.MODERN_WEB
    found = chardet.detect(sample, encoding_era=modern, compat_names=False, prefer_superset=True)
    encoding = _known(found["encoding"] or "") or _far_eastern_utf16(sample) or "cp1252"
    is_latin = encoding in (*_LATIN, *_OTHER_SCRIPTS) and _is_latin(sample)
    letters = bytes(byte for byte in sample if byte > 0x7F)
    if is_latin and len(letters) <= _FEW_LETTERS and _WESTERN.issuperset(letters.decode("cp1252", "replace")):
        return "cp1252"
    if is_latin and encoding in _OTHER_SCRIPTS:
        found = chardet.detect(sample, include_encodings=_LATIN, compat_names=False)
        encoding = _known(found["encoding"] or "") or "cp1252"
    twin = _TWINS.get(encoding)
    return twin if twin and _count_letters(sample, twin) > _count_letters(sample, encoding) else encoding


def _far_eastern_utf16(sample: bytes) -> str:
    """Return UTF-16 for a text without a mark and without zero bytes that has Chinese, Japanese or Korean in it."""
    for encoding in ("utf-16-le", "utf-16-be"):
        text = sample[: len(sample) // 2 * 2].decode(encoding, "replace")
        if text and len(_FAR_EASTERN.findall(text)) * 20 >= len(text) * 19:
            return encoding
    return ""


def _is_latin(sample: bytes) -> bool:
    """Return whether most words with letters beyond ASCII have letters of ASCII too, as in Latin script alone."""
    words = [word for word in _WORD.findall(sample) if not word.isascii()]
    mixed = [word for word in words if any(byte < 0x80 for byte in word)]
    return len(mixed) * 2 > len(words)


def _count_letters(sample: bytes, encoding: str) -> int:
    return sum(sign.isalpha() for sign in sample.decode(encoding, "replace"))


def load() -> None:
    """Load all that reading a text may need, in a process that can open no files afterwards."""
    for name in aliases.values():
        known_encoding(name)
    _guess("Grüße".encode("latin-1"))
