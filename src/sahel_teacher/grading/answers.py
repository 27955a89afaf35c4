"""Find the answers in a notebook, and plan what is run.

What is run, in the notebook's own order and in one namespace:

- the course's set-up and given cells, in place of the student's copies of them, so that each task begins with
  the data as it was handed out;
- every other code cell of the student: answers, helpers, and course cells that were edited (after the course's
  own). Check cells as handed out are left out; metadata, ids and points count for nothing.

Which cell is the answer to a task: the last that carries its mark (nbgrader's grade_id, or the cell id as handed
out), is not the untouched stub, and gives the result its name; else the last of any other cells that does;
else the last marked one that was touched. The result is looked at where the check cell after it stands, or
right after the answer if there is none, so a result made in two steps counts. A cell that answers several tasks
runs once for each, on the data of each.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from sahel.checks import say
from sahel_teacher.grading.questions import Question, QuestionSet, Released, plain

MOST_CELLS = 1_000
MOST_SOURCE = 500_000  # characters of code
MOST_WRITTEN = 50_000


class Unreadable(Exception):
    """A notebook cannot be graded: the message says why."""


@dataclass(frozen=True)
class Cell:
    """A cell as handed in, with the released cell that it comes from, if any."""

    kind: str
    source: str
    home: Released | None

    def is_(self, role: str, task: str) -> bool:
        """Say whether it carries the mark of this role and task."""
        return self.home is not None and (self.home.role, self.home.task) == (role, task)

    @property
    def edited(self) -> bool:
        """Say whether it is something else than what was handed out."""
        return self.home is None or plain(self.source) != self.home.source


@dataclass
class Plan:
    """What to run, and what to look for: `answer` and `read` are steps, by task; `missing` tasks have none."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    given: dict[int, str] = field(default_factory=dict)  # step -> task whose data is loaded there
    answer: dict[str, int] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def add(self, code: str, given: str = "", fresh: bool = False) -> int:
        """Add a step and return its number; `given` names the task whose data is loaded."""
        step: dict[str, Any] = {"code": code} | ({"fresh": True} if fresh else {})
        if given:
            self.given[len(self.steps)] = given
        self.steps.append(step)
        return len(self.steps) - 1


def plan(raw: list[dict[str, Any]], questions: QuestionSet) -> Plan:
    """Find the answers in the cells of a notebook and plan the run.

    Args:
        raw: cells of nbformat 4, as read from JSON: nothing about them is sure.
        questions: the set.

    Raises:
        Unreadable: too many cells or too much text, or not one cell that belongs to the set.
    """
    if len(raw) > MOST_CELLS:
        raise Unreadable(f"it has more than {MOST_CELLS:,} cells")
    cells = [_cell(found, questions) for found in raw if isinstance(found, dict)]
    if sum(len(cell.source) for cell in cells if cell.kind == "code") > MOST_SOURCE:
        raise Unreadable(f"it has more than {MOST_SOURCE:,} characters of code")
    made = Plan()
    chosen = {q.number: _choose(cells, q, made) for q in questions.questions.values() if not q.written}
    for question in questions.questions.values():
        if question.written:
            _find_written(cells, question, made)
    known = any(cell.home and cell.home.task for cell in cells) or any(
        place is not None for place in chosen.values()
    )
    if not known:
        raise Unreadable(f"nothing in it belongs to set {questions.number}")
    _lay_out(cells, chosen, questions, made)
    return made


def _cell(raw: dict[str, Any], questions: QuestionSet) -> Cell:
    source = raw.get("source", "")
    text = "".join(map(str, source)) if isinstance(source, list) else str(source)
    metadata = raw.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    kind = str(raw.get("cell_type"))
    home, bare = None, plain(text)
    for same in (
        lambda cell: cell.grade_id and cell.grade_id == grade_id,
        lambda cell: cell.cell_id == raw.get("id"),
        lambda cell: cell.task and cell.kind == kind and cell.source == bare,
        lambda cell: cell.role == "setup" and cell.source == bare,
    ):
        home = home or next((cell for cell in questions.cells if same(cell)), None)
    return Cell(kind, text, home)


def _names(cell: Cell, result: str) -> bool:
    """Say whether code gives a name: by its text, for parsing what others wrote can end a process."""
    name = re.compile(rf"(?<![\w.]){re.escape(result)}\b")
    function = re.compile(rf"\s*(async\s+)?def\s+{re.escape(result)}\b")
    for line in cell.source.splitlines():
        left, given, _ = (line + "\n").partition("=")
        if given and name.search(left.partition("#")[0]) and not line[len(left) + 1 :].startswith("="):
            return True
        if function.match(line):
            return True
    return False


