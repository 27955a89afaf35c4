"""Read exercise sets: what authors write, its rules, and one sentence for whatever breaks them.

A source is a MyST notebook. Its front matter names `set`, `title`, `lesson` and `minutes`. Every code cell has
a `role`; all but `setup` have a `task` such as "02.1":

- setup: imports, run before every task;
- given: loads the data afresh, so that a failure in one task does not sink the next;
- worked: the worked answer, and the task's options (see `Task`);
- wrong: a wrong answer that people really give, with its `hint`; at least two a task;
- check: what the student runs.

The task's text is a Markdown cell below a line `+++ {"task": "02.1", "role": "statement"}`. A written task has
Markdown cells only: statement, written (what stands in the student's cell; points, minutes, hints), rubric (a
table) and three anchors (model answers; `level` full, part or little, and `points`).
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from sahel.data import data_folder
from sahel_teacher.errors import BuildError
from sahel_teacher.nb import read_source
from sahel_teacher.tables import read_tables
from sahel_teacher.variants import check_recipe

FRONT = {"set", "title", "lesson", "minutes"}
ROLES = ("statement", "given", "worked", "check")  # each once a task; `wrong` twice or more
WRITTEN = ("statement", "written", "rubric")  # each once a written task; `anchor` once a level
LEVELS = ("full", "part", "little")
NEEDED = {"result": str, "points": int, "minutes": int, "compare": dict, "variants": dict, "hints": list}
OPTIONS = {
    "worked": {*NEEDED, "stub"},
    "written": {"points", "minutes", "hints"},
    "anchor": {"level", "points"},
    "wrong": {"hint"},
}
MOST_HINTS = 3
ID = re.compile(r"\b(?:[CEFK]\d{3}|(?:EV|PS|RC|[PQX])\d{2})\b")
FURTHER = "## Further:"  # how the title of a task begins that may be left out


class _Stated:
    statement: str

    @property
    def further(self) -> bool:
        """Say whether it may be left out."""
        return self.statement.startswith(FURTHER)


@dataclass(frozen=True)
class Task(_Stated):
    """One checked task of a set.

    `options` holds what the worked cell declares: `result` (the name of the variable), `points`, `minutes`,
    `compare` (`kind`: exact, number with `tolerance`, set, table with `ordered` and, if not all count, the
    `columns` that do, function with `inputs`: a list of arguments for each call), `variants` (`none` with the
    reason, or `make` with the recipe of `sahel_teacher.variants`), `hints` (up to three, each says more) and,
    if need be, `stub` (what the student sees in place of the worked answer; else the result is set to None).
    """

    number: str
    setup: str
    statement: str
    given: str
    worked: str
    check: str
    wrong: list[tuple[str, str]]  # code and hint
    options: dict[str, Any]

    @property
    def stub(self) -> str:
        """The code that stands in the student's version in place of the worked answer."""
        default = (
            f"# Write your code here; put your result in place of None.\n{self.options['result']} = None"
        )
        return str(self.options.get("stub", default)).strip()

    @property
    def recipe(self) -> list[dict[str, Any]]:
        """The recipe of fresh data for grading; empty where the task allows none."""
        return list(self.options["variants"].get("make", []))


@dataclass(frozen=True)
class Anchor:
    """A model answer of a written task: what it would earn, and why."""

    level: str
    points: int
    text: str


@dataclass(frozen=True)
class Written(_Stated):
    """One written task: graded by hand, by its rubric. `options` holds points, minutes and hints."""

    number: str
    statement: str
    stub: str  # what stands in the student's cell
    rubric: str
    anchors: list[Anchor]
    options: dict[str, Any]


@dataclass(frozen=True)
class ExerciseSet:
    """A set as its source gives it; `data` is the folder whose tables its tasks load."""

    source: Path
    data: Path
    nb: NotebookNode
    tasks: list[Task] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)

    @property
    def number(self) -> str:
        """The set's number: what stands before the dot in the numbers of its tasks."""
        return self.source.name.partition("-")[0]

    @property
    def all_tasks(self) -> list[Task | Written]:
        """Checked and written tasks, in the order of their numbers."""
        both: list[Task | Written] = [*self.tasks, *self.written]
        return sorted(both, key=lambda task: [len(task.number), task.number])

    @property
    def front(self) -> dict[str, Any]:
        """The front matter."""
        return dict(self.nb.metadata["course"])

    @property
    def minutes(self) -> str:
        """The minutes in words: those of the set, and those of tasks whose title begins with "Further:"."""
        further = sum(t.options["minutes"] for t in self.all_tasks if t.further)
        core = f"about {self.front['minutes'] - further} minutes"
        return f"{core}, and {further} for what is marked as further" if further else core


