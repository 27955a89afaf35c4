"""Predictions come back as one table, whatever the answers look like; and the parts of their score add up."""

import ast
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from sahel import load, predictions
from sahel.quizzes import bank, store
from sahel_teacher.nb import read_source

COURSE = Path(__file__).resolve().parents[1]
MADE_UP = COURSE / "tests" / "quiz_items"
LESSONS = sorted((COURSE / "content" / "en" / "lessons").glob("??-*.md"))
COLUMNS = ["question_id", "percent", "known", "answered_on"]


pytestmark = pytest.mark.usefixtures("folder")


def give(folder, *answers, item="99.4"):
    """Write answers as the widget does: (time, percent, known)."""
    folder.mkdir(exist_ok=True)
    rev = bank.find("99.4")[0]["rev"]
    attempts = [{"at": at, "choice": choice, "known": known, "rev": rev} for at, choice, known in answers]
    text = json.dumps({"version": 1, "lesson": "99", "pseudonym": "s-test", "items": {item: attempts}})
    (folder / "99.json").write_text(text, encoding="utf-8")


def test_nothing_answered_gives_the_same_columns_and_types_as_something(folder):
    empty = predictions()
    give(folder, ("2030-05-01T10:00:00.000000+00:00", 35, True))
    some = predictions()
    assert len(empty) == 0
    assert list(empty.columns) == list(some.columns) == COLUMNS
    assert empty.dtypes.equals(some.dtypes)
    assert some.to_dict("records") == [
        {"question_id": "Q91", "percent": 35, "known": True, "answered_on": pd.Timestamp("2030-05-01")}
    ]


def test_an_empty_table_can_be_scored_without_an_error_or_a_warning(recwarn):
    questions = load("forecast_questions")
    empty = predictions().merge(questions, on="question_id")
    assert len(empty[~empty["known"]]) == 0
    assert str((empty["percent"] / 100).mean()) == "nan"
    assert empty["question_id"].dtype == questions["question_id"].dtype
    assert list(recwarn) == []


def test_the_first_answer_counts_because_a_later_one_may_know_the_outcome(folder):
    give(
        folder,
        ("2030-05-01T10:00:00.000000+00:00", 35, False),
        ("2030-05-02T10:00:00.000000+00:00", 99, True),
    )
    assert predictions()[["percent", "known"]].to_numpy().tolist() == [[35, False]]


def test_other_questions_than_forecasts_are_no_predictions(folder):
    store.add("99", "99.1", {"choice": [0], "score": 0.0, "rev": bank.find("99.1")[0]["rev"]})
    assert len(predictions()) == 0


@pytest.mark.parametrize(
    ("at", "choice"),
    [
        ("2030-05-01T10:00:00", 135),
        ("2030-05-01T10:00:00", "35"),
        ("2030-05-01T10:00:00", None),
        ("yesterday", 35),
        ("", 35),
    ],
)
def test_an_edited_answer_is_left_out_and_a_sound_one_beside_it_stays(folder, at, choice):
    give(folder, (at, choice, False), ("2030-05-03T10:00:00.000000+00:00", 60, False))
    assert predictions()["percent"].tolist() == [60]


def test_an_answer_to_an_older_form_of_the_question_does_not_count(folder):
    store.add("99", "99.4", {"choice": 35, "known": False, "rev": "of-before"})
    assert len(predictions()) == 0


@pytest.mark.parametrize("text", ["", "{", '{"version": 1, "items": 3}', '{"version": 2, "items": {}}'])
def test_a_file_that_cannot_be_read_gives_one_sentence_and_an_empty_table(folder, text, capsys):
    folder.mkdir()
    (folder / "99.json").write_text(text, encoding="utf-8")
    assert list(predictions().columns) == COLUMNS
    assert len(capsys.readouterr().out.strip().splitlines()) == 1


def test_a_damaged_bank_or_none_gives_an_empty_table(folder, built, tmp_path, monkeypatch, capsys):
    give(folder, ("2030-05-01T10:00:00.000000+00:00", 35, False))
    shutil.copytree(built, tmp_path / "built")
    (tmp_path / "built/quizzes/99.json").write_text("{", encoding="utf-8")
    monkeypatch.setenv("SAHEL_BUILT", str(tmp_path / "built"))
    assert len(predictions()) == 0
    assert "cannot be read" in capsys.readouterr().out
    monkeypatch.setenv("SAHEL_BUILT", str(tmp_path / "nothing"))
    assert list(predictions().columns) == COLUMNS


