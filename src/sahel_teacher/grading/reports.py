"""Write all that a teacher and students read, from the marks alone: each file whole or not at all."""

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from sahel.checks import say
from sahel_teacher.grading.marks import Marks
from sahel_teacher.grading.overview import overview
from sahel_teacher.grading.questions import Question, QuestionSet
from sahel_teacher.nb import write_text

Row = dict[str, Any]
# Where a formula would begin: at the start, or where a spreadsheet set to semicolons or tabs begins a new cell.
FORMULA = re.compile(r"(?:(?<![^;\t\r\n]))(?=[\s\"]*[=+\-@＝＋－＠])|^(?=[\t\r])")


class BadGradebook(Exception):
    """A gradebook that the teacher named cannot be filled in: the message says why."""


def write_all(out: Path, questions: QuestionSet, marks: Marks, gradebooks: Sequence[Path] = ()) -> list[str]:
    """Write gradebook.csv, import files for Moodle and Canvas, feedback, overview.html and the run log.

    Args:
        out: the folder of the set, such as grades/02.
        questions: the set.
        marks: all marks.
        gradebooks: what the teacher exported from Moodle or Canvas; each is copied with the points filled in,
            now and at later calls that do not name another.

    Returns:
        Sentences for the teacher about what could not be filled in.

    Raises:
        BadGradebook: a gradebook is not one of Moodle or Canvas; nothing is written then.
    """
    students = [_with_marks(student, questions, marks) for student in marks.students()]
    filled = [fill(path, questions, students) for path in gradebooks]
    _write_table(out / "gradebook.csv", *_gradebook(students, questions))
    paths = dict(zip((name for name, *_ in filled), map(str, gradebooks), strict=True))
    made, told = set(paths), []
    for name, path in marks.gradebooks().items():
        if name not in made:
            try:
                filled.append(fill(Path(path), questions, students))
                told.append(f"{name} is made from {path}, as before.")
            except BadGradebook as error:
                told.append(
                    f"{name} is left as it was: it was made from a file that is no longer there. {error}"
                )
            paths[name] = path
            made.add(name)
    marks.keep_gradebooks(paths)
    for name, table in (("moodle.csv", _moodle), ("canvas.csv", _canvas)):
        if name not in made and any(student["lms"] == name[:-4] for student in students):
            _write_table(out / name, *table(students, questions))
    for name, header, rows, _ in filled:
        _write_table(out / name, header, rows)
    for student in students:
        write_text(out / "feedback" / _file_name(student), feedback(student, questions))
    write_text(out / "overview.html", overview(questions, marks))
    write_text(out / "run-log.txt", _log(marks))
    return [*told, *(sentence for *_, sentences in filled for sentence in sentences)]


def _with_marks(student: Row, questions: QuestionSet, marks: Marks) -> Row:
    """Add the marks that count, and their sum; what no longer belongs to the set is left out."""
    found = marks.counting(student["student"])
    kept = {task: found[task] for task in questions.questions if task in found}
    return student | {
        "marks": kept,
        "points": sum(mark["points"] or 0 for mark in kept.values()),
        "pending": any(mark["status"] == "pending" for mark in kept.values()),
    }


# --- tables ----------------------------------------------------------------------------------------------


def _gradebook(students: list[Row], questions: QuestionSet) -> tuple[list[str], list[list[Any]]]:
    header = [
        "student",
        "platform",
        "platform id",
        "file",
        "late",
        "isolation",
        "points",
        "out of",
        "pending",
    ]
    for task in questions.questions:
        header += [f"{task} status", f"{task} points", f"{task} note"]
    rows = []
    for student in students:
        row = [student["name"], student["lms"], student["lms_id"], student["file"], _yes(student["late"])]
        row += ["isolated" if student["isolated"] else "not isolated", _number(student["points"])]
        row += [questions.points, _yes(student["pending"])]
        for task in questions.questions:
            mark = student["marks"].get(task, {})
            by = mark.get("given_by", "machine")
            note = mark.get("note", "") if by == "machine" else f"{mark['note']} (graded by {by})".strip()
            row += [mark.get("status", ""), _number(mark.get("points")), note]
        rows.append(row)
    return header, rows


def _moodle(students: list[Row], _questions: QuestionSet) -> tuple[list[str], list[list[Any]]]:
    header = ["Identifier", "Full name", "Grade", "Feedback comments"]
    rows = [
        [f"Participant {s['lms_id']}", s["name"], _number(s["points"]), _comment(s)]
        for s in students
        if s["lms"] == "moodle"
    ]
    return header, rows


def _canvas(students: list[Row], questions: QuestionSet) -> tuple[list[str], list[list[Any]]]:
    header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", f"Set {questions.number}"]
    rows: list[list[Any]] = [["    Points Possible", "", "", "", "", questions.points]]
    rows += [
        [s["name"], s["lms_id"], "", "", "", _number(s["points"])] for s in students if s["lms"] == "canvas"
    ]
    return header, rows