def read_set(source: Path, data: Path | None = None) -> ExerciseSet:
    """Read a set; `data` are the tables of its tasks (by default those that `load` reads).

    Raises:
        BuildError: the source is not as it should be; the message names the cell or task and what is wrong.
    """
    nb = read_source(source)
    data = data or data_folder()
    found, setup = _cells(nb, source.name)
    written = {number for number, cells in found.items() if _with_role(cells, *WRITTEN[1:], "anchor")}
    prefix = source.name.partition("-")[0]
    for number in found:
        if not number.startswith(f"{prefix}."):
            raise BuildError(f"{source.name}, task {number}: the number must begin with {prefix}.")
    made = ExerciseSet(source, data, nb)
    for number, cells in found.items():
        where = f"{source.name}, task {number}"
        if number in written:
            made.written.append(_read_written(number, cells, where))
        else:
            made.tasks.append(_read_task(number, cells, setup, where))
    _check_against_tables(made)
    _check_minutes(made)
    return made


def _cells(nb: NotebookNode, name: str) -> tuple[dict[str, list[NotebookNode]], str]:
    """Return the cells by task, and the code that runs before every task."""
    front = nb.metadata.get("course", {})
    lacking = FRONT - set(front)
    if lacking:
        raise BuildError(f"{name}: the front matter lacks {', '.join(sorted(lacking))}")
    found: dict[str, list[NotebookNode]] = {}
    setup = ""
    roles = dict.fromkeys([*ROLES, "wrong", *WRITTEN, "anchor"])
    for place, cell in enumerate(nb.cells, 1):
        role, task = cell.metadata.get("role"), cell.metadata.get("task")
        if role == "setup":
            setup += cell.source + "\n"
        elif role in roles and task:
            markdown = role in (*WRITTEN, "anchor")
            if markdown != (cell.cell_type == "markdown"):
                kind = "Markdown" if markdown else "code"
                raise BuildError(f"{name}, task {task}: the {role} cell (cell {place}) must be a {kind} cell")
            found.setdefault(str(task), []).append(cell)
        elif role or task or cell.cell_type == "code":
            raise BuildError(f"{name}, cell {place}: give it a role ({', '.join(roles)}) and a task")
    return found, setup


def _with_role(cells: list[NotebookNode], *roles: str) -> list[NotebookNode]:
    return [cell for cell in cells if cell.metadata.role in roles]


def _once(cells: list[NotebookNode], roles: tuple[str, ...], where: str) -> dict[str, NotebookNode]:
    """Return the one cell of each role."""
    for role in roles:
        those = _with_role(cells, role)
        if len(those) != 1:
            raise BuildError(f"{where}: one {role} cell is needed, {len(those)} found")
    for cell in cells:
        role = cell.metadata.role
        unknown = set(cell.metadata) - OPTIONS.get(role, set()) - {"task", "role", "tags"}
        if unknown:
            raise BuildError(f"{where}: the {role} cell has unknown options {', '.join(sorted(unknown))}")
    return {role: _with_role(cells, role)[0] for role in roles}


def _read_task(number: str, cells: list[NotebookNode], setup: str, where: str) -> Task:
    parts = _once(cells, ROLES, where)
    wrong = _with_role(cells, "wrong")
    if len(wrong) < 2 or not all(cell.metadata.get("hint") for cell in wrong):
        raise BuildError(f"{where}: at least two wrong answers are needed, each with a hint")
    options = json.loads(json.dumps(parts["worked"].metadata))
    _check_options(options, NEEDED, "worked", where)
    if set(options["variants"]) not in ({"none"}, {"make"}) or not all(options["variants"].values()):
        raise BuildError(f"{where}: variants must say `none` and why, or `make` and the steps of a recipe")
    call = f'check("{number}", {options["result"]})'
    if call not in parts["check"].source:
        raise BuildError(f"{where}: the check cell must hold {call}")
    return Task(
        number=number,
        setup=setup,
        wrong=[(cell.source, cell.metadata.hint) for cell in wrong],
        options=options,
        **{role: parts[role].source for role in ROLES},
    )


