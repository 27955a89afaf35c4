"""Quizzes in a notebook: `quiz("02")` shows a lesson's questions, `quiz("02.4")` one of them.

Each function shows its result in the cell and returns nothing, except `predictions`, which gives a table;
what goes wrong is said in one sentence.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any

from sahel.quizzes import bank, marking, spacing, store
from sahel.quizzes.bank import QuizTrouble, say

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["answer", "forget", "predictions", "progress", "quiz"]


def _in_one_sentence(function: Callable[..., None]) -> Callable[..., None]:
    """Print what goes wrong in place of a traceback."""

    @wraps(function)
    def spoken(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except QuizTrouble as trouble:
            print(trouble)

    return spoken


@_in_one_sentence
def quiz(which: str, confidence: bool = False) -> None:
    """Show the questions of a lesson, or one question, with the answers that were given before.

    Args:
        which: a lesson such as "02", or a question such as "02.4".
        confidence: True asks with each answer how sure you are, and gives marks for knowing that too.
    """
    from IPython.display import display

    items = bank.find(which)
    try:
        from sahel.quizzes.widget import QuizWidget
    except ImportError as missing:
        from sahel.quizzes.twin import twin_html, twin_plain

        print(say("no_widget", package=missing.name))
        display({"text/html": twin_html(items), "text/plain": twin_plain(items)}, raw=True)
        return
    display(QuizWidget(items, confidence))


@_in_one_sentence
def answer(which: str) -> None:
    """Show the answer of one question, and why.

    Args:
        which: a question such as "02.4".
    """
    from IPython.display import display

    from sahel.quizzes.twin import answer_html, answer_plain

    items = bank.find(which)
    if "." not in which:
        raise QuizTrouble(say("answer_needs_item"))
    display({"text/html": answer_html(items[0]), "text/plain": answer_plain(items[0])}, raw=True)


@_in_one_sentence
def progress() -> None:
    """Print for each lesson how much is answered and right, what to repeat now, and what comes back when.

    A question answered right comes back after 1, 2, 4, 8, then 16 days; one answered wrong, at once.
    """
    begun = False
    for lesson in bank.lessons():
        answers, notice = store.read(lesson)
        if notice:
            print(notice)
        if answers:
            begun = True
            print(_progress_of(lesson, answers))
    if not begun:
        print(say("nothing_yet"))


def _progress_of(lesson: str, answers: store.Answers) -> str:
    """Return one lesson's progress, counting only answers to the questions as they stand now."""
    items = bank.items(lesson)
    given = {i["id"]: [a for a in answers.get(i["id"], []) if a["rev"] == i["rev"]] for i in items}
    done = {key: attempts for key, attempts in given.items() if attempts}
    scored = {item["id"] for item in items if marking.has_right_answer(item)}
    firsts = [key for key in scored & done.keys() if done[key][0].get("score") == 1]
    right = [key for key in scored & done.keys() if done[key][-1].get("score") == 1]
    counts = {"done": len(done), "total": len(items), "marked": len(scored)}
    lines = [say("progress", lesson=lesson, first=len(firsts), last=len(right), **counts)]
    lines += _certainty({key: done[key][-1] for key in scored & done.keys()})
    if len(done) < len(items):
        lines.append(say("to_do", items=", ".join(key for key in given if key not in done)))
    return "\n".join(lines + _to_repeat({key: done[key] for key in done if key in scored}))


def _certainty(last: dict[str, store.Attempt]) -> list[str]:
    """Return a line with the marks for certainty, where any answer was given with it."""
    sure = [
        a for a in last.values() if a.get("confidence") in marking.CERTAINTY and a.get("score") is not None
    ]
    if not sure:
        return []
    marks = sum(marking.certainty_marks(attempt["score"], attempt["confidence"]) for attempt in sure)
    return [say("certainty_sum", marks=f"{round(marks, 1):g}".replace("-", "−"), count=len(sure))]


def _to_repeat(done: dict[str, list[store.Attempt]]) -> list[str]:
    """Return what is due now, and what comes back on which day (see `sahel.quizzes.spacing`)."""
    days = {key: day for key, attempts in done.items() if (day := spacing.due(attempts))}
    now = [key for key, day in days.items() if day <= datetime.now(UTC).date()]
    later = sorted((day, key) for key, day in days.items() if key not in now)
    lines = [say("to_repeat", items=", ".join(now))] if now else []
    if later:
        lines.append(say("to_repeat_later", items=", ".join(f"{key} ({day})" for day, key in later)))
    return lines


def predictions() -> "pd.DataFrame":
    """Return your predictions, the oldest first: the first answer to each forecast question of any lesson.

    Only the first answer counts: a later one may have been given with the outcome known. Nothing is raised:
    what cannot be read is left out, and said in one printed sentence.

    Returns:
        Columns question_id (as in the table forecast_questions), percent (0 to 100), known (True where "I
        already knew the answer" was ticked) and answered_on (the day, by universal time). Where nothing is
        answered the table has no rows, and the same columns and types.
    """
    import pandas as pd

    given: list[tuple[str, str, int, bool, str]] = []
    for lesson in bank.lessons():
        try:
            given += _forecasts_of(lesson)
        except QuizTrouble as trouble:
            print(trouble)
    found = pd.DataFrame(sorted(given), columns=["at", "question_id", "percent", "known", "answered_on"])
    found = found.drop_duplicates("question_id", ignore_index=True)  # sorted by time: the first stays
    types = {"question_id": "str", "percent": "int64", "known": "bool", "answered_on": "datetime64[us]"}
    return found[list(types)].astype(types)


def _forecasts_of(lesson: str) -> list[tuple[str, str, int, bool, str]]:
    """Return time, question, percent, whether known, and day of every usable forecast in one lesson."""
    items = [item for item in bank.items(lesson) if item["type"] == "probability"]
    answers, notice = store.read(lesson)
    if notice:
        print(notice)
    found = []
    for item in items:
        current = [attempt for attempt in answers.get(item["id"], []) if attempt["rev"] == item["rev"]]
        for attempt in current:
            with suppress(ValueError):  # somebody has edited the file of answers
                marking.mark(item, attempt["choice"])
                day = date.fromisoformat(attempt["at"][:10]).isoformat()
                known = bool(attempt.get("known"))
                found.append((attempt["at"], item["question"], attempt["choice"], known, day))
    return found


@_in_one_sentence
def forget(sure: bool = False) -> None:
    """Delete all saved answers; nothing is deleted unless `sure` is True."""
    if sure is not True:
        raise QuizTrouble(say("forget_sure", folder=store.responses_folder()))
    print(store.forget_all() or say("forgotten"))
