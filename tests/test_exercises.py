"""Exercise sets: one source gives both versions and the check, and an answer that breaks its promise is refused."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest
import yaml

from sahel import load
from sahel_teacher.errors import BuildError
from sahel_teacher.exercises import build_exercises, prove, version
from sahel_teacher.nb import clean, execute, new_notebook, write_if_changed
from sahel_teacher.sets import read_set

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
    assert len(build_exercises(root)) == 4
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
    assert [line.split(".")[1] for line in said] == [f"{n}: right" for n in range(1, 7)]


def test_the_students_version_runs_top_to_bottom_and_nothing_is_right_yet(built):
    student = nbformat.read(built / "exercises" / "99-made-up.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in student.cells)
    env = {"SAHEL_BUILT": str(built / "src" / "sahel" / "built"), "SAHEL_DATA": str(built / "data")}
    ran = execute(student, built, "student", env)
    said = [cell.outputs[0].text for cell in ran.cells if cell.source.startswith("check(")]
    assert len(said) == 6
    assert all("not yet" in line for line in said)


def test_nothing_that_students_get_holds_the_answer(built):
    text = (built / "exercises" / "99-made-up.ipynb").read_text(encoding="utf-8")
    for secret in ("count()", "mean()", "sort_values", "factor * number", "middle one", "tolerance", "hint"):
        assert secret not in text
    for secret in ("shows its colour", "somebody likes it", "boxes are nice", "anchor", "drop", "scale"):
        assert secret not in text


def test_a_written_task_shows_its_rubric_to_students_and_its_models_in_the_worked_version_only(built):
    student, worked = (
        nbformat.read(built / folder / "99-made-up.ipynb", as_version=4)
        for folder in ("exercises", "solutions")
    )
    text = "\n".join(cell.source for cell in student.cells)
    assert "*3 points, about 2 minutes. Graded by a person, by the table below.*" in text
    assert "| A reason is given | none | one | one that rests on the table |" in text
    answers = [
        next(cell for cell in nb.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "answer-99-7")
        for nb in (student, worked)
    ]
    assert answers[0].source == "*Write your answer here, in place of this line.*"
    for words in ("model answers of ours", "weak on purpose", "**3 of 3 points**", "**0 of 3 points**"):
        assert words in answers[1].source
    grader = answers[0].metadata.nbgrader
    assert (grader.grade, grader.solution, grader.locked, grader.points) == (True, True, False, 3)


def test_the_teachers_page_holds_tasks_hints_wrong_answers_rubrics_and_models(built):
    page = (built / "teaching" / "99-exercises.md").read_text(encoding="utf-8")
    assert "7 tasks, 10 points, about 8 minutes" in page
    for words in (
        "| 99.6 | Weigh on other data | 2 | 1 | on fresh data too |",
        "1. Count the rows.",
        "by hand",
    ):
        assert words in page
    for words in ("how_many = len(boxes) - 1", "> Counting starts at one.", "> Some boxes are nice."):
        assert words in page


def test_every_answer_cell_bears_its_task_in_its_metadata_and_stands_between_given_and_check(built):
    made = read_set(built / SOURCE, built / "data")
    cells = nbformat.read(built / "exercises" / "99-made-up.ipynb", as_version=4).cells
    names = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in cells]
    for task in made.tasks:
        place = names.index(f"answer-{task.number.replace('.', '-')}")
        assert cells[place].source == task.stub
        assert cells[place - 1].source == task.given
        assert cells[place + 1].source == f'check("{task.number}", {task.options["result"]})'
    assert len({cell.id for cell in cells}) == len(cells)


def test_a_check_for_drift_runs_nothing_and_sees_a_table_and_a_digest_that_moved(
    built, tmp_path, monkeypatch
):
    root = shutil.copytree(built, tmp_path / "copy")
    monkeypatch.setattr("sahel_teacher.exercises.run", lambda *_: pytest.fail("a task was run"))
    assert build_exercises(root, check=True) == []
    record = root / "src" / "sahel" / "built" / "checks" / "99.json"
    text = record.read_text(encoding="utf-8")
    record.write_text(text.replace('"by_hand"', '"when_graded"'), encoding="utf-8")
    drift = ["checks/99.json is not what its source gives: run course.py build"]
    assert build_exercises(root, check=True) == drift
    record.write_text(text, encoding="utf-8")
    package = root / "data" / "datapackage.json"
    package.write_text(package.read_text("utf-8").replace("sha256:", "sha256:0"), encoding="utf-8")
    assert build_exercises(root, check=True) == drift


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
        ("points: 1", "", "99.1: the worked cell must say points"),
        ("points: 1", "points: 1\nponits: 1", "99.1: the worked cell has unknown options ponits"),
        ("{none: made up}", "{none: ''}", "99.1: variants must say"),
        ("{none: made up}", "{make: more_boxes}", "99.1: a recipe is a list of steps"),
        (
            "table: boxes, drop",
            "table: crates, drop",
            "99.6: the step {'table': 'crates', 'drop': 0.2} names",
        ),
        ("scale: [weight]", "scale: [colour]", "scale needs columns of type integer or number, not string"),
        (
            "[{table: boxes, drop: 0.2}, {table: boxes, scale: [weight], by: 0.5}]",
            "[{table: labels, permute: [text]}]",
            "99.6: on 3 of 3 variants the answer is the course's own",
        ),
        (
            'red_weight = len(boxes[boxes["colour"] == "red"])',
            'red_weight = boxes[boxes["colour"] == "red"]["weight"].sum() + (len(boxes) == 40)',
            "99.6: wrong answer 2 is right on every variant",
        ),
        (
            '"red"]["weight"].sum()',
            '"red"]["weight"].sum() + (1 / (len(boxes) == 40) if len(boxes) == 40 else boxes["none"])',
            "99.6, variant 1: the worked answer raises KeyError",
        ),
        ("| A box is named | no | yes | |", "| A box is named | no | yes | yes |", "adds up to 4 points"),
        (
            '"level": "part"',
            '"level": "full"',
            "99.7: one anchor of each level is needed: full, part, little",
        ),
        ('"level": "full", "points": 3', '"level": "full", "points": 2', "99.7: anchors earn 3 (full)"),
        ('"role": "rubric"', '"role": "statement"', "99.7: one statement cell is needed, 2 found"),
        (
            "Say in two sentences",
            "Box b02, because somebody likes it. (Synthetic.)",
            "line of a model answer",
        ),
        (
            '+++ {"task": "99.7", "role": "rubric"}',
            '```{code-cell}\n:task: "99.7"\n:role: check\n\n1\n```\n\n+++ {"task": "99.7", "role": "rubric"}',
            "99.7: a written task has no code, no check",
        ),
        ("minutes: 8", "minutes: 9", "the front matter says 9 minutes, and the tasks need 8"),
        ("{kind: exact}", "{kind: table}", "99.1: compare {'kind': 'table'} does not suit"),
        ("tolerance: 0.1", "tolerance: 0", "99.2: compare"),
        ('check("99.1", how_many)', 'check("99.2", how_many)', '99.1: the check cell must hold check("99.1"'),
        (":role: setup", ":tags: [x]", "cell 2: give it a role"),
        ("minutes: 8", "", "the front matter lacks minutes"),
    ],
)
def test_a_set_that_breaks_its_promise_is_refused_by_name(changed, old, new, words):
    message = changed(old, new)
    assert message.startswith("99-made-up.md")
    assert words in message


@pytest.mark.parametrize("source", SETS, ids=lambda path: path.stem)
def test_every_set_of_the_course_keeps_its_promises(source):
    made = read_set(source)
    assert len(made.tasks) >= 3
    student = version(made, worked=False)
    assert set(prove(made, student)) == {task.number for task in made.all_tasks}
    grader = [cell.metadata.nbgrader for cell in student.cells if "nbgrader" in cell.metadata]
    assert len({cell["grade_id"] for cell in grader}) == len(grader)
    assert sum(cell.get("points", 0) for cell in grader) == sum(t.options["points"] for t in made.all_tasks)


def test_the_days_given_in_the_set_for_lesson_02_are_those_of_the_timeline():
    source = next(path for path in SETS if path.name.startswith("02-"))
    events = load("events").set_index("event_id")
    given = " ".join(task.given for task in read_set(source).tasks)
    for event, name in (("E095", "coup"), ("E162", "last_french")):
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
