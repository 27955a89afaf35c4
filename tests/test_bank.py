"""The quiz bank: a fault in what somebody wrote is named with file, line and item, and never gets built."""

import json
import re
from pathlib import Path

import pytest

from sahel_teacher.bank import build_quizzes, read_banks
from sahel_teacher.errors import BuildError
from sahel_teacher.maps import country_names, drawn
from sahel_teacher.rereading import LEDGER, flag_items
from tests.conftest import made_up_course

COURSE = Path(__file__).resolve().parents[1]
MADE_UP = COURSE / "tests" / "quiz_items"
BANK = "content/en/quizzes/99-test.yaml"


@pytest.fixture
def root(tmp_path):
    """A course that has the made-up items only, with the real schema and the real words."""
    return made_up_course(tmp_path)


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


def test_a_country_carries_its_name_and_an_outline_inside_the_map(root):
    build_quizzes(root)
    region = json.loads((root / "src/sahel/built/quizzes/99.json").read_text(encoding="utf-8"))["items"][8]
    corner, left = region["options"][1:]
    assert (corner["text"], left["text"]) == ("Made-up Corner", "Made-up Left")
    assert region["map"]["box"].startswith("0 0 300 ")
    # The margin is half a degree of eleven; a square of four degrees is 4 / 11 of the width. North is up.
    numbers = [tuple(map(int, pair.split(","))) for pair in re.findall(r"\d+,\d+", corner["outline"])]
    assert (min(x for x, _ in numbers), max(x for x, _ in numbers)) == (14, 123)
    top_of_left = min(int(y) for y in re.findall(r",(\d+)", left["outline"]))
    assert max(y for _, y in numbers) < top_of_left


def test_every_country_of_the_course_can_be_drawn():
    names = country_names(COURSE)
    assert names["NER"] == "Niger"
    outlines, box, rest = drawn(COURSE, list(names))
    assert set(outlines) == set(names)
    assert rest == ""
    width, height = map(int, box.split()[2:])
    for code, outline in outlines.items():
        points = [tuple(map(int, pair.split(","))) for pair in re.findall(r"-?\d+,-?\d+", outline)]
        assert len(set(points)) > 2, code
        assert all(0 <= x <= width and 0 <= y <= height for x, y in points), code


