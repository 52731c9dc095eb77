"""What was asked, what callers got, and what the rows have; the differences, by kind."""

import collections
import contextlib
import threading
from dataclasses import dataclass, field

import psycopg2

from app.errors import ServiceUnavailable
from tests.chaos.apps import outputs_text

# Kinds of differences. Each has to be 0.
LOST, TWICE, STUCK, REFUSED = "lost", "twice", "stuck", "refused"
_ROWS = {
    # A workflow's rows are its runs: it has no messages.
    False: """
SELECT coalesce(m.query, '') || m.inputs::text, m.status, m.answer, coalesce(m.error, ''), t.status
FROM messages m JOIN tasks t ON t.message_id = m.id
""",
    True: """
SELECT r.inputs::text, r.status, r.outputs, coalesce(r.error, ''), t.status
FROM workflow_runs r JOIN tasks t ON t.workflow_run_id = r.id WHERE t.message_id IS NULL
""",
}


@dataclass
class Question:
    """One question of a caller: `mark` is a word that no other one has, `sent` counts how often it was asked."""

    mark: str
    mode: str
    expected: str
    blocking: bool = False
    sent: int = 0
    answered: bool = False


@dataclass
class Row:
    """What is stored for one sending of a question."""

    status: str
    text: str
    error: str
    task_status: str

    @property
    def never_begun(self) -> bool:
        """Whether it could not be enqueued: its caller got that as HTTP 503, and asked again."""
        return self.task_status == "failed" and self.error == ServiceUnavailable.message


@dataclass
class Ledger:
    """The questions of all callers and what went wrong with them. Used by many threads."""

    questions: list[Question] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    # Files that were stored and read again.
    files: int = 0
    # How often callers had to come back, by reason.
    returns: "collections.Counter[str]" = field(default_factory=collections.Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, question: Question) -> None:
        with self._lock:
            self.questions.append(question)

    def note(self, kind: str, what: str) -> None:
        """Note a difference: one of LOST, TWICE, STUCK, REFUSED."""
        with self._lock:
            self.problems.append((kind, what))

    def count_file(self) -> None:
        with self._lock:
            self.files += 1

    def returned(self, reason: str) -> None:
        with self._lock:
            self.returns[reason] += 1

    @property
    def answered(self) -> int:
        return sum(question.answered for question in self.questions)

    def count(self, kind: str) -> int:
        return sum(problem[0] == kind for problem in self.problems)

    def compare_rows(self, database_url: str) -> None:
        """Note what the rows lack or have too often. To be called once nothing runs any more."""
        rows = _rows_by_mark(database_url, {question.mark for question in self.questions})
        for question in self.questions:
            self._compare(question, rows[question.mark])

    def _compare(self, question: Question, rows: list[Row]) -> None:
        about = f"{question.mark} ({question.mode}{', blocking' if question.blocking else ''})"
        begun = [row for row in rows if not row.never_begun]
        if len(rows) > question.sent:
            self.note(TWICE, f"{about}: {len(rows)} rows of {question.sent} sendings")
        if question.answered and not begun:
            self.note(LOST, f"{about}: was answered and has no row")
        # A run whose caller never heard of it waits for people still.
        ended = [row for row in begun if row.task_status != "paused"]
        if question.answered and begun and not ended:
            self.note(STUCK, f"{about}: its run is paused")
        for row in ended:
            if row.task_status == "running":
                self.note(STUCK, f"{about}: its task is running")
            elif row.text != question.expected or row.error:
                self.note(LOST, f"{about}: its row has {difference(row.text, question.expected)} {row.error}".rstrip())


def difference(text: str, expected: str) -> str:
    """Say in short how a text differs from what is expected."""
    if text == expected:
        return "the whole text"
    same = next(
        (place for place, pair in enumerate(zip(text, expected, strict=False)) if pair[0] != pair[1]),
        min(len(text), len(expected)),
    )
    return (
        f"{len(text)} characters instead of {len(expected)}, from {same} on {text[same : same + 40]!r} "
        f"instead of {expected[same : same + 40]!r}"
    )


def _rows_by_mark(database_url: str, marks: set[str]) -> "collections.defaultdict[str, list[Row]]":
    found: collections.defaultdict[str, list[Row]] = collections.defaultdict(list)
    with contextlib.closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        for is_run, statement in _ROWS.items():
            cursor.execute(statement)
            for asked, status, text, error, task_status in cursor.fetchall():
                mark = next((word for word in asked.replace('"', " ").replace(":", " ").split() if word in marks), "")
                found[mark].append(Row(status, outputs_text(text) if is_run else text, error, task_status))
    return found
