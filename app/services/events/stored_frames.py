"""The events of a task, made from its rows: for readers without an event log, and for ends that were not published."""

from app.agents.steps import AgentStep, ToolCall
from app.models.agent_thoughts import ThoughtRow, list_thoughts
from app.models.tasks import PAUSED, TaskState
from app.services.events import run_snapshots
from app.services.events.message_events import AGENT, MessageEvents
from app.services.files import file_values


def frames_so_far(state: TaskState, answer: str) -> list[bytes]:
    """Return what happened so far in a task that runs, to be told to a reader anew. `answer`: its text by now."""
    if state.workflow_run_id is not None:
        return list(run_snapshots.snapshot_frames(state, answer, with_chunks=True))
    events = MessageEvents(state)
    steps = stored_steps(state.message_id) if state.mode == AGENT else []
    return [*map(events.agent_thought, steps), events.text_replace(answer)]


def stored_frames(state: TaskState) -> list[bytes]:
    """Return the whole answer and the final event of a task that has ended, or waits for people."""
    if state.workflow_run_id is None:
        events = MessageEvents(state)
        steps = stored_steps(state.message_id) if state.mode == AGENT else []
        if state.failure is not None:
            text = [events.text_replace(state.answer)] if state.answer else []
            return [*map(events.agent_thought, steps), *text, events.error(state.failure)]
        files = file_values.shown_files([file for step in steps for file in step.files])
        return [
            *map(events.agent_thought, steps),
            events.text_replace(state.answer),
            events.message_end(state.details or {}, files),
        ]
    if state.status == PAUSED:
        return list(run_snapshots.snapshot_frames(state, state.answer))
    answer = [MessageEvents(state).text_replace(state.answer)] if state.mode == "advanced-chat" else []
    return answer + run_snapshots.ending_frames(state)


def stored_steps(message_id: str) -> list[AgentStep]:
    """Return every step that was stored for a message, in order."""
    return [step_of(row) for row in list_thoughts([message_id])]


def finished_steps(message_id: str) -> list[AgentStep]:
    """Return the steps that called tools: from there a take-over goes on, and asks for the answer itself again."""
    return [step for step in stored_steps(message_id) if step.calls]


def step_of(row: ThoughtRow) -> AgentStep:
    """Return a stored thought as the agent takes it."""
    return AgentStep(
        id=row.id,
        position=row.position,
        thought=row.thought,
        shown=row.said,
        calls=[ToolCall(**call) for call in row.calls],
    )
