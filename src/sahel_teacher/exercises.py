"""Build exercise sets: one source gives the student's version, the worked version and what `check` needs.

What a source holds is told in `sahel_teacher.sets`. The build proves each checked task: the worked answer is
right, the stub is not, each wrong answer brings its own hint; and the same on three variants of the data, on
which a constant typed in earns nothing. Where a file that students get would show an answer, it is refused.

How an answer is found again in what a student hands in: the answer cell of task 02.1 has the nbgrader
`grade_id` "answer-02-1" in its metadata (that of the check cell is "check-02-1"), and a cell id that comes
from what the cell held when it was handed out. Editing a cell changes neither. Where both were lost on the way,
it is the cell after the given one, and the call of `check` that follows it names the task. `version` gives the
cells as they were handed out.
"""

import copy
import hashlib
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from tqdm import tqdm

from sahel import checks
from sahel.data import data_folder
from sahel_teacher.errors import BuildError
from sahel_teacher.forms import describe, forms
from sahel_teacher.nb import clean, execute, new_notebook, write_if_changed, write_text
from sahel_teacher.pages import teacher_page
from sahel_teacher.sets import ExerciseSet, Task, Written, read_set
from sahel_teacher.tables import schema_faults
from sahel_teacher.variants import changed_tables, make_variant, reading

SEEDS = (1, 2, 3)  # the variants on which a set is proved
GRADE_ID = {"worked": "answer", "written": "answer"}  # else the role itself


@dataclass(frozen=True)
class Place:
    """Where sources lie and what is built from them goes."""

    sources: Path
    out: Path  # holds exercises/, solutions/ and teaching/
    built: Path  # holds words.json and checks/, as SAHEL_BUILT names it
    data: Path

    @classmethod
    def course(cls, root: Path) -> "Place":
        """Return the places of the course itself."""
        data = root / "data" if (root / "data" / "datapackage.json").is_file() else data_folder()
        return cls(root / "content" / "en" / "exercises", root, root / "src" / "sahel" / "built", data)

    def set_files(self, only: list[str] | None = None) -> list[Path]:
        """Return the sources in order, or those whose number is in `only`."""
        return [path for path in sorted(self.sources.glob("??-*.md")) if not only or path.name[:2] in only]


def build_exercises(root: Path, check: bool = False, only: list[str] | None = None) -> list[str]:
    """Build the exercise sets; return one line for each file that changed or should not be there.

    Args:
        root: the folder that holds content/en/exercises; exercises/, solutions/, teaching/ and src/ are
            written below it.
        check: write and run nothing, and say what is not as its source gives.
        only: numbers of sets such as ["02"]; all where empty.

    Raises:
        BuildError: a source is not as it should be, or an answer does not earn what its role says. The
            message names the set, the task and what failed.
    """
    return build_place(Place.course(root), check, only)


def build_place(place: Place, check: bool = False, only: list[str] | None = None) -> list[str]:
    """Build the sets of the course or of a teacher's own folder, as `build_exercises` does."""
    changed = []
    for source in tqdm(place.set_files(only), desc="exercises", unit="set", disable=check or None):
        changed += build_set(place, source, check)
    return changed + list(_stale(place))


def build_set(place: Place, source: Path, check: bool = False) -> list[str]:
    """Build one set from its source; return one line for each file that changed. Raises BuildError."""
    made = read_set(source, place.data)
    student, worked = version(made, worked=False), version(made, worked=True)
    record = place.built / "checks" / f"{made.number}.json"
    page = place.out / "teaching" / f"{made.number}-exercises.md"
    if check:
        changed = [] if _sealed(record, made) else [_drift(record)]
        if not page.is_file() or page.read_text(encoding="utf-8") != teacher_page(made):
            changed.append(_drift(page))
    else:
        records = prove(made, student)
        text = json.dumps({"seal": _seal(made, records), "tasks": records}, indent=1, ensure_ascii=False)
        changed = _write(record, text + "\n") + _write(page, teacher_page(made))
    changed += write_if_changed(place.out / "exercises" / f"{source.stem}.ipynb", student, check)
    target = place.out / "solutions" / f"{source.stem}.ipynb"
    if not check:
        target.parent.mkdir(exist_ok=True)
        env = {"SAHEL_BUILT": str(place.built.resolve()), "SAHEL_DATA": str(place.data.resolve())}
        worked = clean(execute(worked, target.parent, source.name, env), source.name)
    return changed + write_if_changed(target, worked, check)


