"""The one error of the teacher's package."""


class BuildError(Exception):
    """A fault in what somebody wrote: the message says what is wrong, where, and what to do."""
