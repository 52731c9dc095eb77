"""What the scripted model remembers of each request, for tests to look at."""

import dataclasses
import json
import time
from typing import Any, Literal

# "fin": the client closed in good order; "reset": it did so with data of ours unread, or was killed.
Closing = Literal["fin", "reset"]


@dataclasses.dataclass(eq=False, slots=True)
class RecordedRequest:
    """One request as it arrived, and how its answer went so far. Times are those of time.time()."""

    method: str
    path: str
    head: bytes
    content: bytes
    client_port: int = 0
    began: float = dataclasses.field(default_factory=time.time)
    chunks_sent: int = 0
    ended: float | None = None
    closed_early: float | None = None
    closing: Closing | None = None

    @property
    def body(self) -> Any:
        return json.loads(self.content) if self.content else None

    @property
    def headers(self) -> dict[str, str]:
        """Header names in lower case."""
        pairs = (line.split(b":", 1) for line in self.head.split(b"\r\n")[1:] if b":" in line)
        return {name.decode().lower(): value.decode("latin-1").strip() for name, value in pairs}

    def as_json(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "path": self.path,
            "headers": self.headers,
            "body": self.body,
            "client_port": self.client_port,
            "began": self.began,
            "chunks_sent": self.chunks_sent,
            "ended": self.ended,
            "closed_early": self.closed_early,
            "closing": self.closing,
        }
