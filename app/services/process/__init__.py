"""What requests and tasks of one process share: its parts (`process_parts`), and small rules of texts and values."""
