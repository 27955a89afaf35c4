"""Errors that say one sentence. In a notebook they show that sentence and no traceback."""


class CourseError(Exception):
    """A fault that the reader can mend; the message says what is wrong, where, and what to do."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""  # KeyError would print the sentence in quotation marks

    def _render_traceback_(self) -> list[str]:
        """Tell IPython what to show in place of a traceback (its hook for exceptions that render themselves)."""
        return [f"{type(self).__name__}: {self}"]


class NotFound(CourseError, KeyError):
    """There is no table, claim, fact or source of that name."""


class DataMissing(CourseError, FileNotFoundError):
    """The course's data folder is not where it should be."""


class BadValue(CourseError, ValueError):
    """A value that a function of the course cannot work with."""
