"""What a teacher hands out: all that a student needs, and no answer; a set of one's own comes along."""

import json
import re
import shutil
import subprocess
import sys
import time
import zipfile

import nbformat
import pytest

from sahel import checks
from sahel_teacher.errors import BuildError
from sahel_teacher.exercises import run, secret_lines, tokens
from sahel_teacher.nb import execute
from sahel_teacher.release import FILES, FOLDERS, NAME, build_own, bundle, release
from sahel_teacher.sets import read_set
from sahel_teacher.skeletons import new_set
from sahel_teacher.variants import reading


@pytest.fixture(scope="module")
def course_copy(root, tmp_path_factory):
    """The course's folder as far as a release needs it, so that nothing is written into the real one."""
    copy = tmp_path_factory.mktemp("course")
    for name in FILES:
        shutil.copyfile(root / name, copy / name)
    for name in (*FOLDERS, "content", "solutions", "teaching"):
        shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(scope="module")
def own(course_copy, tmp_path_factory):
    """A teacher's own folder with one set, as new-set makes it."""
    folder = tmp_path_factory.mktemp("teacher") / "my sets"
    new_set(course_copy, folder, "P1-my-questions", 'Look at "counts"')
    return folder


@pytest.fixture(scope="module")
def handed_out(course_copy, own, tmp_path_factory):
    """The ZIP as a student gets it, with the teacher's set; the folder in which it lies."""
    out = tmp_path_factory.mktemp("out")
    release(course_copy, out, own)
    return out


