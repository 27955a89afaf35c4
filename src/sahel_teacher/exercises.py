"""Build exercise sets: one source gives the student's version, the worked version and what `check` needs.

A source is a MyST notebook. Its front matter names `set`, `title`, `lesson` and `minutes`. Every code cell has
a `role`; all but `setup` have a `task` such as "02.1":

- setup: imports, run before every task;
- given: loads the data afresh, so that a failure in one task does not sink the next;
- worked: the worked answer, and the task's options (see `Task`);
- wrong: a wrong answer that people really give, with its `hint`; at least two a task;
- check: what the student runs.

The task's text is a Markdown cell below a line `+++ {"task": "02.1", "role": "statement"}`.
"""

import copy
import json
import math
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from tqdm import tqdm

from sahel import checks
from sahel_teacher.nb import (
    BuildError,
    clean,
    execute,
    new_notebook,
    read_source,
    write_if_changed,
    write_text,
)

FRONT = {"set", "title", "lesson", "minutes"}
ROLES = ("statement", "given", "worked", "check")  # each once a task; `wrong` twice or more
NEEDED = {"result": str, "points": int, "minutes": int, "compare": dict, "variants": dict, "hints": list}
OPTIONS = {*NEEDED, "stub", "task", "role", "tags"}
MOST_HINTS = 3


