"""Models that call tools until they can answer."""
