# ruff: noqa: E501 (tables of code and of CSV, one case a line)
"""Marks are kept: none lost, none given twice, none of a person's overwritten."""

import csv
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from sahel_teacher.__main__ import main
from sahel_teacher.grading.collect import Submission
from sahel_teacher.grading.judge import Mark
from sahel_teacher.grading.marks import Damaged, Marks
from sahel_teacher.grading.questions import open_set
from sahel_teacher.grading.reports import BadGradebook, harmless, write_all
from tests.grading.conftest import LINUX
from tests.grading.made_up import ROOT, SETS, solved


def someone(key="moodle 5", name="Made Up", lms="moodle", lms_id="5"):
    return Submission(key, name, "x.ipynb", lambda: b"", lms, lms_id)


def table(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_persons_mark_counts_whatever_the_machine_finds_later(tmp_path):
    with Marks(tmp_path / "marks.sqlite") as marks:
        run = marks.begin({"seed": 1})
        marks.add(run, someone(), "first", True, [Mark("99.1", "failed", 0)])
        marks.give("moodle 5", "99.1", 0.5, "half right", by="a teacher")
        marks.add(run, someone(), "second", True, [Mark("99.1", "passed", 1)])
        marks.add(run, someone(), "second", True, [Mark("99.1", "passed", 1)])  # nobody is graded twice
        assert marks.counting("moodle 5")["99.1"]["points"] == 0.5
        assert [mark["status"] for mark in marks.history("moodle 5", "99.1")] == [
            "failed",
            "graded",
            "passed",
        ]


def test_what_was_handed_in_last_counts_even_if_it_was_graded_before(tmp_path):
    with Marks(tmp_path / "marks.sqlite") as marks:
        run = marks.begin({"seed": 1})
        marks.add(run, someone(), "a", True, [Mark("99.1", "passed", 1)])
        marks.add(run, someone(), "b", True, [Mark("99.1", "failed", 0)])
        assert marks.known(someone(), "a")
        assert marks.counting("moodle 5")["99.1"]["status"] == "passed"


@pytest.mark.parametrize("how", ["text", "foreign", "cut"])
def test_a_damaged_file_is_refused_by_name_and_left_alone(tmp_path, how):
    path = tmp_path / "marks.sqlite"
    if how == "text":
        path.write_text("this is no file of marks" * 99)
    elif how == "foreign":
        sqlite3.connect(path).executescript("CREATE TABLE a (b)")
    else:
        with Marks(path) as marks:
            run = marks.begin({"seed": 1})
            for n in range(99):
                marks.add(run, someone(f"m {n}"), f"{n}", True, [Mark("99.1", "failed", 0, "x" * 999)])
        path.write_bytes(path.read_bytes()[:20000])
    before = path.read_bytes()
    with pytest.raises(Damaged, match=re.escape(str(path))):
        Marks(path)
    assert path.read_bytes() == before


@pytest.fixture
def kept(tmp_path):
    with Marks(tmp_path / "marks.sqlite") as marks:
        run = marks.begin({"seed": 1})
        found = [Mark("99.1", "passed", 1), Mark("99.2", "failed", 0, "=1+1"), Mark("99.7", "pending", None)]
        marks.add(run, someone(), "a", True, found)
        marks.add(run, someone("canvas 7", "=HYPERLINK(1)", "canvas", "7"), "b", True, found)
        yield marks, tmp_path


def test_a_spreadsheet_never_takes_a_cell_for_a_formula(kept):
    marks, out = kept
    write_all(out, open_set(ROOT, "99", SETS), marks)
    for path in out.glob("*.csv"):
        for row in csv.reader(path.open(encoding="utf-8-sig", newline="")):
            assert not any(cell[:1] in "=+-@\t" and cell for cell in row), (path, row)
    assert harmless("-") == "-"
    assert harmless("x;=1+1\n＋2") == "x;'=1+1\n'＋2"  # where cells end at semicolons, a new one begins there
    assert harmless("-1.5") == "-1.5"


EXPORTS = {
    "worksheet.csv": ("Identifier,Full name,Grade,Feedback comments,Mine\nParticipant 5,Made Up,,,keep\nParticipant 6,Other,,,\n", "moodle.csv", "Identifier", "Participant 5", "Grade"),
    "report.csv": ("First name,Last name,Email address,Assignment: Set 99 (Real)\nMade,Up,a@example.org,-\n", "moodle.csv", "First name", "Made", "Assignment: Set 99 (Real)"),
    "canvas.csv": ("Student;ID;SIS User ID;SIS Login ID;Section;Set 99 (123)\n    Points Possible;;;;;10\nUp;7;;;a;\n", "canvas.csv", "ID", "7", "Set 99 (123)"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_the_teachers_own_export_is_filled_in(kept, name):
    text, made, key, value, column = EXPORTS[name]
    marks, out = kept
    (out / f"export-{name}").write_text(text, encoding="utf-8")
    write_all(out, open_set(ROOT, "99", SETS), marks, [out / f"export-{name}"])
    row = next(row for row in table(out / made) if row[key] == value)
    assert row[column] == "1"
    assert (out / f"export-{name}").read_text("utf-8") == text
    assert row.get("Mine", "keep") == "keep"


def test_a_gradebook_that_was_named_once_is_filled_in_again(kept):
    marks, out = kept
    export = out / "worksheet.csv"
    export.write_text("Identifier,Full name,Grade,Mine\nParticipant 5,Made Up,,keep\n", encoding="utf-8")
    questions = open_set(ROOT, "99", SETS)
    write_all(out, questions, marks, [export])
    marks.give("moodle 5", "99.7", 3, "", by="a teacher")
    assert any("as before" in sentence for sentence in write_all(out, questions, marks))
    assert [(row["Grade"], row["Mine"]) for row in table(out / "moodle.csv")] == [("4", "keep")]
    export.unlink()
    assert any("left as it was" in sentence for sentence in write_all(out, questions, marks))
    assert [(row["Grade"], row["Mine"]) for row in table(out / "moodle.csv")] == [("4", "keep")]


def test_a_gradebook_that_does_not_name_the_set_is_refused(kept):
    marks, out = kept
    (out / "export.csv").write_text("Student,ID,Section,Set 98 (1)\n", encoding="utf-8")
    with pytest.raises(BadGradebook, match="99"):
        write_all(out, open_set(ROOT, "99", SETS), marks, [out / "export.csv"])


def grade(folder, *more):
    return ["grade", "99", str(folder / "in"), "--sets", str(SETS), "--out", str(folder / "out"), *more]


@pytest.mark.skipif(not LINUX, reason="isolation needs Linux")
def test_killed_half_way_and_called_again_it_finishes_and_grades_nobody_twice(tmp_path):
    (tmp_path / "in").mkdir()
    for n in range(30):
        nb = solved() | {"metadata": {"n": n}}
        (tmp_path / "in" / f"s{n}.ipynb").write_text(json.dumps(nb), encoding="utf-8")
    command = [sys.executable, "-m", "sahel_teacher", *grade(tmp_path)]
    path = tmp_path / "out" / "marks.sqlite"
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and (not path.is_file() or counted(path) < 5):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    half = counted(path)
    assert 5 <= half < 30
    assert main(grade(tmp_path)) == 0
    assert main(grade(tmp_path)) == 0
    assert counted(path) == 30
    assert [run["graded"] for run in Marks(path).runs()] == [half, 30 - half, 0]
    assert len({json.loads(run["settings"])["seed"] for run in Marks(path).runs()}) == 1
    assert all(row["points"] == "7" for row in table(tmp_path / "out" / "gradebook.csv"))


def counted(path):
    try:
        return sqlite3.connect(path).execute("SELECT count(*) FROM attempts").fetchone()[0]
    except sqlite3.Error:
        return 0


@pytest.mark.skipif(not LINUX, reason="isolation needs Linux")
def test_exit_codes(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "good.ipynb").write_text(json.dumps(solved()), encoding="utf-8")
    assert main(grade(tmp_path)) == 0
    (tmp_path / "in" / "bad.ipynb").write_text("{")
    assert main(grade(tmp_path)) == 1
    assert "bad.ipynb" in capsys.readouterr().out
    assert main([*grade(tmp_path)[:1], "98", *grade(tmp_path)[2:]]) == 2
    (tmp_path / "out" / "marks.sqlite").write_text("no" * 999)
    assert main(grade(tmp_path)) == 2
    assert "marks.sqlite" in capsys.readouterr().out


@pytest.mark.skipif(not LINUX, reason="isolation needs Linux")
def test_where_the_system_forbids_isolation_it_refuses_until_told(tmp_path):
    """In a user namespace that may have no further ones, as hardened systems do it."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "good.ipynb").write_text(json.dumps(solved()), encoding="utf-8")
    forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    command = ["unshare", "-Ur", "sh", "-c", forbid, "sh", sys.executable, "-m", "sahel_teacher"]
    done = subprocess.run([*command, *grade(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "--isolation none" in done.stdout
    assert "rootless" in done.stdout
    assert not (tmp_path / "out" / "gradebook.csv").exists()
    command += [*grade(tmp_path), "--isolation", "none"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    row = table(tmp_path / "out" / "gradebook.csv")[0]
    assert (row["isolation"], row["points"]) == ("not isolated", "7")
