"""Exercise sets: one source gives both versions and the check, and an answer that breaks its promise is refused."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest
import yaml

from sahel import load
from sahel_teacher.exercises import build_exercises, make_record, read_tasks, version
from sahel_teacher.nb import BuildError, clean, execute, new_notebook, read_source, write_if_changed

COURSE = Path(__file__).resolve().parents[1]
SETS = sorted((COURSE / "content" / "en" / "exercises").glob("??-*.md"))
SOURCE = "content/en/exercises/99-made-up.md"


def made_up(root):
    """Put the made-up set and the real words below an empty folder."""
    shutil.copytree(COURSE / "tests" / "exercise_set", root, dirs_exist_ok=True)
    words = yaml.safe_load((COURSE / "content" / "en" / "words.yaml").read_text(encoding="utf-8"))
    (root / "src" / "sahel" / "built").mkdir(parents=True)
    (root / "src" / "sahel" / "built" / "words.json").write_text(json.dumps(words), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The made-up set, built."""
    root = made_up(tmp_path_factory.mktemp("course"))
    assert len(build_exercises(root)) == 3
    return root


@pytest.fixture
def changed(tmp_path):
    """Change the source of the made-up set; return what the build says to it."""
    root = made_up(tmp_path)

    def run(old, new):
        text = (root / SOURCE).read_text(encoding="utf-8")
        assert old in text
        (root / SOURCE).write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(BuildError) as error:
            build_exercises(root)
        assert not (root / "exercises").exists(), "a set with a fault must not be built"
        return str(error.value)

    return run


def test_what_is_built_shows_no_drift_until_somebody_edits_it(built, tmp_path):
    root = shutil.copytree(built, tmp_path / "copy")
    assert build_exercises(root, check=True) == []
    (root / "exercises" / "00-old.ipynb").write_text("{}", encoding="utf-8")
    path = root / "exercises" / "99-made-up.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("How many boxes", "How many"), encoding="utf-8")
    assert build_exercises(root, check=True) == [
        "exercises/99-made-up.ipynb is not what its source gives: run course.py build",
        "exercises/00-old.ipynb has no source in content/: delete it",
    ]
    assert build_exercises(root, check=True, only=["01"]) == [
        "exercises/00-old.ipynb has no source in content/: delete it"
    ]


def test_every_worked_answer_earns_right_in_the_executed_version(built):
    worked = nbformat.read(built / "solutions" / "99-made-up.ipynb", as_version=4)
    said = [cell.outputs[0].text for cell in worked.cells if cell.source.startswith("check(")]
    assert [line.split(".")[1] for line in said] == [f"{n}: right" for n in range(1, 6)]


def test_the_students_version_runs_top_to_bottom_and_nothing_is_right_yet(built):
    student = nbformat.read(built / "exercises" / "99-made-up.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in student.cells)
    ran = execute(student, built, "student", {"SAHEL_BUILT": str(built / "src" / "sahel" / "built")})
    said = [cell.outputs[0].text for cell in ran.cells if cell.source.startswith("check(")]
    assert len(said) == 5
    assert all("not yet" in line for line in said)


def test_nothing_that_students_get_holds_the_answer(built):
    text = (built / "exercises" / "99-made-up.ipynb").read_text(encoding="utf-8")
    for secret in ("count()", "mean()", "sort_values", "factor * number", "middle one", "tolerance", "hint"):
        assert secret not in text


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('how_many = boxes["box"].count()', "how_many = nobody", "99.1: the worked answer raises NameError"),
        ("how_many = len(boxes) - 1", "how_many = nobody", "99.1: wrong answer 2 raises NameError"),
        (
            "how_many = len(boxes) - 1",
            "how_many = len(boxes)",
            "99.1: wrong answer 2 does not bring its own hint",
        ),
        ("how_many = len(boxes) - 1", "how_many = 13.0", "wrong answer 2 does not bring its own hint, but"),
        ("how_many = len(boxes) - 1", "how_many = 'two'", "wrong answer 2 cannot be compared"),
        ("      return None", "      return 2 * number", "99.5: the stub earns right"),
        ("      return None", "      return None\n  1 / 0", "99.5: the stub raises ZeroDivisionError"),
        (
            "This is the middle one.",
            "Not 20.2 but the middle.",
            "99.2: the text or a hint gives the answer away",
        ),
        (
            "What do they weigh",
            'average = boxes["weight"].mean()',
            "students can read this line of the answer",
        ),
        (":role: wrong", ":role: given", "99.1: one given cell is needed, 2 found"),
        (
            ":hint: Counting starts at one.",
            "",
            "99.1: at least two wrong answers are needed, each with a hint",
        ),
        ("points: 1", "ponits: 1", "99.1: the worked cell must say points"),
        ("points: 1", "points: 1\nponits: 1", "99.1: the worked cell has unknown options ponits"),
        ("{make: more_boxes}", "{none: ''}", "99.1: variants must say"),
        ("{kind: exact}", "{kind: table}", "99.1: compare {'kind': 'table'} does not suit"),
        ("tolerance: 0.1", "tolerance: 0", "99.2: compare"),
        ('check("99.1", how_many)', 'check("99.2", how_many)', '99.1: the check cell must hold check("99.1"'),
        (":role: setup", ":tags: [x]", "cell 2: give it a role"),
        ("minutes: 5", "", "the front matter lacks minutes"),
    ],
)
def test_a_set_that_breaks_its_promise_is_refused_by_name(changed, old, new, words):
    message = changed(old, new)
    assert message.startswith("99-made-up.md")
    assert words in message


