"""Helpers of the course Fortress Niger: load a table, cite a claim, show a figure, take a quiz, check a task.

    from sahel import load, cite

Nothing heavy is imported before it is used, so that `import sahel` costs hardly more than `import pandas`.
"""

from typing import TYPE_CHECKING, Any

from sahel.cite import cite
from sahel.data import load

if TYPE_CHECKING:
    from sahel.checks import check, hint
    from sahel.explorer import explore
    from sahel.figures import show, style
    from sahel.memo import check_memo
    from sahel.quizzes import answer, forget, predictions, progress, quiz
    from sahel.quizzes.codes import class_code

__version__ = "1.0.0"
__all__ = [
    "answer",
    "check",
    "check_memo",
    "cite",
    "class_code",
    "explore",
    "forget",
    "hint",
    "load",
    "predictions",
    "progress",
    "quiz",
    "show",
    "style",
]

# Loaded at first use: most of these bring matplotlib, ipywidgets or anywidget with them. No module bears the
# name of a function here: importing the module would put it in the function's place.
_LATER = {
    "answer": "sahel.quizzes",
    "check": "sahel.checks",
    "check_memo": "sahel.memo",
    "class_code": "sahel.quizzes.codes",
    "explore": "sahel.explorer",
    "forget": "sahel.quizzes",
    "hint": "sahel.checks",
    "predictions": "sahel.quizzes",
    "progress": "sahel.quizzes",
    "quiz": "sahel.quizzes",
    "show": "sahel.figures",
    "style": "sahel.figures",
}


def __getattr__(name: str) -> Any:
    """Import a part of the package when it is first asked for (PEP 562)."""
    if name not in _LATER:
        raise AttributeError(f"sahel has no {name}. It has: {', '.join(__all__)}.")
    from importlib import import_module

    found = getattr(import_module(_LATER[name]), name)
    globals()[name] = found
    return found
