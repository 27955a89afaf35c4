"""The page that says which quiz items and tasks belong to which learning outcome, and what rests on a row."""

import re
from pathlib import Path
from typing import Any

from sahel_teacher.bank import read_banks
from sahel_teacher.nb import read_source, write_text
from sahel_teacher.sets import ExerciseSet, read_set

PAGE = Path("teaching") / "outcomes.md"
CONTENT = Path("content") / "en"
INTRODUCTION = """\
# Outcomes, and where each is practised and tested

Built from the lessons, quizzes and exercise sets by `course.py build`: change those, not this page. Minutes are for one
student. The lessons, quizzes and sets of this course are for learning: their answers are public."""


def build_outcomes(root: Path, check: bool = False) -> list[str]:
    """Build teaching/outcomes.md; return one line if it changed (with check: if it would)."""
    banks, _ = read_banks(root)
    items = [item for bank in banks.values() for item in bank["items"]]
    sets = {path.name[:2]: read_set(path) for path in sorted((root / CONTENT / "exercises").glob("??-*.md"))}
    parts = [INTRODUCTION]
    for source in sorted((root / CONTENT / "lessons").glob("??-*.md")):
        front = read_source(source).metadata["course"]
        parts += _lesson(front, items, sets.get(front["lesson"]))
    text = "\n\n".join(parts) + "\n"
    path = root / PAGE
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return []
    if check:
        return [f"{PAGE.as_posix()} is not what its sources give: run course.py build"]
    write_text(path, text)
    return [f"{PAGE.as_posix()} written"]


def _lesson(front: dict[str, Any], items: list[dict[str, Any]], made: ExerciseSet | None) -> list[str]:
    """Return the part on one lesson: a table of its outcomes, and a line on its exercise set."""
    rows = []
    for number, outcome in front["outcomes"].items():
        found = [item for item in items if item["outcome"] == number]
        named = ", ".join(f"{item['id']}{' (vote)' if item.get('vote') else ''}" for item in found) or "–"
        minutes = f"{sum(item['minutes'] for item in found):g}"
        rows.append(f"| {number} | {outcome} | {named} | {minutes} |")
    head = "| outcome | afterwards, students can | quiz items | minutes |\n|---|---|---|---|\n"
    parts = [f"## {front['lesson']} {front['title']} ({front['minutes']} minutes)", head + "\n".join(rows)]
    if made:
        tasks = "; ".join(f"{t.number} {_title(t.statement)}" for t in made.all_tasks)
        parts.append(f"Exercises ({made.minutes}): {tasks}.")
    return parts


def _title(statement: str) -> str:
    return statement.partition("\n")[0].lstrip("# ").strip()


def resting_on(root: Path, row_id: str) -> list[str]:
    """Return where a row is named, as "file: line number": tables, lessons, quizzes, exercises, session plans.

    Args:
        root: the course's folder.
        row_id: such as "F030", "C012" or the id of a source.
    """
    places = [*sorted((root / "data").rglob("*.csv")), *sorted((root / CONTENT).rglob("*.md"))]
    places += [
        *sorted((root / CONTENT).rglob("*.yaml")),
        *sorted((root / "teaching").glob("[0-9][0-9]-*.md")),
    ]
    pattern = re.compile(rf"(?<![\w-]){re.escape(row_id)}(?![\w-])")
    found = []
    for path in places:
        if path.name.endswith("-exercises.md") and path.parent.name == "teaching":
            continue  # built from a set, which is named already
        lines = path.read_text(encoding="utf-8").splitlines()
        numbers = [str(n) for n, line in enumerate(lines, 1) if pattern.search(line)]
        if numbers:
            found.append(f"{path.relative_to(root).as_posix()}: line {', '.join(numbers)}")
    return found
