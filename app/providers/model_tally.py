"""Which text models were asked for one piece of work, in whichever of its threads."""

import contextlib
import contextvars
from collections.abc import Iterator

_current: contextvars.ContextVar["ModelTally | None"] = contextvars.ContextVar("model_tally", default=None)


class ModelTally:
    """Notes the models that are asked inside of `counting`, by the names that their servers know them by."""

    def __init__(self) -> None:
        # A dictionary keeps the order; threads of branches share it.
        self._names: dict[str, None] = {}

    @property
    def names(self) -> list[str]:
        """The models, in the order in which they were asked first."""
        return list(self._names)

    def note(self, name: str) -> None:
        self._names[name] = None

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        """Note what is asked inside, also in threads that are given a copy of the context."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


def note_model(name: str) -> None:
    """Note that a model is asked, for the work at hand."""
    tally = _current.get()
    if tally is not None:
        tally.note(name)
