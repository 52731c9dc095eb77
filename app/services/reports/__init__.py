"""What operators are told of conversations, messages, feedback, workflow runs and usage."""