def _choose(cells: list[Cell], question: Question, made: Plan) -> int | None:
    """Return the place of the answer to a task, or None; note what the student should know of."""
    marked = [n for n, cell in enumerate(cells) if cell.is_("answer", question.number)]
    touched = [n for n in marked if plain(cells[n].source) != plain(question.stub)]
    naming = [n for n in touched if _names(cells[n], question.result)]
    other = [
        n
        for n, cell in enumerate(cells)
        if n not in marked and cell.kind == "code" and cell.edited and _names(cell, question.result)
    ]
    place = next((places[-1] for places in (naming, other, touched) if places), None)
    if len(touched) > 1:
        made.notes[question.number] = say("graded_several")
    elif place is not None and place in other:
        made.notes[question.number] = say("graded_outside")
    if place is not None and cells[place].kind != "code":
        made.notes[question.number] = say("graded_no_code")
    return place


def _lay_out(cells: list[Cell], chosen: dict[str, int | None], questions: QuestionSet, made: Plan) -> None:
    """Put all steps in order."""
    made.add(questions.setup, fresh=True)
    at = {place: [task for task in chosen if chosen[task] == place] for place in chosen.values()}
    has_given = {cell.home.task for cell in cells if cell.home and cell.home.role == "given"}
    loaded: list[str] = []
    unread: dict[str, int] = {}

    def load(task: str) -> None:
        question = questions.questions[task]
        made.add(f"{question.setup}\n{question.given}", given=task)
        loaded.append(task)

    for place, cell in enumerate(cells):
        role, task = (cell.home.role, cell.home.task) if cell.home else ("", "")
        if role == "given" or (role == "statement" and task in chosen and task not in has_given):
            load(task)
        if role == "check" and task in unread:
            made.read[task] = unread.pop(task)
        for answered in at.get(place, []):
            several = len(at[place]) > 1  # then it runs once for each, on the data of each
            if answered not in loaded or (several and loaded[-1] != answered):
                load(answered)
            made.answer[answered] = made.add(cell.source)
            (made.read if several else unread)[answered] = made.answer[answered]
        if place not in at and cell.kind == "code" and cell.edited and cell.source.strip():
            made.add(cell.source)
        for waiting in unread:
            if role != "given":
                unread[waiting] = len(made.steps) - 1
    _add_reads(chosen, made)


def _add_reads(chosen: dict[str, int | None], made: Plan) -> None:
    """Put a step that looks at the result after each place where that is due, and number all steps anew."""
    due: dict[int, list[str]] = {}
    for task, place in chosen.items():
        if place is not None:
            due.setdefault(made.read.get(task, made.answer[task]), []).append(task)
    old, given, answer = made.steps, made.given, {step: task for task, step in made.answer.items()}
    made.steps, made.given, made.answer, made.read = [], {}, {}, {}
    for number, step in enumerate(old):
        if number in given:
            made.given[len(made.steps)] = given[number]
        if number in answer:
            made.answer[answer[number]] = len(made.steps)
        made.steps.append(step)
        for task in due.get(number, []):
            made.read[task] = len(made.steps)
            made.steps.append({"read": task})


def _find_written(cells: list[Cell], question: Question, made: Plan) -> None:
    """Collect a written answer: its marked cell, or what follows the statement, and text cells added below."""
    marked = [n for n, cell in enumerate(cells) if cell.is_("answer", question.number)]
    touched = [n for n in marked if plain(cells[n].source) != plain(question.stub)]
    start = [n + 1 for n, cell in enumerate(cells) if cell.is_("statement", question.number)]
    place = (touched or marked or start or [len(cells)])[-1]
    parts: list[str] = []
    for n in range(place, len(cells)):
        if n != place and (cells[n].home is not None or cells[n].kind != "markdown"):
            break
        if n == place and cells[n].home is not None and n not in marked:
            break
        parts.append(cells[n].source)
    text = _joined(parts, question)
    if not text and start and (text := _joined(_elsewhere(cells, start[-1], question.number), question)):
        made.notes[question.number] = say("graded_outside")
    if text:
        made.written[question.number] = text[:MOST_WRITTEN]
    if len(touched) > 1:
        made.notes[question.number] = say("graded_several")


def _joined(parts: list[str], question: Question) -> str:
    return "\n\n".join(part for part in parts if plain(part) != plain(question.stub)).strip()


def _elsewhere(cells: list[Cell], start: int, task: str) -> list[str]:
    """Return what stands at the end of a written task's statement or, in any cell, between it and the next task."""
    parts = []
    statement = cells[start - 1]
    if statement.home and plain(statement.source).startswith(statement.home.source):
        parts.append(plain(statement.source)[len(statement.home.source) :])
    for cell in cells[start:]:
        if cell.home and cell.home.task not in ("", task):
            break
        parts += [] if cell.home else [cell.source]
    return parts