@pytest.fixture(scope="module")
def unpacked(handed_out, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    with zipfile.ZipFile(handed_out / f"{NAME}.zip") as archive:
        archive.extractall(folder)
    return folder / NAME


@pytest.fixture(scope="module")
def texts(unpacked):
    """All that can be read in the bundle: text files, and of notebooks what stands in cells and outputs."""
    return {
        path.relative_to(unpacked).as_posix(): readable(path)
        for path in unpacked.rglob("*")
        if path.is_file() and path.suffix not in (".png",)
    }


def readable(path):
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    nb = nbformat.read(path, as_version=4)
    shown = [cell.source for cell in nb.cells]
    for output in (output for cell in nb.cells for output in cell.get("outputs", [])):
        values = [output.get("text", ""), *(v for k, v in output.get("data", {}).items() if "text" in k)]
        shown += [re.sub(r"base64,[A-Za-z0-9+/=]+", "", str(value)) for value in values]
    return "\n".join([*shown, json.dumps(nb.metadata), *(json.dumps(cell.metadata) for cell in nb.cells)])


@pytest.fixture(scope="module")
def sets(course_copy, own):
    sources = sorted((course_copy / "content" / "en" / "exercises").glob("??-*.md"))
    return [read_set(source, course_copy / "data") for source in [*sources, *own.glob("*.md")]]


# --- what is in it ---------------------------------------------------------------------------------------


def test_the_bundle_holds_what_a_student_needs_and_nothing_of_the_teachers(texts, course_copy):
    tops = {name.split("/")[0] for name in texts}
    assert tops == {*FILES, "README.md", "data", "notebooks", "exercises", "src"}
    assert {name.split("/")[1] for name in texts if name.startswith("src/")} == {"sahel"}
    assert not [
        name for name in texts if name.endswith(".md") and name not in ("README.md", "data/CODEBOOK.md")
    ]
    assert "exercises/P1-my-questions.ipynb" in texts
    assert "`P1-my-questions`" in texts["README.md"]
    for path in (course_copy / "data").rglob("*.csv"):
        assert f"data/{path.relative_to(course_copy / 'data').as_posix()}" in texts


def test_the_same_course_gives_the_same_zip(course_copy, own, handed_out, tmp_path):
    release(course_copy, tmp_path, own)
    first, second = ((folder / f"{NAME}.zip").read_bytes() for folder in (handed_out, tmp_path))
    assert first == second
    assert not list(tmp_path.glob("*.tmp"))


def test_a_released_folder_is_replaced_but_not_one_in_which_somebody_worked(course_copy, tmp_path):
    release(course_copy, tmp_path)
    release(course_copy, tmp_path)
    (tmp_path / NAME / "work").mkdir()
    (tmp_path / NAME / "work" / "mine.ipynb").write_text("{}", encoding="utf-8")
    with pytest.raises(BuildError, match=r"mine\.ipynb was not written by a release"):
        release(course_copy, tmp_path)
    assert (tmp_path / NAME / "work" / "mine.ipynb").is_file()


def test_what_is_not_built_is_not_released(course_copy, tmp_path):
    copy = shutil.copytree(course_copy, tmp_path / "copy")
    path = sorted((copy / "exercises").glob("*.ipynb"))[0]
    path.write_text(path.read_text("utf-8").replace("minutes. Name", "hours. Name"), encoding="utf-8")
    with pytest.raises(
        BuildError, match=r"exercises/\d\d-.*\n.*Nothing was released. First: course.py build"
    ):
        release(copy, tmp_path / "out")
    assert not (tmp_path / "out").exists()


# --- it starts -------------------------------------------------------------------------------------------


def test_doctor_works_in_it_and_a_teachers_command_says_where_it_is(unpacked):
    def course(*arguments):
        command = [sys.executable, "course.py", *arguments]
        return subprocess.run(command, cwd=unpacked, capture_output=True, text=True, check=False).stdout

    said = course("doctor")
    assert "are whole (checksums agree)" in said
    assert "lessons in notebooks/" in said
    assert "There is no .venv yet. Call: course.py lab" in said
    assert (
        course("build") == "This copy is for students: it has lab and doctor. build is in the full course.\n"
    )


def test_an_exercise_of_a_teachers_own_runs_in_it_with_the_bundles_own_package(unpacked):
    nb = nbformat.read(unpacked / "exercises" / "P1-my-questions.ipynb", as_version=4)
    nb.cells.append(nbformat.v4.new_code_cell("import sahel; print(sahel.__file__); hint('P1.1')"))
    nb.cells.append(nbformat.v4.new_code_cell("check('P1.1', displacement['displaced'].mean())"))
    ran = execute(nb, unpacked / "exercises", "P1", {"PYTHONPATH": str(unpacked / "src")})
    said = [cell.outputs[0].text for cell in ran.cells if cell.get("outputs") and "text" in cell.outputs[0]]
    assert "put your result in place of None" in said[0]
    assert str(unpacked) in said[1]
    assert "Hint 1 of 2" in said[1]
    assert "the average of all countries" in " ".join(said[2].split())


# --- it holds no answer ----------------------------------------------------------------------------------


def test_no_line_of_a_worked_answer_is_in_it_but_where_a_lesson_teaches_that_line(texts, sets):
    for task in (task for made in sets for task in made.tasks):
        lines = secret_lines(task)
        for name, text in texts.items():
            found = [line for line in lines if line in text]
            if name.startswith("notebooks/"):
                assert not lines or len(found) < len(lines), f"{task.number}: all of it stands in {name}"
            else:
                assert not found, f"{task.number}: {name} holds {found}"


def test_no_value_of_a_worked_answer_is_in_it_outside_the_tables(texts, sets):
    for made in sets:
        for task in made.tasks:
            with reading(made.data):
                value = run(task, task.worked, task.number)
            for token in tokens(value):
                if len(token) < 4 or re.match(
                    r"\d{4}-\d\d", token
                ):  # a small number or a day stands anywhere
                    continue
                whole = re.compile(rf"(?<![\w.]){re.escape(token)}(?![\w.]*\w)")
                found = [n for n, text in texts.items() if not n.startswith("data/") and whole.search(text)]
                assert not found, f"{task.number}: {token} stands in {found}"


def test_no_line_of_a_model_answer_is_in_it(texts, sets):
    everything = "\n".join(texts.values())
    for task in (task for made in sets for task in made.written):
        for anchor in task.anchors:
            for line in filter(lambda line: len(line) >= 15, anchor.text.splitlines()):
                assert line not in everything, f"{task.number}: {line}"


def test_what_check_reads_holds_digests_that_are_slow_to_try_and_no_hint_of_a_wrong_answer(texts, sets):
    stored = {name: text for name, text in texts.items() if "/built/checks/" in name}
    assert len(stored) == len(sets)
    everything = "\n".join(stored.values())
    for made in sets:
        tasks = json.loads(stored[f"src/sahel/built/checks/{made.number}.json"])["tasks"]
        for task in made.tasks:
            record = tasks[task.number]
            assert set(record) == {"compare", "salt", "right", "wrong", "hints", "more"}
            assert all(re.fullmatch(r"[0-9a-f]{32}", tag) for tag in (*record["right"], *record["wrong"]))
            assert set(record["compare"]) <= {
                "kind",
                "is",
                "width",
                "of",
                "ordered",
                "columns",
                "inputs",
                "returns",
            }
            for _, hint in task.wrong:
                assert hint not in everything, f"{task.number}: this hint is for those who met the mistake"
    # A digest deters and is no lock: about a hundred guesses a second, so a small whole number falls in seconds.
    started = time.perf_counter()
    for guess in range(20):
        checks.digest(str(guess), "salt")
    assert time.perf_counter() - started > 0.02


@pytest.mark.usefixtures("handed_out")  # for which it was built
def test_a_teachers_own_set_can_go_out_without_digests(course_copy, own, capsys, monkeypatch, tmp_path):
    files = bundle(course_copy, own, digests=False)
    text = files["src/sahel/built/checks/P1.json"].decode("utf-8")
    assert not re.search(r"[0-9a-f]{32}", text)
    assert "right" not in text
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "P1.json").write_text(text, encoding="utf-8")
    (tmp_path / "words.json").write_bytes(files["src/sahel/built/words.json"])
    monkeypatch.setenv("SAHEL_BUILT", str(tmp_path))
    checks.check("P1.1", 1)
    checks.hint("P1.1")
    said = capsys.readouterr().out
    assert "Task P1.1 is checked when it is graded, and not here." in said
    assert "Hint 1 of 2" in said
    shipped = next(name for name in files if re.search(r"checks/\d\d\.json", name))
    assert b'"right"' in files[shipped]


