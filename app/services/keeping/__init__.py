"""What is kept, and for how long: rows and files that are too old go, and people who are to be forgotten."""
