"""A newcomer's lesson: what `course.py new-lesson` writes runs as it stands, and lets nobody hand in a stub."""

import re
import shutil

import pytest

from sahel_teacher.bank import read_banks
from sahel_teacher.build import dressed
from sahel_teacher.errors import BuildError
from sahel_teacher.nb import execute
from sahel_teacher.skeletons import new_lesson


@pytest.fixture
def course_copy(root, tmp_path):
    """The course's folder as far as a new lesson needs it."""
    for name in ("content", "data"):
        shutil.copytree(root / name, tmp_path / name)
    return tmp_path


def test_a_new_lesson_its_quiz_and_its_plan_are_whole_and_run(course_copy):
    lesson, quiz, plan = new_lesson(course_copy, "10-count-the-displaced", 'Count "the" displaced')
    nb = dressed(course_copy, lesson)
    assert nb.cells[0].source == "# Count 'the' displaced"
    assert [item["id"] for item in read_banks(course_copy)[0][quiz]["items"]] == ["10.1"]
    assert read_banks(course_copy)[1] == []
    nb.cells = [
        cell for cell in nb.cells if "quiz(" not in cell.source
    ]  # the course's own bank has no lesson 10
    ran = execute(nb, course_copy, lesson.name)
    assert any(
        output.output_type == "execute_result" for cell in ran.cells for output in cell.get("outputs", [])
    )
    for text in (lesson.read_text("utf-8"), quiz.read_text("utf-8"), plan.read_text("utf-8")):
        assert not re.search(r"\b(NN|SLUG|TITLE|TODAY)\b", text)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("displaced", "is no name"),
        ("10-Count", "is no name"),
        ("../10-x", "is no name"),
        ("02-again", "has the number 02"),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_one_sentence_and_writes_nothing(course_copy, name, why):
    before = sorted(course_copy.rglob("*"))
    with pytest.raises(BuildError, match=why):
        new_lesson(course_copy, name)
    assert sorted(course_copy.rglob("*")) == before
