"""What a worker that died left unsaid."""

from app.models import tasks
from app.models.tasks import find_task
from app.services.events import run_snapshots
from app.services.events.message_events import MessageEvents
from app.services.events.stored_frames import stored_frames
from app.streams import channel
from app.streams.worker_runtime import WorkerRuntime


def publish_missed_ending(runtime: WorkerRuntime, task_id: str) -> None:
    """Send the last event of a task whose worker died between storing how it came to rest and saying so."""
    state = find_task(task_id)
    if state is None or state.status == tasks.RUNNING:
        return
    last = channel.last_logged(runtime.client, task_id)
    if last is not None and last.final and last.number >= state.last_event:
        return
    paused = state.status == tasks.PAUSED
    words = run_snapshots.paused(state) if paused else stored_frames(state)
    writer = runtime.publisher.open(task_id, state.epoch + 1, state.last_event - (len(words) if paused else 1))
    if last is not None and last.number >= state.last_event and state.workflow_run_id is None:
        words = [MessageEvents(state).tts_message_end()]
    for word in words:
        writer.write(word, final=word is words[-1])
