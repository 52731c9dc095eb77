"""What agents did, as their rows have it."""

from app.agents.steps import AgentStep, ToolCall
from app.models.agent_thoughts import ThoughtRow, list_thoughts


def stored_steps(message_id: str) -> list[AgentStep]:
    """Everything that was kept for a message, in order."""
    return [step_of(row) for row in list_thoughts([message_id])]


def finished_steps(message_id: str) -> list[AgentStep]:
    """What a worker that takes the answer over goes on from: rounds that called tools. The answer itself is asked for again."""
    return [step for step in stored_steps(message_id) if step.calls]


def step_of(row: ThoughtRow) -> AgentStep:
    """A stored thought as the agent has it."""
    return AgentStep(row.id, row.position, row.thought, row.said, calls=[ToolCall(**call) for call in row.calls])