def _write(path: Path, text: str) -> list[str]:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return []
    write_text(path, text)
    return [f"{path.parent.name}/{path.name} written"]


def _drift(path: Path) -> str:
    return f"{path.parent.name}/{path.name} is not what its source gives: run course.py build"


def _seal(made: ExerciseSet, records: dict[str, Any]) -> str:
    """Return a hash of a set's source, the tables it names and what came of them: if it fits, nothing moved."""
    text = made.source.read_text(encoding="utf-8")
    package = json.loads((made.data / "datapackage.json").read_text(encoding="utf-8"))
    used = [r["hash"] for r in package["resources"] if re.search(rf"\b{re.escape(r['name'])}\b", text)]
    return hashlib.sha256(json.dumps([text, used, records]).encode("utf-8")).hexdigest()


def _sealed(record: Path, made: ExerciseSet) -> bool:
    """Say whether what `check` needs was built from this source and these tables, and not edited since."""
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
        return bool(found["seal"] == _seal(made, found["tasks"]))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _stale(place: Place) -> Iterator[str]:
    """Name built files that have no source."""
    names = {source.stem for source in place.set_files()}
    numbers = {name[:2] for name in names}
    for folder in ("exercises", "solutions"):
        for path in sorted((place.out / folder).glob("*.ipynb")):
            if path.stem not in names:
                yield f"{folder}/{path.name} has no source in content/: delete it"
    pages = sorted((place.out / "teaching").glob("??-exercises.md"))
    for path in [*sorted((place.built / "checks").glob("*.json")), *pages]:
        if path.name[:2] not in numbers:
            yield f"{path.parent.name}/{path.name} has no source in content/: delete it"


# --- proving a set, and what `check` needs ----------------------------------------------------------------


@dataclass(frozen=True)
class Expected:
    """What the worked answer gives on some data: how answers are compared, its form, and all that count."""

    value: Any
    compare: dict[str, Any]
    form: str
    accepted: list[str]


def prove(made: ExerciseSet, student: NotebookNode) -> dict[str, Any]:
    """Hold a set to all it promises; return what `check` needs for each task, by number.

    Raises:
        BuildError: an answer does not earn what its role says, on the course's data or a variant; a variant
            breaks the tables; what students get shows an answer.
    """
    records = {}
    for task in made.tasks:
        where = f"{made.source.name}, task {task.number}"
        with reading(made.data):
            expected = expect(task, where)
            records[task.number] = make_record(task, expected, where)
        refuse_leak(task, expected.value, student, where)
        prove_variants(task, expected, made.data, where)
    for written in made.written:
        refuse_anchor(written, student, f"{made.source.name}, task {written.number}")
        records[written.number] = {"only": "by_hand", "hints": written.options["hints"]}
    return records


def run(task: Task, code: str, what: str) -> Any:
    """Run set-up, given cell and an answer in a fresh namespace; return the result.

    Raises:
        BuildError: the code raises, or leaves no result; the message begins with `what`.
    """
    space: dict[str, Any] = {"__name__": "__main__"}
    try:
        with redirect_stdout(StringIO()):
            exec(compile("\n".join((task.setup, task.given, code)), task.number, "exec"), space)
        return space[task.options["result"]]
    except Exception as error:
        raise BuildError(f"{what} raises {type(error).__name__}: {error}") from error


def expect(task: Task, where: str, compare: dict[str, Any] | None = None) -> Expected:
    """Run the worked answer on the data that `load` reads now, and say what counts as right there.

    Args:
        task: the task.
        where: how a fault begins.
        compare: how answers are compared, as found on the course's data; made from the answer where None.

    Raises:
        BuildError: the answer raises, or does not suit the way of comparing.
    """
    value = run(task, task.worked, f"{where}: the worked answer")
    declared = task.options["compare"]
    compare = compare or describe(value, declared, where)
    accepted = forms(value, compare, float(declared.get("tolerance", 0)), f"{where}: the worked answer")
    return Expected(value, compare, checks.canonical(value, compare), accepted)


