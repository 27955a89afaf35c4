"""The quiz widget: Python marks and keeps the answers, static/quiz.js shows them."""

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from sahel.quizzes import store
from sahel.quizzes.bank import Item, say, words
from sahel.quizzes.marking import CERTAINTY, Result, certainty_marks, has_right_answer, mark, public
from sahel.quizzes.twin import foot, twin_html, twin_plain

_STATIC = Path(__file__).parent / "static"


def outcome(item: Item, attempts: list[store.Attempt]) -> dict[str, Any] | None:
    """Return what the widget shows after an answer, or None where there is none to this version of the item.

    The keys: choice, known, confidence and tries of the last answer; verdict and headline; lines of feedback,
    each with mark, word, label and text; foot (source and place).
    """
    current = [attempt for attempt in attempts if attempt["rev"] == item["rev"]]
    if not current:
        return None
    last = current[-1]
    try:
        result = mark(item, last["choice"])
    except ValueError:  # somebody has edited the file of answers
        return None
    shown = {"choice": last["choice"], "known": bool(last.get("known")), "tries": len(current)}
    level = _level(last)
    shown["confidence"] = level
    if item.get("vote") and len(current) == 1:
        return {**shown, "verdict": "saved", "headline": say("voted"), "lines": [], "foot": []}
    headline = _headline(result, level)
    return {**shown, "verdict": result.verdict, "headline": headline, **_feedback(item, result)}


def _level(answer: dict[str, Any]) -> int:
    """Return how sure somebody was, 1 to 3, or 0 where nothing (or nothing that can be read) was said."""
    level = answer.get("confidence")
    return level if type(level) is int and level in CERTAINTY else 0


def _headline(result: Result, level: int) -> str:
    said = say(result.verdict, percent=round(100 * (result.score or 0)))
    if not level or result.score is None:
        return said
    marks = round(certainty_marks(result.score, level), 1)
    signed = f"{marks:+g}".replace("-", "−") if marks else "0"
    return f"{said} {say('certainty_marks', marks=signed)}"


def _feedback(item: Item, result: Result) -> dict[str, Any]:
    lines = [
        {"mark": note.mark, "word": say(f"mark_{note.mark}"), "label": note.label, "text": note.feedback}
        for note in result.notes
    ]
    if result.missed:
        lines.append({"mark": "missed", "word": "", "label": "", "text": say("missed")})
    return {"lines": lines, "foot": foot(item) if result.verdict != "saved" else []}


def _asked(item: Item, confidence: bool) -> Item:
    """Return a question as the front end gets it; it asks how sure one is where one can be right or wrong."""
    asks = (confidence or bool(item.get("confidence"))) and has_right_answer(item)
    return {**public(item), "confidence": asks}


class QuizWidget(anywidget.AnyWidget):
    """Some questions of one lesson, in a notebook.

    The front end gets the questions without their answers. It sends {"item", "choice", "known", "hints",
    "confidence"}; the answer is marked and kept here, and comes back in the trait `outcomes`.
    """

    _esm = _STATIC / "quiz.js"
    _css = _STATIC / "quiz.css"
    words = traitlets.Dict().tag(sync=True)
    questions: traitlets.List[Item] = traitlets.List().tag(sync=True)
    outcomes = traitlets.Dict().tag(sync=True)
    notice = traitlets.Unicode().tag(sync=True)

    def __init__(self, items: list[Item], confidence: bool = False) -> None:
        self._items = {item["id"]: item for item in items}
        self._lesson = items[0]["id"][:2]
        answers, notice = store.read(self._lesson)
        super().__init__(
            words=words(),
            questions=[_asked(item, confidence) for item in items],
            outcomes=self._outcomes(answers),
            notice=notice,
        )
        self.on_msg(self._receive)

    def _outcomes(self, answers: store.Answers) -> dict[str, Any]:
        shown = {key: outcome(item, answers.get(key, [])) for key, item in self._items.items()}
        return {key: value for key, value in shown.items() if value}

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Mark and keep one answer."""
        item = self._items.get(content.get("item")) if isinstance(content, dict) else None
        if item is None:
            return
        try:
            result = mark(item, content.get("choice"))
        except ValueError:
            self.notice = say("bad_choice")
            return
        attempt = {
            "choice": content["choice"],
            "score": result.score,
            "known": bool(content.get("known")),
            "hints": content.get("hints") if type(content.get("hints")) is int else 0,
            "rev": item["rev"],
        }
        if level := _level(content):
            attempt["confidence"] = level
        answers, self.notice = store.add(self._lesson, item["id"], attempt)
        self.outcomes = self._outcomes(answers)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the live widget and beside it the text version, the same at each run."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        items = list(self._items.values())
        return {**data, "text/html": twin_html(items), "text/plain": twin_plain(items)}, metadata
