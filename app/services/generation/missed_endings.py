"""Publish the end of a task whose worker died after it stored the end and before it published it."""

from app.models import tasks
from app.models.tasks import find_task
from app.services.events import run_snapshots
from app.services.events.message_events import MessageEvents
from app.services.events.stored_frames import stored_frames
from app.services.generation.task_execution import SEND_TIMEOUT
from app.streams import channel
from app.streams.worker_runtime import WorkerRuntime


def publish_missed_ending(runtime: WorkerRuntime, task_id: str) -> bool:
    """Publish the last events of a task that has ended or waits for people, unless the event log has them.

    Returns whether it was an answer, and nobody listened to its end.

    They are made from its rows, and end with the number that the row foretells: a reader who has that has everything.
    """
    state = find_task(task_id)
    if state is None or state.status == tasks.RUNNING:
        return False
    last = channel.last_logged(runtime.client, task_id)
    if last is not None and last.final and last.number >= state.last_event:
        return False
    paused = state.status == tasks.PAUSED
    frames = run_snapshots.pause_frames(state) if paused else stored_frames(state)
    # Under the next epoch: the worker that is taken for dead may only be slow.
    before = state.last_event - (len(frames) if paused else 1)
    writer = runtime.publisher.open(task_id, state.epoch + 1, before, is_last=True)
    writer.give_place_back(state.app_id)
    if last is not None and last.number >= state.last_event and state.workflow_run_id is None:
        # The message's end is there, and not final: the worker died while it published the speech.
        frames = [MessageEvents(state).tts_message_end()]
    for frame in frames:
        writer.write(frame, final=frame is frames[-1])
    writer.wait_until_sent(SEND_TIMEOUT)
    return writer.ended_unheard and bool(state.conversation_id)