@dataclass(frozen=True)
class Task:
    """One task of a set.

    `options` holds what the worked cell declares: `result` (the name of the variable), `points`, `minutes`,
    `compare` (`kind`: exact, number with `tolerance`, set, table with `ordered` and, if not all count, the
    `columns` that do, function with `inputs`: a list of arguments for each call), `variants` (`none` with the
    reason, or `make` with the name of a function that makes fresh data for grading), `hints` (up to three,
    each says more) and, if need be, `stub` (what the student sees in place of the worked answer; else the
    result is set to None).
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

    def run(self, code: str) -> Any:
        """Run set-up, given cell and an answer in a fresh namespace; return the result."""
        space: dict[str, Any] = {"__name__": "__main__"}
        with redirect_stdout(StringIO()):
            exec(compile("\n".join((self.setup, self.given, code)), self.number, "exec"), space)
        return space[self.options["result"]]


def build_exercises(root: Path, check: bool = False, only: list[str] | None = None) -> list[str]:
    """Build the exercise sets; return one line for each file that changed or should not be there.

    Args:
        root: the folder that holds content/en/exercises; exercises/, solutions/ and src/ are written below it.
        check: write nothing, and say what is not as its source gives.
        only: numbers of sets such as ["02"]; all where empty.

    Raises:
        BuildError: a source is not as it should be, or an answer does not earn what its role says. The
            message names the set, the task and what failed.
    """
    sources = sorted((root / "content" / "en" / "exercises").glob("??-*.md"))
    wanted = [source for source in sources if not only or source.name[:2] in only]
    changed = []
    for source in tqdm(wanted, desc="exercises", unit="set", disable=check or None):
        changed += build_set(root, source, check)
    return changed + list(_stale(root, sources))


def build_set(root: Path, source: Path, check: bool = False) -> list[str]:
    """Build one set from its source; return one line for each file that changed. Raises BuildError."""
    nb = read_source(source)
    tasks = read_tasks(nb, source.name)
    records = {task.number: make_record(task, source.name) for task in tasks}
    student, worked = version(nb, tasks, worked=False), version(nb, tasks, worked=True)
    for task in tasks:
        refuse_leak(task, student, source.name)
    built = root / "src" / "sahel" / "built"
    changed = _write_record(built / "checks" / f"{source.name[:2]}.json", records, check)
    changed += write_if_changed(root / "exercises" / f"{source.stem}.ipynb", student, check)
    target = root / "solutions" / f"{source.stem}.ipynb"
    if not check:
        target.parent.mkdir(exist_ok=True)
        worked = clean(
            execute(worked, target.parent, source.name, {"SAHEL_BUILT": str(built.resolve())}), source.name
        )
    return changed + write_if_changed(target, worked, check)


def _write_record(path: Path, records: dict[str, Any], check: bool) -> list[str]:
    text = json.dumps({"tasks": records}, indent=1, ensure_ascii=False) + "\n"
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return []
    if check:
        return [f"checks/{path.name} is not what its source gives: run course.py build"]
    write_text(path, text)
    return [f"checks/{path.name} written"]


def _stale(root: Path, sources: list[Path]) -> Iterator[str]:
    """Name built files that have no source."""
    names = {source.stem for source in sources}
    for folder in ("exercises", "solutions"):
        for path in sorted((root / folder).glob("*.ipynb")):
            if path.stem not in names:
                yield f"{folder}/{path.name} has no source in content/: delete it"
    for path in sorted((root / "src" / "sahel" / "built" / "checks").glob("*.json")):
        if path.stem not in {name[:2] for name in names}:
            yield f"checks/{path.name} has no source in content/: delete it"


# --- reading a source ------------------------------------------------------------------------------------


def read_tasks(nb: NotebookNode, name: str) -> list[Task]:
    """Return the tasks of a set in order. Raises BuildError that names the cell or task and what is wrong."""
    lacking = FRONT - set(nb.metadata.get("course", {}))
    if lacking:
        raise BuildError(f"{name}: the front matter lacks {', '.join(sorted(lacking))}")
    found: dict[str, list[NotebookNode]] = {}
    setup = ""
    for place, cell in enumerate(nb.cells, 1):
        role, task = cell.metadata.get("role"), cell.metadata.get("task")
        if role == "setup":
            setup += cell.source + "\n"
        elif role in (*ROLES, "wrong") and task:
            found.setdefault(task, []).append(cell)
        elif role or task or cell.cell_type == "code":
            raise BuildError(f"{name}, cell {place}: give it a role ({', '.join(ROLES)}, wrong) and a task")
    return [_read_task(number, cells, setup, name) for number, cells in found.items()]


def _read_task(number: str, cells: list[NotebookNode], setup: str, name: str) -> Task:
    where = f"{name}, task {number}"
    if not number.startswith(f"{name[:2]}."):
        raise BuildError(f"{where}: the number must begin with {name[:2]}.")
    texts = {role: [cell for cell in cells if cell.metadata.role == role] for role in ROLES}
    for role, those in texts.items():
        if len(those) != 1:
            raise BuildError(f"{where}: one {role} cell is needed, {len(those)} found")
    wrong = [cell for cell in cells if cell.metadata.role == "wrong"]
    if len(wrong) < 2 or not all(cell.metadata.get("hint") for cell in wrong):
        raise BuildError(f"{where}: at least two wrong answers are needed, each with a hint")
    options = texts["worked"][0].metadata
    _check_options(options, where)
    task = Task(
        number=number,
        setup=setup,
        statement=texts["statement"][0].source,
        given=texts["given"][0].source,
        worked=texts["worked"][0].source,
        check=texts["check"][0].source,
        wrong=[(cell.source, cell.metadata.hint) for cell in wrong],
        options=json.loads(json.dumps(options)),
    )
    if f'check("{number}", {task.options["result"]})' not in task.check:
        raise BuildError(f'{where}: the check cell must hold check("{number}", {task.options["result"]})')
    return task


def _check_options(options: dict[str, Any], where: str) -> None:
    for key, type_ in NEEDED.items():
        if not isinstance(options.get(key), type_):
            raise BuildError(f"{where}: the worked cell must say {key} ({type_.__name__})")
    unknown = set(options) - OPTIONS
    if unknown:
        raise BuildError(f"{where}: the worked cell has unknown options {', '.join(sorted(unknown))}")
    if len(options["hints"]) > MOST_HINTS:
        raise BuildError(f"{where}: at most {MOST_HINTS} hints")
    if set(options["variants"]) not in ({"none"}, {"make"}) or not all(options["variants"].values()):
        raise BuildError(f"{where}: variants must say `none` and why, or `make` and the name of a function")


# --- proving a task, and what `check` needs ---------------------------------------------------------------


def make_record(task: Task, name: str) -> dict[str, Any]:
    """Run every answer of a task, hold each to its role, and return what `check` needs.

    Raises:
        BuildError: an answer raises; the worked one is not right; the stub is; a wrong one is, or does not
            bring its own hint.
    """
    where = f"{name}, task {task.number}"
    value = _run(task, task.worked, f"{where}: the worked answer")
    compare = describe(value, task.options["compare"], where)
    tolerance = float(task.options["compare"].get("tolerance", 0))
    salt = f"{name}/{task.number}"
    record: dict[str, Any] = {
        "compare": compare,
        "salt": salt,
        "right": [checks.digest(form, salt)[0] for form in forms(value, compare, tolerance, where)],
        "wrong": {},
        "hints": task.options["hints"],
        "more": "make" in task.options["variants"],
    }
    wrong = [
        (_run(task, code, f"{where}: wrong answer {n}"), hint) for n, (code, hint) in enumerate(task.wrong, 1)
    ]
    for n, (answer, hint) in enumerate(wrong, 1):
        for form in forms(answer, compare, tolerance, f"{where}: wrong answer {n}"):
            tag, key = checks.digest(form, salt)
            record["wrong"].setdefault(tag, checks.mask(hint.encode("utf-8"), key).hex())
    _prove(task, record, value, wrong, where)
    return record


def _prove(task: Task, record: dict[str, Any], value: Any, wrong: list[tuple[Any, str]], where: str) -> None:
    if checks.judge(task.number, record, value).outcome != "right":
        raise BuildError(f"{where}: the worked answer does not earn right")
    if checks.judge(task.number, record, _run(task, task.stub, f"{where}: the stub")).outcome == "right":
        raise BuildError(f"{where}: the stub earns right")
    for n, (answer, hint) in enumerate(wrong, 1):
        verdict = checks.judge(task.number, record, answer)
        if verdict.outcome != "misconception" or hint not in verdict.text:
            raise BuildError(f"{where}: wrong answer {n} does not bring its own hint, but: {verdict.text}")


def _run(task: Task, code: str, what: str) -> Any:
    try:
        return task.run(code)
    except Exception as error:
        raise BuildError(f"{what} raises {type(error).__name__}: {error}") from error


def describe(value: Any, declared: dict[str, Any], where: str) -> dict[str, Any]:
    """Return how answers to a task are compared: what the source declares, with kinds read off the worked one.

    Raises:
        BuildError: the worked answer does not suit the declared kind.
    """
    kind = declared.get("kind")
    got = checks.kind_of(value)
    if kind == "exact" and got in ("whole", "text", "bool", "date", "list", "column"):
        return {"kind": kind, "is": "list" if got == "column" else got}
    if kind == "number" and got in ("whole", "number") and declared.get("tolerance", 0) > 0:
        return {"kind": kind, "width": declared["tolerance"] / 2}
    if kind == "set" and got in ("set", "list", "column"):
        return {"kind": kind, "of": _kinds(checks.items_of(value))}
    if kind == "table" and got == "table" and isinstance(declared.get("ordered"), bool):
        names = declared.get("columns", list(value.columns))
        columns = {str(name): _kinds(value[name].tolist()) for name in names}
        return {"kind": kind, "ordered": declared["ordered"], "columns": columns}
    if kind == "function" and got == "function" and declared.get("inputs"):
        returns = sorted({found for found, _ in checks.call(value, declared["inputs"])})
        return {"kind": kind, "inputs": declared["inputs"], "returns": returns}
    raise BuildError(f"{where}: compare {declared} does not suit a worked answer that is {got}")


def _kinds(items: list[Any]) -> list[str]:
    found = {checks.scalar(item)[0] for item in items}
    return sorted(found - {"missing"}) or ["missing"]


def forms(value: Any, compare: dict[str, Any], tolerance: float, where: str) -> list[str]:
    """Return every canonical form that counts as this value: one, or for a number each bucket in tolerance.

    A bucket is half a tolerance wide. So what is within tolerance always counts, wherever the edge of a
    bucket lies, and what is more than one and a half tolerances away never does.
    """
    try:
        form = checks.canonical(value, compare)
    except checks.WrongKind as wrong:
        raise BuildError(f"{where} cannot be compared with the worked one: {wrong}") from wrong
    if compare["kind"] != "number":
        return [form]
    slack = 1e-9  # what a computer's arithmetic may add or take away at an edge
    first = math.floor((float(value) - tolerance) / compare["width"] - slack)
    last = math.floor((float(value) + tolerance) / compare["width"] + slack)
    return [str(bucket) for bucket in range(first, last + 1)]


# --- the two versions ------------------------------------------------------------------------------------


def version(nb: NotebookNode, tasks: list[Task], worked: bool) -> NotebookNode:
    """Return the student's version of a set, or the worked one, with nbgrader's cell metadata."""
    by_number = {task.number: task for task in tasks}
    cells = []
    for cell in copy.deepcopy(nb.cells):
        role, task = cell.metadata.get("role"), by_number.get(cell.metadata.get("task"))
        if role == "wrong":
            continue
        if task and role == "worked" and not worked:
            cell.source = task.stub
        if task and role == "statement":
            cell.source = _with_terms(task)
        tags = cell.metadata.get("tags")
        cell.metadata = {"tags": tags} if tags else {}
        if role:
            cell.metadata["nbgrader"] = _nbgrader(role, task)
        cells.append(cell)
    return new_notebook(cells, dict(nb.metadata["course"]))


def _with_terms(task: Task) -> str:
    """Return the statement with points, minutes and the result's name below its heading."""
    heading, _, text = task.statement.partition("\n")
    points, minutes, result = (task.options[key] for key in ("points", "minutes", "result"))
    word = "point" if points == 1 else "points"
    return f"{heading}\n\n*{points} {word}, about {minutes} minutes. Name your result `{result}`.*\n{text}"


