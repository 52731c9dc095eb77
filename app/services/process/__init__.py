"""The parts that a process shares between its requests and tasks, and what has no better home."""