# --- what lesson 08 does with them -----------------------------------------------------------------------


def lesson_08():
    return next(path for path in LESSONS if path.name.startswith("08"))


def taught(name):
    """The function of that name as lesson 08 shows it to students."""
    for cell in read_source(lesson_08()).cells:
        if cell.cell_type != "code":
            continue
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                found = {"pd": pd}
                exec(ast.get_source_segment(cell.source, node), found)
                return found[name]
    raise AssertionError(f"lesson 08 has no function {name}")


def test_brier_score_and_its_parts_on_an_example_by_hand():
    """Four times 75 percent, all four come true; four times 25 percent, one comes true.

    Score: (4 x 0.0625 + 0.5625 + 3 x 0.0625) / 8 = 0.125. Base rate 5/8, so uncertainty 0.625 x 0.375 =
    0.234375. Reliability: (4 x (0.75 - 1)^2 + 4 x 0) / 8 = 0.03125. Resolution: (4 x (1 - 0.625)^2 + 4 x
    (0.25 - 0.625)^2) / 8 = 0.140625.
    """
    percent = pd.Series([75, 75, 75, 75, 25, 25, 25, 25])
    happened = pd.Series([1, 1, 1, 1, 1, 0, 0, 0])
    assert taught("brier")(percent, happened) == pytest.approx(0.125)
    assert taught("parts")(percent, happened) == pytest.approx((0.03125, 0.140625, 0.234375))


@pytest.mark.parametrize("percents", [[50] * 6, [0, 100, 0, 100, 0, 0], [10, 10, 90, 90, 90, 40]])
def test_reliability_less_resolution_plus_uncertainty_is_the_score(percents):
    percent, happened = pd.Series(percents), pd.Series([0, 1, 1, 1, 0, 0])
    reliability, resolution, uncertainty = taught("parts")(percent, happened)
    assert reliability - resolution + uncertainty == pytest.approx(taught("brier")(percent, happened))


def test_the_interval_of_a_share_is_wilsons():
    """Wilson's score interval for 10 of 20 at 95 percent: 0.2993 to 0.7007."""
    assert taught("interval")(10, 20) == pytest.approx((0.2993, 0.7007), abs=2e-4)
    low, high = taught("interval")(0, 5)
    assert low == pytest.approx(0, abs=1e-9)
    assert 0 < high < 1


def test_at_least_fifteen_predictions_of_lessons_00_and_08_are_settled_after_they_were_asked(root):
    asked = [
        item["question"]
        for lesson in ("00", "08")
        for item in json.loads((root / f"src/sahel/built/quizzes/{lesson}.json").read_text("utf-8"))["items"]
        if item["type"] == "probability"
    ]
    assert len(set(asked)) == len(asked)
    table = load("forecast_questions").merge(load("resolutions"), on="question_id")
    settled = table[table["question_id"].isin(asked)]
    assert len(settled) >= 15
    assert (table["published_from"] > table["asked_as_of"]).all()
    assert (table["drift"].notna() & (table["drift"] != table["outcome"])).sum() >= 3
    assert set(settled["outcome"]) == {"yes", "no"}


def test_the_second_predictions_are_on_nothing_that_an_earlier_lesson_teaches(root):
    """Neither marked as taught nor asked in lesson 00, nor settled by facts that an earlier lesson cites."""
    items = json.loads((root / "src/sahel/built/quizzes/08.json").read_text("utf-8"))["items"]
    asked = [item["question"] for item in items if item["type"] == "probability"]
    questions = load("forecast_questions").set_index("question_id").loc[asked]
    assert not questions["taught"].any()
    assert not questions["lesson_00"].any()
    earlier = "".join(path.read_text(encoding="utf-8") for path in LESSONS if path.name < "08")
    behind = load("resolution_facts")
    for question in asked:
        facts = behind[behind["question_id"] == question]["fact_id"]
        assert facts.empty or not all(fact in earlier for fact in facts), question
