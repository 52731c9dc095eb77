"""What a node is, what it may use, and what it and the engine tell each other."""