# --- a set of one's own ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("handed_out")
def test_a_new_set_builds_and_its_rules_never_reach_a_student(course_copy, own):
    assert build_own(course_copy, own, check=True) == [], "the release has built it"
    for folder in ("exercises", "solutions"):
        text = (own / folder / "P1-my-questions.ipynb").read_text("utf-8")
        assert "Keep this file" not in text
        assert "Look at 'counts'" in text
    assert (own / "teaching" / "P1-exercises.md").is_file()
    worked = nbformat.read(own / "solutions" / "P1-my-questions.ipynb", as_version=4)
    said = [c.outputs[0].text for c in worked.cells if c.cell_type == "code" and "check(" in c.source]
    assert said == ["✓ P1.1: right. Grading will also run your code on other data.\n"]


@pytest.mark.parametrize("name", ["02-mine", "P-mine", "p1-mine", "P1", "P1-Mine", "P1-../x", "P12-mine"])
def test_a_name_that_could_meet_a_set_of_the_course_is_refused(course_copy, tmp_path, name):
    with pytest.raises(BuildError, match="no name for a set of your own"):
        new_set(course_copy, tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_a_set_is_never_written_over_and_a_folder_without_sets_is_named(course_copy, own, tmp_path):
    with pytest.raises(BuildError, match="has the number P1 already"):
        new_set(course_copy, own, "P1-another")
    with pytest.raises(BuildError, match="There is no exercise set in"):
        build_own(course_copy, tmp_path)
    (tmp_path / "02-mine.md").write_text("", encoding="utf-8")
    with pytest.raises(BuildError, match=r"02-mine\.md is no name"):
        release(course_copy, tmp_path / "out", tmp_path)


def test_a_fault_in_a_set_of_ones_own_is_refused_by_name(course_copy, own, tmp_path):
    folder = tmp_path / "sets"
    folder.mkdir()
    text = (own / "P1-my-questions.md").read_text("utf-8")
    (folder / "P1-x.md").write_text(text.replace('"].median()', '"].mean()'), encoding="utf-8")
    with pytest.raises(BuildError, match=r"P1-x.md, task P1.1: wrong answer 2 does not bring its own hint"):
        release(course_copy, tmp_path / "out", folder)
    assert not (tmp_path / "out").exists()


# A digest is no lock, and the course says so: whole percentages fall to whoever tries a hundred
# numbers, in about a second. These do; a new one must be put here on purpose, or get a sharper answer.
FALL_IN_A_SECOND = {"01.3", "05.2"}


def test_only_the_known_tasks_fall_to_a_second_of_guessing(root):
    found = set()
    for path in sorted((root / "src/sahel/built/checks").glob("*.json")):
        for task, record in json.loads(path.read_text("utf-8"))["tasks"].items():
            compare = record.get("compare", {})
            if compare.get("kind") == "number" or compare.get("is") in ("whole", "bool"):
                guesses = [True, False, *range(101)]
                if any(checks.judge(task, record, guess).outcome == "right" for guess in guesses):
                    found.add(task)
    assert found == FALL_IN_A_SECOND