def _nbgrader(role: str, task: Task | None) -> dict[str, Any]:
    """Return nbgrader's metadata for a cell (its schema 3), so that a course can move there."""
    name = "answer" if role == "worked" else role
    made: dict[str, Any] = {
        "schema_version": 3,
        "grade_id": f"{name}-{task.number.replace('.', '-')}" if task else name,
        "grade": role == "check",
        "solution": role == "worked",
        "locked": role != "worked",
        "task": False,
    }
    return made | ({"points": task.options["points"]} if task and role == "check" else {})


def refuse_leak(task: Task, student: NotebookNode, name: str) -> None:
    """Raise BuildError where a line or the value of the worked answer stands in what students can read."""
    hints = [*task.options["hints"], *(hint for _, hint in task.wrong)]
    shown = "\n".join([*(cell.source for cell in student.cells), *hints])
    open_lines = {line.strip() for line in "\n".join((task.setup, task.given, task.stub)).splitlines()}
    for line in map(str.strip, task.worked.splitlines()):
        if len(line) >= 15 and not line.isidentifier() and line not in open_lines and line in shown:
            raise BuildError(f"{name}, task {task.number}: students can read this line of the answer: {line}")
    words = "\n".join([task.statement, *hints])
    for token in _tokens(task.run(task.worked)):
        if re.search(rf"(?<![\w.]){re.escape(token)}(?![\w.]*\w)", words):
            raise BuildError(f"{name}, task {task.number}: the text or a hint gives the answer away: {token}")


def _tokens(value: Any) -> list[str]:
    """Return how a single number or date would be written; numbers below 10 stand in any text."""
    kind, form = checks.scalar(value)
    if kind in ("whole", "number") and abs(float(value)) >= 10:
        return [str(form), f"{float(value):.1f}"]
    return [str(form)] if kind == "date" else []
