"""A person grades written answers: nothing is lost, nothing overwritten, nothing a student wrote is markup."""

import pytest

from sahel_teacher.grading.collect import Submission
from sahel_teacher.grading.judge import Mark
from sahel_teacher.grading.marks import Marks
from sahel_teacher.grading.panel import HandGrading, Panel, panel_box
from tests.grading.made_up import SETS

NASTY = "<script>alert(1)</script> $x$ **b** &amp;"


def hand_in(folder, texts, identity="first"):
    with Marks(folder / "marks.sqlite") as marks:
        run = marks.begin({"seed": 1, "set": "99"})
        for name, text in texts.items():
            one = Submission(name, f"Made Up {name}", f"{name}.ipynb", lambda: b"")
            mark = Mark("99.7", "pending", None, answer=text) if text else Mark("99.7", "missing", 0)
            marks.add(run, one, identity, True, [mark])


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "99"
    hand_in(folder, {"a": NASTY, "b": "A box. (Synthetic.)", "c": ""})
    return folder


def panel_of(folder):
    return Panel({"99": HandGrading(folder, SETS)}, [])


def test_who_wrote_nothing_waits_for_nobody_and_what_is_left_is_counted(out):
    grading = HandGrading(out, SETS)
    assert sorted(one.student for one in grading.answers("99.7")) == ["a", "b"]
    grading.give("99.7", "a", 2, "", "me")
    assert grading.left("99.7") == 1
    with pytest.raises(ValueError, match="from 0 to 3"):
        grading.give("99.7", "b", 4, "", "me")


def test_an_answer_is_shown_as_text_and_names_only_when_wished(out):
    panel = panel_of(out)
    seen = set()
    for _ in panel.answers:
        seen.add(panel.answer.value)
        panel.skip.click()
    shown = "".join(seen)
    assert "&lt;script&gt;" in shown
    assert "<script" not in shown
    assert "Made Up" not in shown
    panel.names.value = True
    assert "Made Up" in panel.answer.value


def test_a_click_on_points_saves_and_a_new_panel_goes_on_where_a_mark_is_missing(out):
    panel = panel_of(out)
    first = panel.answers[0].student
    panel.points.value = 2
    panel.comment.value = "Which box?"
    panel.next.click()
    assert panel.points.value is None  # the next one has no mark, and none was given by going there
    again = panel_of(out)
    assert again.answers[again.place].student != first
    again.back.click()
    assert (again.points.value, again.comment.value) == (2, "Which box?")
    with Marks(out / "marks.sqlite") as marks:
        kept = marks.history(first, "99.7")
        assert [mark["points"] for mark in kept] == [None, 2, 2]
        assert marks.counting(first)["99.7"]["note"] == "Which box?"
        assert len(marks.history(again.answers[1 - again.place].student, "99.7")) == 1


def test_a_comment_without_points_is_not_lost_on_the_way(out):
    panel = panel_of(out)
    panel.comment.value = "Half a thought"
    panel.next.click()
    assert panel.place == 0, "next asks for points"
    panel.skip.click()
    assert panel.comment.value == ""
    panel.back.click()
    assert panel.comment.value == "Half a thought"


def test_another_answer_later_asks_again_and_the_mark_counts_until_then(out):
    grading = HandGrading(out, SETS)
    grading.give("99.7", "b", 3, "good", "me")
    hand_in(out, {"b": "Another box. (Synthetic.)"}, "second")
    found = next(one for one in grading.answers("99.7") if one.student == "b")
    assert (found.text, found.points) == ("Another box. (Synthetic.)", None)
    assert "3 points, “good”" in found.earlier
    with Marks(out / "marks.sqlite") as marks:
        assert marks.counting("b")["99.7"]["points"] == 3
    grading.give("99.7", "b", 3, "good", "me")
    assert grading.left("99.7") == 1  # only the other student's


def test_with_nothing_to_grade_it_says_so(tmp_path):
    assert "nothing to grade" in panel_box(tmp_path).value
    (tmp_path / "99").mkdir()
    (tmp_path / "99" / "marks.sqlite").write_text("damaged" * 99, encoding="utf-8")
    assert "cannot be used" in panel_box(tmp_path).value