def make_record(task: Task, expected: Expected, where: str) -> dict[str, Any]:
    """Run every answer of a task, hold each to its role, and return what `check` needs.

    Raises:
        BuildError: an answer raises; the worked one is not right; the stub is; a wrong one is, or does not
            bring its own hint.
    """
    compare, tolerance = expected.compare, float(task.options["compare"].get("tolerance", 0))
    salt = f"{where.partition(',')[0]}/{task.number}"
    record: dict[str, Any] = {
        "compare": compare,
        "salt": salt,
        "right": [checks.digest(form, salt)[0] for form in expected.accepted],
        "wrong": {},
        "hints": task.options["hints"],
        "more": bool(task.recipe),
    }
    wrong = [
        (run(task, code, f"{where}: wrong answer {n}"), hint) for n, (code, hint) in enumerate(task.wrong, 1)
    ]
    for n, (answer, hint) in enumerate(wrong, 1):
        for form in forms(answer, compare, tolerance, f"{where}: wrong answer {n}"):
            tag, key = checks.digest(form, salt)
            record["wrong"].setdefault(tag, checks.mask(hint.encode("utf-8"), key).hex())
    _prove(task, record, expected.value, wrong, where)
    return record


def _prove(task: Task, record: dict[str, Any], value: Any, wrong: list[tuple[Any, str]], where: str) -> None:
    if checks.judge(task.number, record, value).outcome != "right":
        raise BuildError(f"{where}: the worked answer does not earn right")
    if checks.judge(task.number, record, run(task, task.stub, f"{where}: the stub")).outcome == "right":
        raise BuildError(f"{where}: the stub earns right")
    for n, (answer, hint) in enumerate(wrong, 1):
        verdict = checks.judge(task.number, record, answer)
        if verdict.outcome != "misconception" or hint not in verdict.text:
            raise BuildError(f"{where}: wrong answer {n} does not bring its own hint, but: {verdict.text}")


def prove_variants(task: Task, course: Expected, data: Path, where: str) -> None:
    """Hold a task to its promises on the variants of three seeds; nothing to do where it allows none.

    Args:
        task: the task.
        course: what its worked answer gives on the course's data.
        data: the course's data.
        where: how a fault begins.

    Raises:
        BuildError: a variant breaks the tables; the worked answer fails there, or is the course's on two of
            three; a wrong answer is right on all of them.
    """
    if not task.recipe:
        return
    same, always_right = 0, set(range(1, len(task.wrong) + 1))
    for seed in SEEDS:
        here = f"{where}, variant {seed}"
        with tempfile.TemporaryDirectory() as folder, _variant(data, task, seed, Path(folder), here):
            there = expect(task, here, course.compare)
            stub = _form(task, task.stub, course.compare)
            if stub in there.accepted:
                raise BuildError(f"{here}: the stub earns right")
            same += course.form in there.accepted
            always_right = {
                n for n in always_right if _form(task, task.wrong[n - 1][0], course.compare) in there.accepted
            }
    if same > 1:
        raise BuildError(f"{where}: on {same} of {len(SEEDS)} variants the answer is the course's own")
    if always_right:
        raise BuildError(f"{where}: wrong answer {min(always_right)} is right on every variant")


def _variant(data: Path, task: Task, seed: int, folder: Path, here: str) -> Any:
    """Make a variant; return a context in which `load` reads it.

    The first is held to all rules of the tables (half a second); that every seed keeps them is proved in
    tests/test_variants.py.
    """
    target = folder / "data"
    try:
        make_variant(data, task.recipe, seed, target)
    except BuildError as error:
        raise BuildError(f"{here}: {error}") from error
    faults = schema_faults(target, changed_tables(data, target)) if seed == SEEDS[0] else []
    if faults:
        raise BuildError(f"{here} breaks the tables: {faults[0]}")
    return reading(target)


def _form(task: Task, code: str, compare: dict[str, Any]) -> str | None:
    """Return the form of an answer; None where it raises or cannot be compared."""
    try:
        return checks.canonical(run(task, code, "an answer"), compare)
    except (BuildError, checks.WrongKind):
        return None


# --- the two versions ------------------------------------------------------------------------------------