def fill(
    path: Path, questions: QuestionSet, students: list[Row]
) -> tuple[str, list[str], list[list[Any]], list[str]]:
    """Fill points into a copy of a teacher's own export; every other cell stays as it is.

    Knows Moodle's grading worksheet (by Identifier) and grader report (by name), and Canvas' gradebook (by ID).

    Returns:
        Name of the file to write, header, rows, and sentences about students who were not found.

    Raises:
        BadGradebook: the file is none of these, or it does not say which column belongs to the set.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.reader(io.StringIO(text), delimiter=max(",;\t", key=text.partition("\n")[0].count)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadGradebook(f"{path} cannot be read as a CSV of Moodle or Canvas: {error}.") from error
    header, rows = (rows[0], rows[1:]) if rows else ([], [])
    at = {name.strip(): place for place, name in enumerate(header)}
    if {"Student", "ID", "Section"} <= set(at):
        name, column = "canvas.csv", _column(path, header, questions, at["Section"])
        keys = [row[at["ID"]].strip() if len(row) > at["ID"] else "" for row in rows]
        wanted = {s["lms_id"]: s for s in students if s["lms"] == "canvas"}
    elif {"Identifier", "Grade"} <= set(at):
        name, column = "moodle.csv", at["Grade"]
        keys = [
            re.sub(r"\D", "", row[at["Identifier"]]) if len(row) > at["Identifier"] else "" for row in rows
        ]
        wanted = {s["lms_id"]: s for s in students if s["lms"] == "moodle"}
    elif {"First name", "Email address"} <= set(at):
        name, column = "moodle.csv", _column(path, header, questions, at["Email address"])
        last = next((at[key] for key in ("Last name", "Surname") if key in at), 0)
        keys = [
            " ".join((row[at["First name"]], row[last])).casefold() if len(row) > last else "" for row in rows
        ]
        wanted = {s["name"].casefold(): s for s in students}
    else:
        raise BadGradebook(
            f"{path} is no gradebook of Moodle or Canvas: its columns are {', '.join(header)[:200]}."
        )
    comments = at.get("Feedback comments")
    for place, key in enumerate(keys):
        if key and keys.count(key) == 1 and key in wanted:
            row = rows[place] = [*rows[place], *[""] * (len(header) - len(rows[place]))]
            student = wanted.pop(key)
            row[column] = _number(student["points"])
            if comments is not None:
                row[comments] = _comment(student)
    lost = [f"{s['name']} is not in {path.name}, or more than once." for s in wanted.values()]
    return name, header, rows, lost


def _column(path: Path, header: list[str], questions: QuestionSet, after: int) -> int:
    """Return the place of the one column whose title names the set."""
    wanted = re.compile(
        rf"(?<!\d){re.escape(questions.number)}(?!\d)|{re.escape(questions.title)}", re.IGNORECASE
    )
    titles = {n: re.sub(r"\(\d+\)\s*$", "", name) for n, name in enumerate(header) if n > after}
    found = [n for n, title in titles.items() if wanted.search(title)]
    if len(found) != 1:
        raise BadGradebook(
            f"{path}: {len(found) or 'no'} column names set {questions.number}. Give the column of the assignment "
            f"a title with {questions.number} or “{questions.title}” in it."
        )
    return found[0]


def _write_table(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [[harmless(cell) for cell in row] for row in [header, *rows]]
    )
    write_text(path, "\ufeff" + text.getvalue())  # with the mark by which Excel knows UTF-8


def harmless(cell: Any) -> Any:
    """Return a cell that a spreadsheet takes for text: no formula, whoever wrote it."""
    if not isinstance(cell, str) or cell.strip() == "-":
        return cell
    try:
        float(cell)
    except ValueError:
        return FORMULA.sub("'", cell)
    return cell


def _number(points: float | None) -> Any:
    return "" if points is None else int(points) if points == int(points) else round(points, 2)


def _yes(value: Any) -> str:
    return "yes" if value else "no"


def _comment(student: Row) -> str:
    parts = [f"{task}: {mark['status']}" for task, mark in student["marks"].items()]
    return "; ".join(parts)


# --- feedback and log ------------------------------------------------------------------------------------

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: {name}</title>
<style>body{{font:1rem/1.5 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}}
h2{{font-size:1.1rem;margin:1.5rem 0 0}}p{{margin:.3rem 0}}</style></head>
<body><main><h1>{title}</h1>
<p>{name}, {file}</p>
<p><strong>{points}</strong></p>
{tasks}
</main></body></html>
"""


def feedback(student: Row, questions: QuestionSet) -> str:
    """Return the page for one student: what each task earned, what went wrong, and hints that all students get.

    It holds nothing of what is right, of fresh data or of other people.
    """
    tasks = "\n".join(
        _task(questions.questions[task], mark, questions.questions[task].points)
        for task, mark in student["marks"].items()
    )
    points = say("graded_points", points=_number(student["points"]), most=questions.points)
    if student["pending"]:
        points += ", " + say("graded_more")
    if questions.further_points:
        points += ". " + say("graded_of_further", points=questions.further_points, most=questions.points)
    return PAGE.format(
        title=escape(questions.title),
        name=escape(student["name"]),
        file=escape(student["file"]),
        points=escape(points),
        tasks=tasks,
    )


def _task(question: Question, mark: Row, most: int) -> str:
    lines = [mark["note"], mark["hint"]]
    if mark["status"] == "failed" and not mark["hint"]:
        lines += [say("graded_hint", text=hint) for hint in question.hints[:1]]
    said = say("graded_" + mark["status"].replace(" ", "_"))
    if mark["points"] is not None:
        said += ", " + say("graded_points", points=_number(mark["points"]), most=most)
    number = say("graded_further", task=question.number) if question.further else question.number
    return f"<h2>{escape(f'{number}: {said}')}</h2>" + "".join(
        f"\n<p>{escape(line)}</p>" for line in lines if line
    )


def _file_name(student: Row) -> str:
    """Return a file name that every system takes and no two students share."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", student["name"]).strip("-")[:60] or "student"
    return f"{slug}-{hashlib.sha256(student['student'].encode()).hexdigest()[:8]}.html"


def _log(marks: Marks) -> str:
    lines = []
    for run in marks.runs():
        lines.append(f"run {run['run']}: {run['started']} to {run['finished'] or 'stopped half-way'}")
        lines.append(f"  graded: {run['graded']}; settings: {run['settings']}")
        lines += [f"  refused: {r['file']} ({r['name']}): {r['reason']}" for r in run["refusals"]]
    return "\n".join(lines) + "\n"
