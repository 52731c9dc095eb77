"""Running a graph: frames, branches, attempts, the text that is streamed."""
