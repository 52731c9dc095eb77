"""Pages that the server renders. Each room has its own blueprint; nothing here is part of an API."""
