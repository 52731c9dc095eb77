"""What a worker that died left unsaid."""

from app.extensions import autocommit_engine
from app.models import tasks
from app.models.generations import find_task
from app.services.last_words import last_words
from app.services.wire_events import MessageEvents
from app.streams import channel
from app.streams.runtime import WorkerRuntime


def announce_end(runtime: WorkerRuntime, task_id: str) -> None:
    """Send the last event of a task whose worker died between storing the answer and saying so."""
    with autocommit_engine().connect() as connection:
        state = find_task(connection, task_id)
    if state is None or state.status == tasks.RUNNING:
        return
    last = channel.last_logged(runtime.client, task_id)
    if last is not None and last.final:
        return
    writer = runtime.publisher.open(task_id, state.epoch + 1, state.last_event - 1)
    words = last_words(state)
    if last is not None and last.number >= state.last_event and state.workflow_run_id is None:
        words = [MessageEvents(state).tts_message_end()]
    for word in words:
        writer.write(word, final=word is words[-1])
