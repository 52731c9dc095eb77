"""What goes wrong in the sandbox."""


class SandboxFailed(Exception):
    """The author's code or template failed, or went over a limit; the text says which."""
