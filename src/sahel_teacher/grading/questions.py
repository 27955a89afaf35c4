"""A set as grading needs it: a thin layer over `sahel_teacher.sets`, so that the rest knows nothing of sources."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sahel_teacher.errors import BuildError
from sahel_teacher.exercises import version
from sahel_teacher.sets import Task, read_set

GRADER = "2"  # raise it when the same answer could earn another mark: submissions are then graded again
PLACES = ("", "exercises", "sets", "content/en/exercises")  # where a folder of sets may keep its sources


class NoSuchSet(Exception):
    """A set cannot be found or read: the message says what to do."""


@dataclass(frozen=True)
class Question:
    """One task. A written one has neither result nor code: a person grades it."""

    number: str
    points: int
    hints: list[str]
    stub: str
    further: bool = False  # may be left out
    result: str = ""
    setup: str = ""
    given: str = ""
    worked: str = ""
    wrong: list[tuple[str, str]] = field(default_factory=list)  # code and hint
    compare: dict[str, Any] = field(default_factory=dict)  # as the source declares it
    recipe: list[dict[str, Any]] = field(default_factory=list)  # of fresh data; empty where there is none

    @property
    def written(self) -> bool:
        """Say whether a person grades it."""
        return not self.result


@dataclass(frozen=True)
class Released:
    """A cell of the notebook that students got: its role, the task, and what tells it from others."""

    role: str
    task: str
    kind: str
    source: str
    grade_id: str
    cell_id: str


@dataclass(frozen=True)
class QuestionSet:
    """A set: its questions in order, the cells as handed out, its data, and a hash of all that marks rest on."""

    number: str
    title: str
    version: str
    data: Path
    setup: str
    questions: dict[str, Question]
    cells: list[Released]

    @property
    def points(self) -> int:
        """The most that the set can earn."""
        return sum(question.points for question in self.questions.values())

    @property
    def further_points(self) -> int:
        """How many of them are for tasks that may be left out."""
        return sum(question.points for question in self.questions.values() if question.further)


def find_set(root: Path, number: str, folder: Path | None = None) -> tuple[Path, Path]:
    """Return the source of a set and the folder of its data.

    Args:
        root: the course's folder.
        number: such as "02": what the name of the source begins with.
        folder: a teacher's own folder of sets, with its own `data` if it has one; else the course's.

    Raises:
        NoSuchSet: there is no such set.
    """
    base = folder or root
    found = [path for place in PLACES for path in sorted((base / place).glob("*-*.md"))]
    named = [path for path in found if path.name.partition("-")[0] == number]
    if len(named) != 1:
        there = ", ".join(sorted({path.name.partition("-")[0] for path in found})) or "none"
        raise NoSuchSet(f"{len(named) or 'No'} set has the number {number!r} in {base}. There are: {there}.")
    return named[0], base / "data" if (base / "data" / "datapackage.json").is_file() else root / "data"


def open_set(root: Path, number: str, folder: Path | None = None) -> QuestionSet:
    """Find and read a set; see `find_set`. Raises NoSuchSet where that cannot be done."""
    source, data = find_set(root, number, folder)
    try:
        made = read_set(source, data)
        student = version(made, worked=False)
    except (BuildError, OSError) as error:
        raise NoSuchSet(f"The set cannot be read. {error}") from error
    questions = {task.number: _question(task) for task in made.all_tasks}
    hashed = "\n".join((GRADER, source.read_text("utf-8"), (data / "datapackage.json").read_text("utf-8")))
    return QuestionSet(
        number=number,
        title=str(made.front["title"]),
        version=hashlib.sha256(hashed.encode("utf-8")).hexdigest()[:16],
        data=data,
        setup=next((question.setup for question in questions.values() if question.setup), ""),
        questions=questions,
        cells=[_released(cell, questions) for cell in student.cells],
    )


def _question(task: Any) -> Question:
    options = task.options
    if not isinstance(task, Task):
        return Question(task.number, options["points"], list(options["hints"]), task.stub, task.further)
    return Question(
        number=task.number,
        points=options["points"],
        hints=list(options["hints"]),
        stub=task.stub,
        further=task.further,
        result=options["result"],
        setup=task.setup,
        given=task.given,
        worked=task.worked,
        wrong=list(task.wrong),
        compare=options["compare"],
        recipe=task.recipe,
    )


def _released(cell: Any, questions: dict[str, Question]) -> Released:
    grade_id = str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
    role, _, slug = grade_id.partition("-")
    task = next((number for number in questions if number.replace(".", "-") == slug), "")
    return Released(role, task, cell.cell_type, plain(cell.source), grade_id, str(cell.id))


def plain(source: str) -> str:
    """Return source without what editing may change unseen: line ends, blanks at line ends, empty edges."""
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()
