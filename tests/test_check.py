"""`check`: right, or which misconception, or what is wrong in kind; never the answer, never a traceback."""

import json
import shutil
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sahel import checks
from sahel.checks import check, hint
from sahel_teacher.exercises import prove, version
from sahel_teacher.sets import read_set

COURSE = Path(__file__).resolve().parents[1]
FOLDER = COURSE / "tests" / "exercise_set"
MADE_UP = FOLDER / "content" / "en" / "exercises" / "99-made-up.md"


@pytest.fixture(scope="module")
def records():
    """What `check` needs for the made-up set, made as the build makes it."""
    made = read_set(MADE_UP, FOLDER / "data")
    return prove(made, version(made, worked=False))


@pytest.fixture(scope="module")
def built(records, tmp_path_factory):
    """A folder as the build leaves it, with the made-up set and the real words."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "checks").mkdir()
    (folder / "checks" / "99.json").write_text(json.dumps({"tasks": records}), encoding="utf-8")
    words = yaml.safe_load((COURSE / "content" / "en" / "words.yaml").read_text(encoding="utf-8"))
    (folder / "words.json").write_text(json.dumps(words), encoding="utf-8")
    return folder


@pytest.fixture
def says(built, monkeypatch, capsys):
    """Run `check` or `hint`; return what it prints, as one line."""
    monkeypatch.setenv("SAHEL_BUILT", str(built))

    def run(function, *arguments):
        assert function(*arguments) is None
        return " ".join(capsys.readouterr().out.split())

    return run


IN_ORDER = pd.DataFrame(
    {"box": ["a", "c", "b"], "day": ["2001-01-01", "2001-01-02", "2001-01-03"], "weight": [1, 17, None]}
)

BOXES = pd.read_csv(FOLDER / "data" / "boxes.csv")
RED_WEIGHT = BOXES[BOXES["colour"] == "red"]["weight"].sum()


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        ("99.1", 3),
        ("99.1", 3.0),
        ("99.1", np.int8(3)),
        ("99.1", 53.00000000000001 - 50),
        ("99.2", 20.166),
        ("99.3", ["c", "a", "a"]),
        ("99.3", pd.Series(["a", "c"])),
        ("99.3", np.array(["c", "a"])),
        ("99.3", pd.Series(["c", "a", "c"], dtype="str").unique()),
        ("99.3", pd.Series(["c", "a"], dtype="category").cat.categories),
        ("99.4", IN_ORDER),
        ("99.4", IN_ORDER[["weight", "day", "box"]]),
        ("99.4", IN_ORDER.assign(day=pd.to_datetime(IN_ORDER["day"]), colour="red").set_index("box")),
        ("99.4", IN_ORDER.assign(day=[date(2001, 1, day) for day in (1, 2, 3)]).astype({"weight": "Int64"})),
        ("99.5", lambda number: number + number),
    ],
)
def test_an_answer_is_right_in_every_form_that_means_the_same(says, task, answer):
    assert says(check, task, answer).startswith(f"✓ {task}: right.")


def test_right_says_that_grading_tests_more_where_it_will(says):
    assert "other data" in says(check, "99.6", RED_WEIGHT)
    assert "other data" not in says(check, "99.3", {"a", "c"})


@given(st.floats(-0.1, 0.1))
def test_a_number_within_tolerance_never_fails(records, off):
    assert checks.judge("99.2", records["99.2"], 60.5 / 3 + off).outcome == "right"


@given(st.floats(0.1501, 2), st.sampled_from([-1, 1]))
def test_a_number_far_outside_tolerance_never_passes(records, off, sign):
    assert checks.judge("99.2", records["99.2"], 60.5 / 3 + sign * off).outcome != "right"


@pytest.mark.parametrize(
    ("task", "answer", "words"),
    [
        ("99.1", 2, "Counting starts at one."),
        ("99.2", 20, "This is the middle one."),
        ("99.3", {"b"}, "These are the others."),
        ("99.4", IN_ORDER.iloc[::-1], "This is the other way round."),
        ("99.5", lambda number: number * number, "This is the square."),
    ],
)
def test_a_misconception_brings_its_own_hint(says, task, answer, words):
    said = says(check, task, answer)
    assert said.startswith("✗")
    assert words in said


def test_any_other_wrong_answer_offers_a_hint_and_shows_nothing(says):
    assert says(check, "99.1", 4) == '✗ 99.1: not yet. hint("99.1") gives a hint.'


@pytest.mark.parametrize(
    ("task", "answer", "words"),
    [
        ("99.1", None, "no answer yet"),
        ("99.1", IN_ORDER, "asks for a whole number; yours is a table"),
        ("99.1", "3", "yours is text"),
        ("99.1", True, "yours is True or False"),
        ("99.2", float("nan"), "yours is nothing (a missing value)"),
        ("99.2", float("inf"), "yours is infinity"),
        ("99.3", "ac", "a collection of values; yours is text"),
        ("99.3", [1, 2], "should be text; one of yours is a whole number"),
        ("99.4", IN_ORDER["box"], "columns box, day, weight. Yours has no day, weight."),
        ("99.4", IN_ORDER.assign(weight="x"), "column weight should be a whole number; one of yours is text"),
        (
            "99.4",
            IN_ORDER.assign(day=pd.Timedelta("3D")),
            "column day should be a date; one of yours is a duration",
        ),
        ("99.4", pd.concat([IN_ORDER, IN_ORDER], axis=1), "more than one column named box"),
        ("99.5", 2, "asks for a function; yours is a whole number"),
        ("99.5", lambda number: {}, "should return"),
        ("99.5", lambda: 1, "Your function raises TypeError"),
    ],
)
def test_what_is_wrong_in_kind_is_named_without_a_value(says, task, answer, words):
    assert words in says(check, task, answer)


class Hostile:
    """An object that fails at every look, even at its own class."""

    def __getattribute__(self, name):
        raise RuntimeError(name)


def nonsense():
    """Things that no task asks for (made up)."""
    ring: list = []
    ring.append(ring)
    rows = pd.DataFrame({"box": ["a"] * 1_000_000, "day": "2001-01-01", "weight": 1})
    return [
        ring,
        {"ring": ring},
        [ring],
        Hostile(),
        [Hostile()],
        rows,
        rows["box"],
        list(range(1_000_000)),
        "x" * 10**7,
    ]


def more_nonsense():
    """More of it: types that look like numbers or tables and are not."""
    odd: list[Any] = [[1], {}, Hostile()]
    cells = IN_ORDER.assign(weight=odd)
    return [
        10**5000,
        1j,
        object,
        iter([1]),
        np.array(3),
        pd.NaT,
        pd.NA,
        np.timedelta64("NaT"),
        pd.DataFrame(),
        cells,
    ]


@pytest.mark.parametrize("task", ["99.1", "99.2", "99.3", "99.4", "99.5"])
def test_nonsense_gets_one_sentence_at_once(says, task):
    for answer in nonsense() + more_nonsense():
        started = time.perf_counter()
        said = says(check, task, answer)
        assert said.startswith(f"✗ {task}: not yet."), type(answer)
        assert time.perf_counter() - started < 1, type(answer)


def test_a_check_takes_under_50_ms(says):
    table = pd.concat([IN_ORDER] * 500)  # 1,500 rows of three columns, near the most that is read
    for task, answer in (("99.1", 3), ("99.4", IN_ORDER), ("99.4", table)):
        times = []
        for _ in range(7):
            started = time.process_time()  # others may be at work on this machine
            says(check, task, answer)
            times.append(time.process_time() - started)
        assert min(times) < 0.05, task


def test_a_function_that_never_ends_is_ended(says):
    def endless(number):
        while True:
            number += 1

    started = time.perf_counter()
    assert "takes longer than 2 seconds" in says(check, "99.5", endless)
    assert time.perf_counter() - started < 4


def test_a_function_may_print_and_change_its_input_without_harm(says, capsys):
    def chatty(number):
        print("working")
        return 2 * number

    assert says(check, "99.5", chatty) == "✓ 99.5: right."


@pytest.mark.parametrize("task", ["9.91", "99.1 ", 99.1, "991"])
def test_a_mistyped_task_suggests_the_nearest(says, task):
    assert 'Did you mean "99.1"?' in says(check, task, 3)
    assert 'Did you mean "99.1"?' in says(hint, task)


def test_no_task_at_all_says_how_to_call(says):
    no_task: list[Any] = [None, [], 2, "", "nothing like it", Hostile(), IN_ORDER, float("nan")]
    for task in no_task:
        assert 'such as check("02.1", answer)' in says(check, task)


def test_a_written_task_is_left_to_a_person_and_has_its_hints(says):
    assert says(check, "99.7", "Box b01.").startswith("Task 99.7 is graded by a person")
    assert says(hint, "99.7") == "Hint 1 of 1: Name one box."


def test_only_inside_nbgrader_an_answer_that_is_not_right_raises_with_the_same_sentence(says, monkeypatch):
    said = says(check, "99.1", 2)
    for value in ("autograde", "validate"):
        monkeypatch.setenv("NBGRADER_EXECUTION", value)
        assert says(check, "99.1", 3) == "✓ 99.1: right."
        with pytest.raises(AssertionError) as error:
            check("99.1", 2)
        assert " ".join(str(error.value).split()) == said
        with pytest.raises(AssertionError, match="no answer yet"):
            check("99.1", None)
        with pytest.raises(AssertionError, match="no task"):
            check("99.8", 3)


def test_hints_come_one_after_the_other(says):
    assert says(hint, "99.1") == 'Hint 1 of 2: Count the rows. The next hint: hint("99.1", 2)'
    assert says(hint, "99.1", 2) == "Hint 2 of 2: A function counts them."
    for number in (0, 3, "x", True, IN_ORDER, Hostile()):
        assert "hints from 1 to 2" in says(hint, "99.1", number)
    assert says(hint, "99.2") == "There is no hint for task 99.2."


def test_the_same_answer_always_says_the_same(says):
    assert len({says(check, "99.4", IN_ORDER.iloc[::-1]) for _ in range(3)}) == 1


def test_missing_words_and_damaged_files_are_no_traceback(built, tmp_path, monkeypatch, capsys):
    shutil.copytree(built / "checks", tmp_path / "checks")
    monkeypatch.setenv("SAHEL_BUILT", str(tmp_path))
    check("99.1", 3)
    assert "right" in capsys.readouterr().out
    (tmp_path / "checks" / "99.json").write_text("{", encoding="utf-8")
    check("99.1", 3)
    assert "damaged" in capsys.readouterr().out


def test_the_stored_file_gives_nothing_away(built, records):
    text = (built / "checks" / "99.json").read_text(encoding="utf-8")
    for secret in ("Counting starts", "middle one", "the others", "how_many", "20.1", '"a"'):
        assert secret not in text
    started = time.perf_counter()
    for guess in range(20):
        checks.digest(str(guess), records["99.1"]["salt"])
    assert time.perf_counter() - started > 0.02, "a thousand guesses must take more than a second"