def version(made: ExerciseSet, worked: bool) -> NotebookNode:
    """Return the student's version of a set, or the worked one, with nbgrader's cell metadata."""
    tasks = {task.number: task for task in made.all_tasks}
    cells = []
    for cell in copy.deepcopy(made.nb.cells):
        role, task = cell.metadata.get("role"), tasks.get(cell.metadata.get("task"))
        if role in ("wrong", "anchor"):
            continue
        if isinstance(task, Task) and role == "worked" and not worked:
            cell.source = task.stub
        if isinstance(task, Written) and role == "written" and worked:
            cell.source = _models(task)
        if task and role == "statement":
            cell.source = _with_terms(task)
        tags = cell.metadata.get("tags")
        cell.metadata = {"tags": tags} if tags else {}
        if role:
            cell.metadata["nbgrader"] = _nbgrader(role, task)
        cells.append(cell)
    return new_notebook(cells, made.front)


def _with_terms(task: Task | Written) -> str:
    """Return the statement with points, minutes and how to hand in below its heading."""
    heading, _, text = task.statement.partition("\n")
    points, minutes = task.options["points"], task.options["minutes"]
    word = "point" if points == 1 else "points"
    how = (
        f"Name your result `{task.options['result']}`."
        if isinstance(task, Task)
        else "Graded by a person, by the table below."
    )
    return f"{heading}\n\n*{points} {word}, about {minutes} minutes. {how}*\n{text}"


def _models(task: Written) -> str:
    """Return what stands in the answer cell of the worked version: the three anchors, marked as ours."""
    parts = ["*Three model answers of ours, for this table. The second and the third are weak on purpose.*"]
    parts += [
        f"**{anchor.points} of {task.options['points']} points**\n\n{anchor.text}" for anchor in task.anchors
    ]
    return "\n\n".join(parts)


def _nbgrader(role: str, task: Task | Written | None) -> dict[str, Any]:
    """Return nbgrader's metadata for a cell (its schema 3), so that a course can move there."""
    name = GRADE_ID.get(role, role)
    graded = role in ("check", "written")
    made: dict[str, Any] = {
        "schema_version": 3,
        "grade_id": f"{name}-{task.number.replace('.', '-')}" if task else name,
        "grade": graded,
        "solution": role in GRADE_ID,
        "locked": role not in GRADE_ID,
        "task": False,
    }
    return made | ({"points": task.options["points"]} if task and graded else {})


# --- leaks -----------------------------------------------------------------------------------------------


def refuse_leak(task: Task, value: Any, student: NotebookNode, where: str) -> None:
    """Raise BuildError where a line or the value of the worked answer stands in what students can read."""
    hints = [*task.options["hints"], *(hint for _, hint in task.wrong)]
    shown = "\n".join([*(cell.source for cell in student.cells), *hints])
    for line in secret_lines(task):
        if line in shown:
            raise BuildError(f"{where}: students can read this line of the answer: {line}")
    words = "\n".join([task.statement, *hints])
    for token in tokens(value):
        if re.search(rf"(?<![\w.]){re.escape(token)}(?![\w.]*\w)", words):
            raise BuildError(f"{where}: the text or a hint gives the answer away: {token}")


def refuse_anchor(task: Written, student: NotebookNode, where: str) -> None:
    """Raise BuildError where a line of a model answer stands in what students can read."""
    shown = "\n".join([*(cell.source for cell in student.cells), *task.options["hints"]])
    for anchor in task.anchors:
        for line in anchor.text.splitlines():
            if len(line.strip()) >= 15 and line.strip() in shown:
                raise BuildError(f"{where}: students can read this line of a model answer: {line.strip()}")


def secret_lines(task: Task) -> list[str]:
    """Return the lines of the worked answer that students must not read."""
    shown = {line.strip() for line in "\n".join((task.setup, task.given, task.stub)).splitlines()}
    lines = map(str.strip, task.worked.splitlines())
    return [line for line in lines if len(line) >= 15 and not line.isidentifier() and line not in shown]


def tokens(value: Any) -> list[str]:
    """Return how a single number or date would be written; numbers below 10 stand in any text."""
    kind, form = checks.scalar(value)
    if kind in ("whole", "number") and abs(float(value)) >= 10:
        return [str(form), f"{float(value):.1f}"]
    return [str(form)] if kind == "date" else []
