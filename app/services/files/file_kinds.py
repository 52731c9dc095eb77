"""What a file is by its name, and whether its content may be that."""

import mimetypes
import pathlib
import unicodedata

from app.errors import FileNameMissing, InvalidParam

LONGEST_NAME = 200
LONGEST_EXTENSION = 64
OCTETS = "application/octet-stream"

EXTENSIONS = {
    "image": frozenset({"jpg", "jpeg", "png", "webp", "gif", "svg"}),
    "video": frozenset({"mp4", "mov", "mpeg", "webm"}),
    "audio": frozenset({"mp3", "m4a", "wav", "amr", "mpga", "ogg", "webm"}),
    "document": frozenset(
        {
            "txt",
            "markdown",
            "md",
            "mdx",
            "pdf",
            "html",
            "htm",
            "xlsx",
            "xls",
            "vtt",
            "properties",
            "doc",
            "docx",
            "csv",
            "eml",
            "msg",
            "pptx",
            "ppt",
            "xml",
            "epub",
        }
    ),
}

# How formats begin that are no picture, no sound and no film. Content that none of these fits is believed.
HEAD_BYTES = 262
_NO_MEDIA = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"%PDF-",
    b"MZ",
    b"\x7fELF",
    b"\x1f\x8b\x08",
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
    b"BZh",
    b"\xd0\xcf\x11\xe0",
)


def kind_of(extension: str) -> str:
    """`image`, `video`, `audio` or, for all else, `document`: the class whose size limit counts."""
    return next((kind for kind in ("image", "video", "audio") if extension in EXTENSIONS[kind]), "document")


def kinds_of(extension: str) -> set[str]:
    """All that a known extension can stand for; empty for an unknown one."""
    return {kind for kind, extensions in EXTENSIONS.items() if extension in extensions}


def is_document(extension: str) -> bool:
    return extension in EXTENSIONS["document"]


def is_plausible(extension: str, head: bytes) -> bool:
    """Whether content that begins with `head` may be what the extension says; only media are doubted."""
    return kind_of(extension) == "document" or not head.startswith(_NO_MEDIA)


def clean_name(name: str) -> str:
    """A name that is safe to show and to save under, of at most 200 characters, its extension kept.

    Raises InvalidParam for a path, FileNameMissing where nothing is left.
    """
    if "/" in name or "\\" in name:
        raise InvalidParam("Filename contains invalid characters")
    # Control characters, and those that let `gnp.exe` read as `exe.png`.
    name = "".join(sign for sign in name if unicodedata.category(sign) not in ("Cc", "Cs") and not _turns_text(sign))
    # Some systems drop dots and blanks at the end, and the extension in front of them would count.
    name = name.strip().rstrip(". ")
    if not name:
        raise FileNameMissing
    if len(name) > LONGEST_NAME:
        suffix = pathlib.PurePosixPath(name).suffix
        suffix = suffix if len(suffix) <= LONGEST_EXTENSION else ""
        name = name[: LONGEST_NAME - len(suffix)] + suffix
    return name


def extension_of(name: str) -> str:
    """In lower case, without the dot; empty where there is none."""
    extension = pathlib.PurePosixPath(name).suffix[1:].lower()
    return extension if len(extension) <= LONGEST_EXTENSION else ""


def mime_type_of(name: str) -> str | None:
    return mimetypes.guess_type(name)[0]


def suffix_for(mime_type: str) -> str:
    """With its dot; empty for types without a usual extension."""
    return (mimetypes.guess_extension(mime_type) or "") if mime_type != OCTETS else ""


def clean_mime_type(declared: str | None) -> str:
    """A declared type without its parameters; unknown where it is none."""
    essence = (declared or "").partition(";")[0].strip().lower()
    kind, slash, subtype = essence.partition("/")
    sound = (
        kind
        and subtype
        and len(essence) <= 255
        and all(sign.isascii() and (sign.isalnum() or sign in "!#$&^_.+-") for sign in kind + subtype)
    )
    return essence if slash and sound else OCTETS


def _turns_text(sign: str) -> bool:
    return (
        unicodedata.bidirectional(sign) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        or sign in "\u200e\u200f"
    )