def _check_options(options: dict[str, Any], needed: dict[str, Any], role: str, where: str) -> None:
    for key, type_ in needed.items():
        if not isinstance(options.get(key), type_):
            raise BuildError(f"{where}: the {role} cell must say {key} ({type_.__name__})")
    if len(options["hints"]) > MOST_HINTS:
        raise BuildError(f"{where}: at most {MOST_HINTS} hints")


def _read_written(number: str, cells: list[NotebookNode], where: str) -> Written:
    if _with_role(cells, *ROLES[1:], "wrong"):
        raise BuildError(f"{where}: a written task has no code, no check and no wrong answers")
    parts = _once(cells, WRITTEN, where)
    options = json.loads(json.dumps(parts["written"].metadata))
    _check_options(options, {key: NEEDED[key] for key in OPTIONS["written"]}, "written", where)
    made = Written(
        number=number,
        statement=parts["statement"].source,
        stub=parts["written"].source,
        rubric=parts["rubric"].source,
        anchors=[
            Anchor(str(cell.metadata.get("level")), cell.metadata.get("points", -1), cell.source)
            for cell in _with_role(cells, "anchor")
        ],
        options=options,
    )
    _check_points(made, where)
    return made


def _check_points(task: Written, where: str) -> None:
    """Refuse a rubric that does not add up, and anchors that are not full, part and little."""
    points = task.options["points"]
    total = rubric_points(task.rubric)
    if total != points:
        raise BuildError(f"{where}: the rubric adds up to {total} points, and the task has {points}")
    if sorted(anchor.level for anchor in task.anchors) != sorted(LEVELS):
        raise BuildError(f"{where}: one anchor of each level is needed: {', '.join(LEVELS)}")
    earned = {anchor.level: anchor.points for anchor in task.anchors}
    if earned["full"] != points or not 0 <= earned["little"] <= 1 or not 1 <= earned["part"] < points:
        raise BuildError(f"{where}: anchors earn {points} (full), about half (part) and 0 or 1 (little)")
    if earned["little"] >= earned["part"]:
        raise BuildError(f"{where}: the anchor `part` must earn more than `little`")


def rubric_points(text: str) -> int:
    """Add up the most points that each criterion of a rubric gives: the header's last number with a text."""
    rows = [
        [cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines() if "|" in line
    ]
    if len(rows) < 3 or not all(cell.isdigit() for cell in rows[0][1:]):
        return 0
    levels = [int(cell) for cell in rows[0][1:]]
    return sum(
        max([n for n, cell in zip(levels, row[1:], strict=False) if cell], default=0) for row in rows[2:]
    )


def _check_against_tables(made: ExerciseSet) -> None:
    """Refuse a recipe that the tables do not allow, and an id that no table has."""
    package = json.loads((made.data / "datapackage.json").read_text(encoding="utf-8"))
    schemas = {r["name"]: r["schema"] for r in package["resources"] if "schema" in r}
    for task in made.tasks:
        if "make" in task.options["variants"]:
            try:
                check_recipe(task.options["variants"]["make"], schemas)
            except BuildError as error:
                raise BuildError(f"{made.source.name}, task {task.number}: {error}") from error
    tables = read_tables(package, made.data)
    first = {name: schema["fields"][0]["name"] for name, schema in schemas.items()}
    known = {row[first[name]] for name, rows in list(tables.items()) for row in rows}
    for cell in made.nb.cells:
        for found in ID.findall(cell.source + str(dict(cell.metadata))):
            if known and found not in known:
                raise BuildError(f"{made.source.name}: no table has the id {found}")


def _check_minutes(made: ExerciseSet) -> None:
    total = sum(task.options["minutes"] for task in made.all_tasks)
    if int(made.front["minutes"]) != total:
        raise BuildError(
            f"{made.source.name}: the front matter says {made.front['minutes']} minutes, and the tasks need {total}"
        )
