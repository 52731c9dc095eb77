"""Read and check event streams as a client sees them: frames of `id:` and `data:` lines, and pings."""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from typing import Any

DELTAS = ("message", "agent_message")
ENDS = ("message_end", "error", "workflow_finished", "workflow_paused", "tts_message_end")


@dataclasses.dataclass(frozen=True)
class Frame:
    """One data frame: its sequence number, if it has one, and its JSON."""

    number: int | None
    data: dict[str, Any]

    @property
    def event(self) -> str:
        return str(self.data.get("event"))


def parse_frame(block: str) -> Frame | None:
    """The frame that a block of lines holds; None for a ping."""
    number: int | None = None
    for line in block.splitlines():
        if line.startswith("id: "):
            number = int(line[4:])
        elif line.startswith("data: "):
            return Frame(number, json.loads(line[6:]))
    return None


def parse_frames(text: str) -> list[Frame]:
    """All data frames of a stream's body."""
    frames = (parse_frame(block) for block in text.split("\n\n") if block.strip())
    return [frame for frame in frames if frame is not None]


def answer_text(frames: Iterable[Frame]) -> str:
    """The answer as a client shows it: deltas appended, replacements applied."""
    answer = ""
    for frame in frames:
        if frame.event in DELTAS:
            answer += frame.data["answer"]
        elif frame.event == "message_replace":
            answer = frame.data["answer"]
    return answer


def find_problem(
    frames: Sequence[Frame], expected: str | None = None, after: int = 0, end: str = "message_end"
) -> str | None:
    """What is wrong with a whole stream, or None.

    Its numbers have no gap from `after` on, one frame ends it and is the last, the text is the whole text.
    """
    if not frames:
        return "no frames"
    numbers = [frame.number for frame in frames]
    if numbers != list(range(after + 1, after + 1 + len(frames))):
        return f"numbers not {after + 1}, {after + 2} …: {_first_break(numbers, after)}"
    ends = [frame.event for frame in frames if frame.event in ENDS]
    if ends != [end] or frames[-1].event != end:
        detail = next((frame.data for frame in frames if frame.event == "error"), "")
        return f"ends are {ends}, last frame is {frames[-1].event} {detail}".rstrip()
    if expected is not None and (text := answer_text(frames)) != expected:
        return f"text differs: {len(text)} characters instead of {len(expected)}: …{text[-60:]!r}"
    return None


def _first_break(numbers: Sequence[int | None], after: int) -> str:
    for position, number in enumerate(numbers):
        if number != after + 1 + position:
            return f"at frame {position + 1} stands {number}"
    return "none"


def numbered_text(chunks: int) -> str:
    """What the scripted model says by default."""
    return " ".join(f"tok{number}" for number in range(chunks))
