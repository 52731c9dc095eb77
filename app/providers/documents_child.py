"""The inside of the process that parses one document: content on standard input, text on standard output."""

import os
import resource
import sys

MEMORY = 3 * 1024 * 1024 * 1024


def main(mime_type: str, seconds: int) -> None:
    """Ends with exit code 1 and a line on standard error where the document cannot be read."""
    content = sys.stdin.buffer.read()
    import kreuzberg

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        text = kreuzberg.extract_bytes_sync(content, mime_type).content
    except Exception as error:
        # Whatever the parser stumbles over is in the document.
        sys.stderr.write(f"{type(error).__name__}: {error}".replace("\n", " ")[:500])
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.flush()
    os._exit(0)
