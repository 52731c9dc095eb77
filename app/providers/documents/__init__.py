"""Extract the text of documents; parsers run in a process of their own."""
