"""What a worker does for a task: it generates an answer or runs a workflow, publishes events and stores the result."""
