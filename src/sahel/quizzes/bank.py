"""Read the built questions and words. People write them in `content/`; `course.py build` makes the JSON."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

# One question as it stands in the built JSON: what content/en/quizzes/schema.json describes, and with it
# `sources` (how its ids are cited), `place` (the heading's words), `rev` (changes when the answers change),
# and for a forecast question `asked`, `closes` and `rule`.
Item = dict[str, Any]


class QuizTrouble(Exception):
    """Something is missing or wrong; the message is the one sentence that the student reads."""


def built_folder() -> Path:
    """Return the folder of built questions and words (the environment variable SAHEL_BUILT names another)."""
    named = os.environ.get("SAHEL_BUILT")
    return Path(named).expanduser() if named else Path(__file__).resolve().parents[1] / "built"


def words() -> dict[str, str]:
    """Return the words that the quiz says, by key.

    Raises:
        QuizTrouble: the file is missing or damaged.
    """
    try:
        return _words(built_folder() / "words.json")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise QuizTrouble(
            "The quiz's words cannot be read. Run `course.py doctor` in the course's folder: it helps."
        ) from error


@cache
def _words(path: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["quiz"]
    return found


def say(key: str, **fields: Any) -> str:
    """Return one of the quiz's sentences with its fields filled in."""
    return words()[key].format(**fields)


def lessons() -> list[str]:
    """Return the lessons that have questions, such as ["00", "01"]."""
    return sorted(path.stem for path in (built_folder() / "quizzes").glob("[0-9][0-9].json"))


def items(lesson: str) -> list[Item]:
    """Return the questions of a lesson in their order.

    Raises:
        QuizTrouble: there is no such lesson, or its file is damaged.
    """
    if lesson not in lessons():
        raise QuizTrouble(say("no_lesson", lesson=lesson, lessons=", ".join(lessons()) or "-"))
    path = built_folder() / "quizzes" / f"{lesson}.json"
    try:
        found: list[Item] = json.loads(path.read_text(encoding="utf-8"))["items"]
        whole = all(item["id"] and item["type"] and item["rev"] for item in found)
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise QuizTrouble(say("bad_bank", lesson=lesson))
    return found


def roles(lesson: str) -> dict[str, str]:
    """Return the roles that are played in a lesson, as {id: name}; most lessons have none."""
    path = built_folder() / "quizzes" / f"{lesson}.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8")).get("roles", [])
        return {role["id"]: role["name"] for role in found}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise QuizTrouble(say("bad_bank", lesson=lesson)) from error


def find(which: object) -> list[Item]:
    """Return the questions of a lesson ("02") or one question ("02.4").

    Raises:
        QuizTrouble: no such lesson or question, or the id is not a text such as "02".
    """
    if not isinstance(which, str):  # 02.4 without quotation marks is the number 2.4
        raise QuizTrouble(say("bad_id"))
    lesson, dot, _ = which.strip().partition(".")
    found = items(lesson)
    chosen = [item for item in found if not dot or item["id"] == which.strip()]
    if not chosen:
        known = ", ".join(item["id"] for item in found)
        raise QuizTrouble(say("no_item", item=which.strip(), lesson=lesson, items=known))
    return chosen