@pytest.mark.parametrize("source", SETS, ids=lambda path: path.stem)
def test_every_set_of_the_course_keeps_its_promises(source):
    nb = read_source(source)
    tasks = read_tasks(nb, source.name)
    assert len(tasks) >= 3
    for task in tasks:
        assert make_record(task, source.name)["right"]
    grader = [
        cell.metadata.nbgrader
        for cell in version(nb, tasks, worked=False).cells
        if "nbgrader" in cell.metadata
    ]
    assert len({cell["grade_id"] for cell in grader}) == len(grader)
    assert sum(cell.get("points", 0) for cell in grader) == sum(task.options["points"] for task in tasks)
    assert int(nb.metadata.course["minutes"]) == sum(task.options["minutes"] for task in tasks)


def test_the_days_given_in_the_set_for_lesson_02_are_those_of_the_timeline():
    source = next(path for path in SETS if path.name.startswith("02-"))
    events = load("events").set_index("event_id")
    given = " ".join(task.given for task in read_tasks(read_source(source), source.name))
    for event, name in (("E095", "coup"), ("E198", "complete")):
        row = events.loc[event]
        assert row["earliest"] == row["latest"]
        assert f'{name} = pd.Timestamp("{row["earliest"].date()}")' in given


# --- notebooks -------------------------------------------------------------------------------------------


def test_an_inserted_cell_changes_no_other_id():
    cells = [nbformat.v4.new_code_cell(source) for source in ("a = 1", "b = 1", "a = 1")]
    before = [cell.id for cell in new_notebook(cells, {}).cells]
    after = [cell.id for cell in new_notebook([nbformat.v4.new_markdown_cell("New"), *cells], {}).cells]
    assert after[1:] == before
    assert len(set(after)) == 4


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1 / 0", "made-up, cell 2 raises ZeroDivisionError: division by zero"),
        ("import warnings; warnings.warn('old')", "made-up, cell 2 writes to stderr"),
        ("object()", "made-up, cell 2 shows a memory address"),
    ],
)
def test_a_cell_that_fails_warns_or_shows_an_address_is_named(tmp_path, code, words):
    cells = [nbformat.v4.new_markdown_cell("Made up"), nbformat.v4.new_code_cell(code)]
    with pytest.raises(BuildError, match=words):
        clean(execute(new_notebook(cells, {}), tmp_path, "made-up"), "made-up")


def test_only_pictures_may_differ_without_a_new_file(tmp_path):
    def notebook(text, png):
        cell = nbformat.v4.new_code_cell("draw()", id="draw")
        data = {"text/plain": text, "image/png": png}
        cell.outputs = [nbformat.v4.new_output("display_data", data)]
        return nbformat.v4.new_notebook(cells=[cell])

    path = tmp_path / "notebooks" / "99.ipynb"
    assert write_if_changed(path, notebook("one", "AAAA")) == ["notebooks/99.ipynb written"]
    assert write_if_changed(path, notebook("one", "BBBB")) == []
    assert write_if_changed(path, notebook("two", "BBBB"), check=True) == []
    assert write_if_changed(path, notebook("two", "BBBB")) == ["notebooks/99.ipynb written"]
