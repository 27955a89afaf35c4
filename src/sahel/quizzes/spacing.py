"""When to try a question again: Leitner's boxes (S. Leitner, So lernt man lernen, 1972), intervals doubled.

A right answer moves a question one box up, and the next try is due after 1, 2, 4, 8 or 16 days. A wrong or partly
right answer moves it back to the start: it is due at once. A right answer before its day moves nothing: to repeat
what one has just read is no test of memory (Roediger and Karpicke 2006, Psychological Science 17:249-255).
"""

from datetime import date, timedelta
from typing import Any

DAYS = (1, 2, 4, 8, 16)


def due(attempts: list[dict[str, Any]]) -> date | None:
    """Return the day from which a question is due again, or None where no answer can be read.

    Args:
        attempts: the answers to it, oldest first, each with `at` (ISO time) and `score` (0 to 1).
    """
    box, found = 0, None
    for attempt in attempts:
        try:
            day = date.fromisoformat(attempt["at"][:10])
        except (ValueError, TypeError):  # somebody has edited the file of answers
            continue
        if attempt.get("score") != 1:
            box, found = 0, day
        elif found is None or day >= found:
            found = day + timedelta(days=DAYS[min(box, len(DAYS) - 1)])
            box += 1
    return found
