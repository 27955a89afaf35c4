"""The teacher sees where the class failed, and nobody's name."""

import re

from sahel_teacher.grading.collect import Submission
from sahel_teacher.grading.judge import Mark
from sahel_teacher.grading.marks import Marks
from sahel_teacher.grading.overview import overview
from sahel_teacher.grading.questions import open_set
from sahel_teacher.grading.reports import write_all
from tests.grading.made_up import ROOT, SETS


def page_of(tmp_path, found):
    with Marks(tmp_path / "marks.sqlite") as marks:
        run = marks.begin({"seed": 1, "set": "99"})
        for n, these in enumerate(found):
            marks.add(run, Submission(f"k{n}", f"Made Up {n}", f"s{n}.ipynb", lambda: b""), "x", True, these)
        write_all(tmp_path, open_set(ROOT, "99", SETS), marks)
    return (tmp_path / "overview.html").read_text("utf-8")


def row(page, head):
    cells = re.search(rf'<tr><th scope="row">{re.escape(head)}</th>(.*?)</tr>', page)[1]
    return re.findall("<td>(.*?)</td>", cells)


def test_counts_by_task_and_by_misconception_in_figure_text_and_table(tmp_path):
    wrong = Mark("99.1", "failed", 0, misconception=1)
    page = page_of(
        tmp_path,
        [
            [Mark("99.1", "passed", 1), Mark("99.7", "pending", None)],
            [wrong, Mark("99.7", "missing", 0)],
            [wrong, Mark("99.2", "crashed", 0)],
        ],
    )
    # passed, graded, failed, crashed, timed out, missing, pending, points
    assert row(page, "99.1") == ["1", "0", "2", "0", "0", "0", "0", "0.3 / 1"]
    assert row(page, "99.2")[3] == "1"
    assert row(page, "99.7")[5:7] == ["1", "1"]
    hint = open_set(ROOT, "99", SETS).questions["99.1"].wrong[0][1]
    assert row(page, "99.1\u00a0a") == ["2", "3", hint]
    assert "99.1: 1 passed, 2 failed" in page
    assert page.count("<img alt=") == 2
    assert "Made Up" not in page
    assert "s0.ipynb" not in page


def test_with_nobody_graded_it_is_a_page_all_the_same(tmp_path):
    with Marks(tmp_path / "marks.sqlite") as marks:
        assert "0 graded" in overview(open_set(ROOT, "99", SETS), marks)


def test_who_leaves_out_a_further_task_is_told_that_it_may_be_left_out(tmp_path):
    with Marks(tmp_path / "marks.sqlite") as marks:
        run = marks.begin({"seed": 1, "set": "02"})
        found = [Mark("02.1", "missing", 0), Mark("02.6", "missing", 0)]
        marks.add(run, Submission("k", "Made Up", "s.ipynb", lambda: b""), "x", True, found)
        write_all(tmp_path, open_set(ROOT, "02"), marks)
    page = next((tmp_path / "feedback").glob("*.html")).read_text("utf-8")
    assert "02.6 (further, may be left out): no answer found" in page
    assert "02.1: no answer found" in page
    assert "8 of the 25 are for further tasks" in page
