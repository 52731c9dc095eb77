"""The steps of agents, read from their rows."""

from app.agents.steps import AgentStep, ToolCall
from app.models.agent_thoughts import ThoughtRow, list_thoughts


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
