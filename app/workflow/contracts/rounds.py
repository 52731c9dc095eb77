"""What a container node is given to run its children."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from app.workflow.contracts.events import Result
from app.workflow.values.variables import Variables


class Rounds(Protocol):
    """The rounds of one container's run."""

    def begin(self, inputs: Mapping[str, Any], length: int) -> None:
        """Tell that the container starts."""

    def play(
        self, index: int, variables: Variables, previous: Mapping[str, Any] | None = None, announce: bool = True
    ) -> bool:
        """Run the children once with these variables, which receive what they give; whether an end node broke the loop.

        Raises RunFailed, RunPaused, Cancelled. `announce` False: no event tells that the round begins.
        """

    def play_all(self, jobs: Sequence[Callable[[], None]], limit: int) -> None:
        """Do jobs that call `play`, at most `limit` at once; returns when all are done. Jobs keep their own errors.

        The caller works too, so that this never waits for a free thread.
        """

    def abort(self) -> None:
        """Stop the rounds that `play_all` has begun: they raise Cancelled."""

    def finish(self, result: Result, error: str | None) -> None:
        """Tell how the container ended."""
