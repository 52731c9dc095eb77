"""The public events of tasks: their JSON, their snapshots, and the state that readers resume from."""
