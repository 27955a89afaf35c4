"""The quiz bank: a fault in what somebody wrote is named with file, line and item, and never gets built."""

import json
import shutil
from pathlib import Path

import pytest

from sahel_teacher.bank import build_quizzes, read_banks
from sahel_teacher.nb import BuildError

COURSE = Path(__file__).resolve().parents[1]
MADE_UP = COURSE / "tests" / "quiz_items"
BANK = "content/en/quizzes/99-test.yaml"


@pytest.fixture
def root(tmp_path):
    """A course that has the made-up items only, with the real schema and the real words."""
    shutil.copytree(MADE_UP, tmp_path, dirs_exist_ok=True)
    for name in ("quizzes/schema.json", "words.yaml"):
        shutil.copy(COURSE / "content" / "en" / name, tmp_path / "content" / "en" / name)
    return tmp_path


def change(root, old, new):
    path = root / BANK
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")


def fault(root):
    with pytest.raises(BuildError) as error:
        build_quizzes(root)
    assert not (root / "src/sahel/built").exists(), "a bank with a fault must not be built"
    return str(error.value)


def test_a_sound_bank_is_built_once_and_then_shows_no_drift(root):
    assert [line.split()[0] for line in build_quizzes(root)] == [
        "src/sahel/built/words.json",
        "src/sahel/built/quizzes/99.json",
    ]
    assert build_quizzes(root) == build_quizzes(root, check=True) == []


def test_check_names_what_is_not_built_and_writes_nothing(root):
    build_quizzes(root)
    built = root / "src/sahel/built/quizzes/99.json"
    before = built.read_bytes()
    change(root, "Nine is larger than two and seven.", "Nine is the largest.")
    (root / "src/sahel/built/quizzes/98.json").write_text("{}", encoding="utf-8")
    lines = "\n".join(build_quizzes(root, check=True))
    assert "99.json is not what its source gives" in lines
    assert "98.json has no source" in lines
    assert built.read_bytes() == before


def test_an_item_carries_its_sources_and_its_forecast_question_from_the_tables(root):
    build_quizzes(root)
    items = json.loads((root / "src/sahel/built/quizzes/99.json").read_text(encoding="utf-8"))["items"]
    assert items[1]["sources"] == ["Brief A, S1", "Brief B, D18"]
    assert items[4]["sources"] == ["A made-up publisher, 2020 (F901)"]
    assert items[3]["stem"] == "Test question: will a die show six?"
    assert (items[3]["asked"], items[3]["closes"]) == ("2020-01-01", "2020-01-31")


def test_answers_stay_valid_when_feedback_is_reworded_and_not_when_an_option_is(root):
    def revision():
        build_quizzes(root)
        return json.loads((root / "src/sahel/built/quizzes/99.json").read_text(encoding="utf-8"))["items"][0][
            "rev"
        ]

    first = revision()
    change(root, "Two is the smallest of the three.", "Two is less than both others.")
    assert revision() == first
    change(root, 'text: "Two"', 'text: "Three"')
    assert revision() != first


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (', feedback: "Four is two times two."', "", "item 99.2: options 1: missing: feedback"),
        ('feedback: "Four is two times two."', 'feedback: " "', "options 1 feedback: is blank"),
        ('id: "99.2"', "id: 99.2", "write it in quotation marks"),
        ('text: "Four"', "text: Yes", "write it in quotation marks"),
        ("ids: [C901, C902]", "ids: [C901, C777]", "C777 in no table"),
        ("question: Q91", "question: Q55", "Q55 is no row of forecast_questions"),
        ("type: multiple", "type: essay", "'essay' is none of: single, multiple, order, probability"),
        ('id: "99.2"', 'id: "99.1"', "2 items have this id"),
        ('id: "99.2"', 'id: "98.2"', "the id must begin with 99"),
        ('twin: "99.1"', 'twin: "99.9"', "twin: 99.9 is no other item"),
        ('"Nine", right: true', '"Nine", right: false', "exactly one option must be right, not 0"),
        ('"Two", right: false', '"Two", right: true', "exactly one option must be right, not 2"),
        ('text: "Five"', 'text: "four"', "same text"),
        ("thinking: apply", "thinking: dream", "'dream' is none of: recall, apply, evaluate"),
        ("as_of: 2020-01-01", 'as_of: "2020-02-30"', "no day of the calendar"),
        ("    hints: []\n", "", "missing: hints"),
        ("    place: numbers", "    color: red\n    place: numbers", "unknown: color"),
        (
            "    question: Q91",
            '    stem: "Why?"\n    question: Q91',
            "stem: does not belong in an item of this type",
        ),
    ],
)
def test_a_fault_is_refused_in_a_sentence_with_file_and_line(root, old, new, said):
    change(root, old, new)
    message = fault(root)
    assert said in message
    assert BANK in message


def test_a_fault_of_the_yaml_itself_is_named_with_its_line(root):
    change(root, "    type: multiple", "  type: multiple")
    assert f"{BANK}, line " in fault(root)


def test_a_fault_names_the_line_on_which_its_item_begins(root):
    change(root, "ids: [C901]", "ids: [C777]")
    assert f"{BANK}, line 4, item 99.1: ids: C777" in fault(root)


def test_right_answers_all_in_one_place_are_refused(root):
    change(root, '"Eight", right: true', '"Eight", right: false')
    change(root, '"Nine", right: false, feedback: "Eight', '"Nine", right: true, feedback: "Eight')
    assert "stands in place 2" in fault(root)


def test_right_answers_that_are_always_the_longest_are_refused(root):
    change(root, 'text: "Nine", right: true', f'text: "Nine {"and more " * 20}", right: true')
    change(root, 'text: "Eight", right: true', 'text: "Eight, which is rather long", right: true')
    assert "always" in fault(root) or "is the longest" in fault(root)


def test_a_place_must_be_a_heading_of_the_lesson_and_comments_in_code_are_none(root):
    lessons = root / "content/en/lessons"
    lessons.mkdir()
    (lessons / "99-test.md").write_text(
        "# A test lesson\n```{code-cell}\n# numbers in order\n```\n## Numbers, in order!\n", encoding="utf-8"
    )
    build_quizzes(root)
    items = json.loads((root / "src/sahel/built/quizzes/99.json").read_text(encoding="utf-8"))["items"]
    assert items[2]["place"] == "Numbers, in order!"
    change(root, "place: numbers-in-order", "place: numbers-upside-down")
    with pytest.raises(BuildError, match="numbers-upside-down is no heading of lesson 99"):
        build_quizzes(root)


def test_the_bank_of_the_course_is_sound():
    assert read_banks(COURSE)[1] == []