@pytest.mark.parametrize(
    ("number", "reworded", "changed"),
    [
        (5, ("Two and two make four.", "Twice two is four."), ('text: "Six & more"', 'text: "Six"')),
        (5, ("Double each choice.", "Double them."), ('"Five", "Two"]', '"Ten", "Two"]')),
        (7, ("value: 40,", "value: 41,"), ("tolerance: 0.1", "tolerance: 0.05")),
        (7, ("Divide by ten.", "Look again."), ('unit: "made-up units"', 'unit: "other units"')),
        (8, ("It lies in the corner.", "It is there."), ("region: RGT", "region: OUT")),
    ],
)
def test_answers_of_every_type_hold_until_what_can_be_answered_changes(root, number, reworded, changed):
    def revision():
        build_quizzes(root)
        built = (root / "src/sahel/built/quizzes/99.json").read_text(encoding="utf-8")
        return json.loads(built)["items"][number]["rev"]

    first = revision()
    change(root, *reworded)
    assert revision() == first
    change(root, *changed)
    assert revision() != first


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
        ("type: multiple", "type: essay", "'essay' is none of: single, multiple, order, match, "),
        ('id: "99.2"', 'id: "99.1"', "2 items have this id"),
        ('id: "99.2"', 'id: "98.2"', "the id must begin with 99"),
        ('twin: "99.1"', 'twin: "99.99"', "twin: 99.99 is no other item"),
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
        ('goes: "Two", ', 'goes: "Ten", ', "pairs 1: 'Ten' is none of the choices: Three"),
        ('{"Two": "Two is the whole', '{"Ten": "Two is the whole', "pairs 3: 'Ten' is none of the choices"),
        ('{"Two": "Two is the whole', '{"One": "Two is the whole', "'One' is where the line goes"),
        ('choices: ["Even", "Odd"]', 'choices: ["Even"]', "choices: has 1 entries; it needs at least 2"),
        (
            'choices: ["Even", "Odd"]',
            'choices: ["Even", "Odd", "Three", "Four", "Five"]',
            "choices: has 5 entries; it needs at most 4",
        ),
        ('choices: ["Even", "Odd"]', 'choices: ["Odd", "Odd"]', "non-unique"),
        ('last one.", goes: "Odd"', 'last one.", goes: "Even"', "in the order in which they stand: mix them"),
        (
            'text: "Eight is the number of this one."',
            'text: "Seven is the number of this statement."',
            "same text",
        ),
        ('unit: "made-up units"', "unit: 3", "unit: YAML reads this as 3"),
        ('    otherwise: "Divide by ten."\n', "", "missing: otherwise"),
        ("value: 40, right: false", "value: 40, right: true", "exactly one must be right, not 2"),
        ("value: 40,", "value: 0.4,", "numbers 1 and 2 overlap"),
        ("from: 3, to: 5.5", "from: 3, to: 1.5", "numbers 3: from is more than to"),
        (
            "from: 3, to: 5.5",
            "from: 3, value: 5.5",
            "value: give either value (and tolerance), or from and to",
        ),
        ("from: 3, to: 5.5", "tolerance: 2", "numbers 3: missing: value"),
        ("region: RGT", "region: XYZ", "XYZ is not on the map. It has: COR, LFT, RGT, OUT"),
        ("region: RGT", "region: LFT", "LFT stands there 2 times"),
        (
            "region: RGT",
            "region: Right",
            "countries 1 region: 'Right' does not fit. The country's three letters",
        ),
        ("region: RGT, right: false", "region: RGT, right: true", "or choosing all earns everything"),
        (
            "    type: probability\n",
            "    type: probability\n    confidence: true\n",
            "confidence: does not belong in an item of this type",
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


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")


def resting_on(root, row_id):
    banks, _ = read_banks(root)
    return [item["id"] for bank in banks.values() for item in bank["items"] if row_id in item["ids"]]


def test_items_that_rest_on_a_changed_row_are_flagged_until_somebody_has_read_them(root):
    assert flag_items(root, check=True) == [f"{LEDGER.as_posix()} is not up to date: run course.py build"]
    assert flag_items(root) == [f"{LEDGER.as_posix()} written"]
    assert flag_items(root) == flag_items(root, check=True) == []
    edit(root / "data" / "record_facts.csv", "A made-up fact", "A changed fact")
    concerned = resting_on(root, "F901")
    assert concerned
    for check in (False, True, False):
        flagged = flag_items(root, check)
        assert [line.split()[1] for line in flagged] == concerned
        assert all("rests on F901, changed since" in line for line in flagged)
    assert flag_items(root, reread=tuple(concerned)) == [f"{LEDGER.as_posix()} written"]
    assert flag_items(root, check=True) == []


def test_a_new_check_of_a_claim_flags_the_items_on_that_claim_and_a_new_as_of_settles_it(root):
    flag_items(root)
    (root / "data" / "claim_checks.csv").write_text(
        "check_id,claim_id,verdict\nK901,C902,contested\n", "utf-8"
    )
    flagged = flag_items(root)
    assert [line.split()[1] for line in flagged] == resting_on(root, "C902") != []
    text = (root / BANK).read_text(encoding="utf-8")
    (root / BANK).write_text(re.sub(r'as_of: "?[0-9-]+"?', 'as_of: "2026-12-01"', text), encoding="utf-8")
    assert flag_items(root) == [f"{LEDGER.as_posix()} written"]
    assert flag_items(root) == []


def test_an_item_read_again_that_does_not_exist_is_named(root):
    assert flag_items(root, reread=("99.77",))[0] == "There is no quiz item 99.77."


def course_items():
    banks, _ = read_banks(COURSE)
    return {item["id"]: item for bank in banks.values() for item in bank["items"]}


@pytest.mark.parametrize("lesson", [f"{n:02}" for n in range(1, 9)])
def test_every_lesson_asks_for_a_vote_and_the_same_of_another_case_after_the_discussion(lesson):
    items = course_items()
    votes = [item for item in items.values() if item["id"].startswith(lesson) and item.get("vote")]
    assert votes
    for vote in votes:
        twin = items[vote["twin"]]
        assert twin["twin"] == vote["id"]
        assert (twin["type"], twin["outcome"]) == (vote["type"], vote["outcome"])
        assert not twin.get("vote"), "the twin is answered alone, with feedback at once"
        assert not {option["text"] for option in vote["options"]} & {
            option["text"] for option in twin["options"]
        }


def test_the_course_uses_every_type_and_asks_more_than_recall():
    items = list(course_items().values())
    schema = json.loads((COURSE / "content/en/quizzes/schema.json").read_text("utf-8"))
    assert {item["type"] for item in items} == set(schema["$defs"]["item"]["properties"]["type"]["enum"])
    recall = [item["id"] for item in items if item["thinking"] == "recall"]
    assert len(recall) < len(items) / 4, recall
