"""nbgrader, the real one: it makes a release from two sets and grades what students hand in.

The worked version is what nbgrader calls the source. It takes every answer out itself (its own stub stands in
its place, code and text), so what it hands out differs from exercises/NN in these cells alone.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

from sahel_teacher.exercises import prove, version
from sahel_teacher.sets import read_set

COURSE = Path(__file__).resolve().parents[1]
MADE_UP = COURSE / "tests" / "exercise_set"
# The shortest set of the course: any will do.
SHORT = min((COURSE / "content" / "en" / "exercises").glob("??-*.md"), key=lambda path: path.stat().st_size)
SETS = {
    "made up": read_set(next((MADE_UP / "content" / "en" / "exercises").glob("*.md")), MADE_UP / "data"),
    "course": read_set(SHORT),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Release two sets, let two students hand in; return the released texts and the marks of each cell."""
    folder = tmp_path_factory.mktemp("nbgrader")
    records = shutil.copytree(COURSE / "src" / "sahel" / "built", folder / "built") / "checks"
    handed_in = {}
    for made in SETS.values():
        untouched, worked = version(made, worked=False), version(made, worked=True)
        if made is SETS["made up"]:  # that of the course is built
            text = json.dumps({"tasks": prove(made, untouched)})
            (records / f"{made.number}.json").write_text(text, encoding="utf-8")
        handed_in[made.source.stem] = {"worked": worked, "untouched": untouched}
    package = json.loads((COURSE / "data" / "datapackage.json").read_text("utf-8"))
    synthetic = json.loads((MADE_UP / "data" / "datapackage.json").read_text("utf-8"))
    data = shutil.copytree(COURSE / "data", folder / "data")
    shutil.copytree(MADE_UP / "data", data, dirs_exist_ok=True)  # both sets load from one folder
    package["resources"] += synthetic["resources"]
    (data / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAHEL_BUILT", str(folder / "built"))
        patch.setenv("SAHEL_DATA", str(data))
        patch.setenv("PATH", str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"])  # alembic
        patch.chdir(folder)
        return run_nbgrader(folder, handed_in)


def run_nbgrader(folder, handed_in):
    """The course of nbgrader in a folder: source, release, submitted, autograded."""
    config = Config()
    config.CourseDirectory.root = str(folder)
    config.CourseDirectory.db_url = f"sqlite:///{folder / 'gradebook.db'}"
    api = NbGraderAPI(config=config)
    put({name: versions["worked"] for name, versions in handed_in.items()}, folder / "source" / "both")
    assert api.generate_assignment("both")["success"]
    released = {
        name: nbformat.read(folder / "release" / "both" / f"{name}.ipynb", as_version=4) for name in handed_in
    }
    # One hands in the course's own stubs, for the other set nbgrader's: neither may earn anything.
    first = SETS["made up"].source.stem
    untouched = {name: versions["untouched"] for name, versions in handed_in.items()}
    for student, notebooks in {
        "worked": {name: versions["worked"] for name, versions in handed_in.items()},
        "untouched": {**untouched, first: released[first]},
    }.items():
        put(notebooks, folder / "submitted" / student / "both")
        done = api.autograde("both", student)
        assert done["success"], done["log"]
    with Gradebook(config.CourseDirectory.db_url) as book:
        marks = {
            (student, grade.cell.name): (grade.auto_score, grade.max_score, grade.needs_manual_grade)
            for student in ("worked", "untouched")
            for name in handed_in
            for grade in book.find_submission_notebook(name, "both", student).grades
        }
    return {name: "\n".join(cell.source for cell in nb.cells) for name, nb in released.items()}, marks


def put(notebooks, folder):
    folder.mkdir(parents=True)
    for name, nb in notebooks.items():
        nbformat.write(nb, folder / f"{name}.ipynb")


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
@pytest.mark.parametrize("which", SETS)
def test_nbgrader_grades_the_worked_version_full_and_an_untouched_one_nothing(graded, which):
    made, (_, marks) = SETS[which], graded
    for task in made.tasks:
        name, points = f"check-{task.number.replace('.', '-')}", task.options["points"]
        assert marks["worked", name] == (points, points, False), task.number
        assert marks["untouched", name] == (0, points, False), task.number
    for task in made.written:
        name, points = f"answer-{task.number.replace('.', '-')}", task.options["points"]
        assert marks["worked", name] == (None, points, True), "a written answer waits for a person"
        assert marks["untouched", name][1:] == (points, which == "course"), "nbgrader knows its own stub"


@pytest.mark.parametrize("which", SETS)
def test_what_nbgrader_releases_holds_no_answer_and_no_model(graded, which):
    made, (released, _) = SETS[which], graded
    text = released[made.source.stem]
    assert text.count("raise NotImplementedError()") == len(made.tasks)
    assert text.count("YOUR ANSWER HERE") == len(made.written)
    for anchor in (anchor for task in made.written for anchor in task.anchors):
        assert anchor.text.splitlines()[0] not in text
