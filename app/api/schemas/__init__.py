"""The shapes of bodies: they validate requests, serialise answers and make the document."""
