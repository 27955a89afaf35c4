"""The quiz without a browser: marks, kept answers, the text version, and one sentence for what goes wrong."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from sahel import quizzes
from sahel.quizzes import bank, marking, spacing, store, twin

COURSE = Path(__file__).resolve().parents[1]
MADE_UP = COURSE / "tests" / "quiz_items"


pytestmark = pytest.mark.usefixtures("folder")


def item(item_id):
    return bank.find(item_id)[0]


def attempt(choice=(1,), rev="r", **more):
    return {"choice": list(choice), "score": 0.0, "rev": rev, **more}


def saved(folder):
    return json.loads((folder / "99.json").read_text(encoding="utf-8"))


# --- marking ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("choice", "score"), [([1], 1), ([0], 0), ([2], 0)])
def test_single_choice_is_right_or_wrong_and_says_why(choice, score):
    result = marking.mark(item("99.1"), choice)
    assert result.score == score
    assert result.notes[0].feedback == item("99.1")["options"][choice[0]]["feedback"]


@pytest.mark.parametrize(
    ("choice", "score"),
    [([0, 2], 1), ([0], 0.5), ([0, 1], 0), ([0, 1, 2], 0.5), ([1, 3], 0), ([0, 1, 2, 3], 0)],
)
def test_multiple_choice_earns_right_less_wrong_and_never_below_zero(choice, score):
    assert marking.mark(item("99.2"), choice).score == score


def arranged(order_item, places):
    """The choice that puts the slots (by right place) in this order."""
    return [marking.shuffled(order_item).index(place) for place in places]


@pytest.mark.parametrize(
    ("places", "score"),
    [
        ([0, 1, 2, 3], 1),
        ([3, 2, 1, 0], 0),
        ([1, 0, 2, 3], 2 / 3),
        ([3, 0, 1, 2], 2 / 3),
        ([2, 3, 0, 1], 1 / 3),
    ],
)
def test_order_earns_by_the_longest_run_in_the_right_order(places, score):
    order = item("99.3")
    result = marking.mark(order, arranged(order, places))
    assert result.score == pytest.approx(score)
    assert [note.label for note in result.notes] == [order["slots"][place]["text"] for place in places]


def test_only_the_right_order_earns_full_marks():
    order = item("99.3")
    full = [p for p in permutations(range(4)) if marking.mark(order, arranged(order, p)).score == 1]
    assert full == [(0, 1, 2, 3)]


def test_slots_are_shown_shuffled_in_the_same_way_each_time_and_never_in_an_order_to_be_guessed():
    order = item("99.3")
    assert marking.public(order) == marking.public(order)
    for number in range(200):
        fake = {"id": f"99.{number}", "slots": order["slots"][:3]}
        assert marking.shuffled(fake) not in ([0, 1, 2], [2, 1, 0])


@pytest.mark.parametrize(
    ("item_id", "choice"),
    [
        *(("99.1", choice) for choice in (None, [], [3], [-1], [True], "1", [0, 1], {"0": 1})),
        *(("99.3", choice) for choice in ([0, 1], [0, 0, 1, 2])),
        *(("99.4", choice) for choice in (-1, 101, 50.5, "50", None, True)),
        *(
            ("99.6", choice)
            for choice in (None, [], [0, 1], [0, 1, 4], [0, 1, -1], [0, 1, None], [0, 1, 2, 3])
        ),
        *(("99.8", choice) for choice in (None, "0.4", True, float("nan"), float("inf"), [0.4])),
        *(("99.9", choice) for choice in ([], [3], "LFT")),
    ],
)
def test_an_impossible_choice_is_refused_and_not_marked(item_id, choice):
    with pytest.raises(ValueError, match=r"choice|slots|percentage"):
        marking.mark(item(item_id), choice)


@pytest.mark.parametrize(
    ("choice", "score"), [([3, 0, 1], 1), ([3, 0, 3], 2 / 3), ([0, 0, 0], 1 / 3), ([2, 2, 2], 0)]
)
def test_match_earns_a_share_for_each_line(choice, score):
    assert marking.mark(item("99.6"), choice).score == pytest.approx(score)


def test_a_pair_says_what_was_put_where_and_which_misreading_leads_there():
    notes = marking.mark(item("99.6"), [3, 1, 3]).notes
    assert [(n.mark, n.label, n.feedback) for n in notes] == [
        ("right", "Four → Two", "Two and two make four."),
        ("wrong", "Six & more → One", "Three and three make six."),
        ("wrong", "Two → Two", "Two is the whole, not the half."),
    ]


def test_classify_earns_a_share_for_each_statement():
    assert marking.mark(item("99.7"), [1, 0, 1]).score == 1
    result = marking.mark(item("99.7"), [1, 1, 1])
    assert result.score == pytest.approx(2 / 3)
    assert [note.mark for note in result.notes] == ["right", "wrong", "right"]


@pytest.mark.parametrize(
    ("given", "score", "said"),
    [
        (0.4, 1, "Four divided by ten is 0.4."),  # 0.3 + 0.1 is less than this in floating point
        (0.2, 1, "Four divided by ten is 0.4."),
        (0.41, 0, "Divide by ten."),
        (0.19, 0, "Divide by ten."),
        (40, 0, "Forty is ten times four."),
        (40.0, 0, "Forty is ten times four."),
        (41, 0, "Divide by ten."),
        (3, 0, "That is about four itself."),
        (5.5, 0, "That is about four itself."),
        (-0.4, 0, "Divide by ten."),
        (10**400, 0, "Divide by ten."),
    ],
)
def test_a_number_is_right_within_its_tolerance_and_a_common_mistake_is_explained(given, score, said):
    result = marking.mark(item("99.8"), given)
    assert (result.score, result.notes[0].feedback) == (score, said)
    assert result.notes[0].label == f"{given} made-up units"


def test_countries_earn_right_less_wrong_and_stand_in_the_order_of_the_alphabet():
    texts = [option["text"] for option in item("99.9")["options"]]
    assert texts == ["A made-up Right", "Made-up Corner", "Made-up Left"]
    scores = [marking.mark(item("99.9"), choice).score for choice in ([1, 2], [2], [0, 1], [0, 1, 2])]
    assert scores == [1, 0.5, 0, 0.5]


@pytest.mark.parametrize(
    ("level", "right", "half", "wrong"), [(1, 1, 0.5, 0), (2, 2, 0, -2), (3, 3, -1.5, -6)]
)
def test_certainty_brings_the_published_marks_and_what_is_partly_right_lies_between(
    level, right, half, wrong
):
    assert [marking.certainty_marks(score, level) for score in (1, 0.5, 0)] == [right, half, wrong]


def test_the_words_say_the_marks_that_are_given():
    for level, (right, wrong) in marking.CERTAINTY.items():
        assert bank.words()[f"sure_{level}"].endswith(f"right {right}, wrong {wrong}".replace("-", "−"))


def test_the_browser_is_told_nothing_that_gives_an_answer_away():
    for shown in map(marking.public, bank.find("99")):
        text = json.dumps(shown)
        assert not re.search(r'"(right|feedback|sources|ids|goes|mistakes|numbers|otherwise)"', text)
        for secret in (
            "two times two",
            "Two is the whole",
            "leaves one",
            "0.3",
            "Divide by ten",
            "left edge.",
        ):
            assert secret not in text


# --- answers that are kept -------------------------------------------------------------------------------


def test_the_first_answer_is_kept_apart_from_the_last(folder):
    for choice in ([0], [2], [1]):
        store.add("99", "99.1", attempt(choice))
    choices = [a["choice"] for a in saved(folder)["items"]["99.1"]]
    assert (choices[0], choices[-1]) == ([0], [1])


def test_two_open_notebooks_keep_each_others_answers(folder):
    """Two processes write at the same time; none of the forty answers may be lost."""
    code = (
        "import sys\nfrom sahel.quizzes import store\n"
        "for n in range(20):\n"
        "    store.add('99', sys.argv[1], {'choice': [n], 'rev': 'r'})\n"
    )
    env = {**os.environ, "PYTHONPATH": str(COURSE / "src")}
    running = [subprocess.Popen([sys.executable, "-c", code, name], env=env) for name in ("99.1", "99.2")]
    assert [process.wait(60) for process in running] == [0, 0]
    for name in ("99.1", "99.2"):
        assert [a["choice"] for a in saved(folder)["items"][name]] == [[n] for n in range(20)]
    assert [path.name for path in folder.iterdir()] == ["99.json"], "no lock or draft is left behind"


def test_a_pseudonym_is_random_and_the_same_in_every_lesson(folder):
    store.add("99", "99.1", attempt())
    store.add("98", "98.1", attempt())
    names = [json.loads(path.read_text(encoding="utf-8"))["pseudonym"] for path in folder.iterdir()]
    assert names[0] == names[1]
    assert re.fullmatch(r"s-[0-9a-f]{6}", names[0])


def test_a_lock_left_behind_does_not_stop_anybody(folder, monkeypatch):
    monkeypatch.setattr(store, "LOCK_PATIENCE", 0.05)
    folder.mkdir()
    (folder / "99.json.lock").touch()
    _, notice = store.add("99", "99.1", attempt())
    assert notice == ""
    old = time.time() - 60
    os.utime(folder / "99.json.lock", (old, old))
    store.add("99", "99.1", attempt())
    assert len(saved(folder)["items"]["99.1"]) == 2
    assert not (folder / "99.json.lock").exists()


def full_disk(*_args, **_kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_on_a_full_disk_the_quiz_goes_on_and_later_writes_everything(folder, monkeypatch):
    with monkeypatch.context() as patch:
        store.add("99", "99.1", attempt([0]))
        before = (folder / "99.json").read_bytes()
        patch.setattr(Path, "write_text", full_disk)
        answers, notice = store.add("99", "99.1", attempt([1]))
        assert "No space left on device" in notice
        assert [a["choice"] for a in answers["99.1"]] == [[0], [1]]
        assert [a["choice"] for a in store.read("99")[0]["99.1"]] == [[0], [1]]
        assert (folder / "99.json").read_bytes() == before
    assert store.add("99", "99.2", attempt())[1] == ""
    assert [a["choice"] for a in saved(folder)["items"]["99.1"]] == [[0], [1]]


def test_a_folder_that_cannot_be_made_is_said_in_one_sentence(folder):
    folder.write_text("a file stands in the way", encoding="utf-8")
    answers, notice = store.add("99", "99.1", attempt())
    assert str(folder) in notice
    assert len(answers["99.1"]) == 1
    assert folder.read_text(encoding="utf-8") == "a file stands in the way"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 1}', '{"version": 1, "items": {"99.1": [{"at": 5}]}}', "[" * 100_000]
)
def test_a_damaged_file_is_moved_aside_and_not_deleted(folder, text):
    folder.mkdir()
    for number in (1, 2):
        (folder / "99.json").write_text(text, encoding="utf-8")
        assert f"99.json.{number}.damaged" in store.read("99")[1]
        assert (folder / f"99.json.{number}.damaged").read_text(encoding="utf-8") == text
    assert store.add("99", "99.1", attempt())[1] == ""


def test_answers_of_a_newer_version_are_left_as_they_are(folder):
    folder.mkdir()
    (folder / "99.json").write_text('{"version": 2, "else": 1}', encoding="utf-8")
    answers, notice = store.add("99", "99.1", attempt())
    assert "newer version" in notice
    assert "99.1" in answers
    assert (folder / "99.json").read_text(encoding="utf-8") == '{"version": 2, "else": 1}'


def test_forget_deletes_only_when_sure(folder, capsys):
    store.add("99", "99.1", attempt())
    (folder / "98.json.1.damaged").touch()
    (folder / "mine.txt").touch()
    quizzes.forget()
    assert "forget(sure=True)" in capsys.readouterr().out
    assert (folder / "99.json").exists()
    quizzes.forget(sure=True)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    assert store.read("99") == ({}, "")


# --- the widget, seen from Python ------------------------------------------------------------------------


def ask(which="99", **more):
    from sahel.quizzes.widget import QuizWidget

    return QuizWidget(bank.find(which), **more)


def send(widget, item_id, choice, **more):
    widget._receive(widget, {"item": item_id, "choice": choice, **more}, [])
    return widget.outcomes.get(item_id)


def test_an_answer_is_marked_explained_and_there_again_in_the_next_kernel():
    shown = send(ask(), "99.2", [0, 1, 2])
    assert (shown["verdict"], shown["headline"]) == ("partly", "Partly right: 50 percent of the credit.")
    assert [line["word"] for line in shown["lines"]] == ["right", "not right", "right"]
    assert shown["foot"] == ["Source: Brief A, S1; Brief B, D18"]
    assert ask("99.2").outcomes["99.2"] == shown


def test_a_left_out_right_option_is_said_without_naming_it():
    shown = send(ask(), "99.2", [0])
    assert "Six" not in json.dumps(shown)
    assert "not chosen" in shown["lines"][-1]["text"]


def test_a_forecast_is_saved_with_what_was_known_and_shows_no_answer(folder):
    shown = send(ask(), "99.4", 35, known=True)
    assert shown["headline"] == "Saved. Lesson 08 comes back to it."
    kept = saved(folder)["items"]["99.4"][0]
    assert (kept["choice"], kept["known"], kept["score"]) == (35, True, None)


def asks_how_sure(widget):
    return [question["id"] for question in widget.questions if question["confidence"]]


def test_how_sure_one_is_is_asked_only_where_item_or_call_wants_it():
    assert asks_how_sure(ask()) == ["99.8"]
    everywhere = [f"99.{n}" for n in range(1, 10) if n != 4]
    assert asks_how_sure(ask(confidence=True)) == everywhere, "all but the forecast"


def test_certainty_is_kept_with_the_answer_and_its_marks_are_said_again_after_a_restart(folder):
    shown = send(ask(), "99.8", 40, confidence=3)
    assert shown["headline"] == "Not right. You can try again. Marks for being right and knowing it: −6."
    assert send(ask(), "99.8", 0.4, confidence=2)["headline"].endswith("knowing it: +2.")
    assert send(ask(), "99.7", [1, 1, 1], confidence=2)["headline"].endswith("knowing it: +0.7.")
    assert send(ask(), "99.1", [0], confidence=1)["headline"].endswith("knowing it: 0.")
    assert [a["confidence"] for a in saved(folder)["items"]["99.8"]] == [3, 2]
    again = ask().outcomes["99.8"]
    assert (again["confidence"], again["headline"][-3:]) == (2, "+2.")


@pytest.mark.parametrize("level", [0, 4, "3", True, None, [1]])
def test_a_strange_certainty_is_left_out_and_the_answer_kept(folder, level):
    assert send(ask(), "99.1", [1], confidence=level)["headline"] == "Right."
    assert "confidence" not in saved(folder)["items"]["99.1"][0]


def test_a_call_with_certainty_shows_the_same_text_version():
    assert (
        ask()._repr_mimebundle_()[0]["text/html"] == ask(confidence=True)._repr_mimebundle_()[0]["text/html"]
    )


def test_a_first_vote_brings_no_feedback_and_the_second_does():
    widget = ask()
    assert send(widget, "99.5", [0])["lines"] == []
    assert send(widget, "99.5", [0])["lines"][0]["text"] == "Eight is smaller than nine and ten."


def test_an_answer_to_an_older_form_of_a_question_is_kept_but_not_shown(folder):
    store.add("99", "99.1", attempt([1], rev="of-before"))
    assert ask().outcomes == {}
    assert len(saved(folder)["items"]["99.1"]) == 1


@pytest.mark.parametrize("choice", [[99], "no", {"a": 1}, None])
def test_an_edited_or_strange_answer_breaks_nothing(choice):
    for item_id in ("99.1", "99.6", "99.7", "99.8", "99.9"):
        store.add("99", item_id, {"choice": choice, "rev": item(item_id)["rev"]})
    assert ask().outcomes == {}
    assert send(ask(), "99.1", choice) is None
    assert send(ask(), "99.1", [1])["verdict"] == "right"


def test_the_browser_has_a_way_to_show_every_type_and_every_word():
    script = (COURSE / "src/sahel/quizzes/static/quiz.js").read_text(encoding="utf-8")
    python = "".join(p.read_text(encoding="utf-8") for p in (COURSE / "src/sahel/quizzes").glob("*.py"))
    listed = re.search(r"const TYPES = \{(.*?)\};", script, re.DOTALL).group(1)
    for kind in marking.MARKERS:
        assert re.search(rf"\b{kind}\b", listed)
        assert kind in twin.RENDERERS
    schema = json.loads((COURSE / "content/en/quizzes/schema.json").read_text(encoding="utf-8"))
    assert set(schema["$defs"]["item"]["properties"]["type"]["enum"]) == set(marking.MARKERS)
    used = set(re.findall(r"words\.(\w+)", script)) | set(re.findall(r'\bsay\(\s*"(\w+)"', python))
    assert used <= set(bank.words())
    dynamic = {"right", "partly", "wrong", "saved", "mark_right", "mark_wrong", "mark_ordered", "mark_moved"}
    dynamic |= set(re.findall(r'"((?:choose|match|classify)_\w+)"', script + python))
    assert dynamic <= set(bank.words())
    assert len(script.splitlines()) < 450


# --- the text version ------------------------------------------------------------------------------------


def test_the_text_version_never_depends_on_answers_or_on_the_run():
    before = ask()._repr_mimebundle_()[0]
    send(ask(), "99.1", [1])
    after = ask()._repr_mimebundle_()[0]
    for kind in ("text/html", "text/plain"):
        assert before[kind] == after[kind]
        assert "0x" not in after[kind]
    assert "application/vnd.jupyter.widget-view+json" in after


def test_the_text_version_hides_the_answer_until_it_is_asked_for():
    page = twin.twin_html(bank.find("99"))
    outside = re.sub(r"<details>.*?</details>", "", page, flags=re.DOTALL)
    for secret in (
        *("Nine is larger", "Count on your fingers", "Two follows one", "Brief A"),
        *(
            "Two and two make four",
            "→",
            "Seven leaves one",
            "0.2 to 0.4",
            "ten times four",
            "touches the left edge",
        ),
    ):
        assert secret in page
        assert secret not in outside
        assert secret not in twin.twin_plain(bank.find("99"))
    assert page.count(">Show the answer</summary>") == 7


def test_an_item_for_a_vote_shows_no_answer_but_how_to_ask_for_it(capsys):
    page = twin.twin_html(bank.find("99.5"))
    assert "Eight is smaller than nine" not in page
    assert 'answer("99.5")' in page
    quizzes.answer("99.5")
    assert "Eight is smaller than nine and ten." in capsys.readouterr().out


def test_html_in_the_bank_is_shown_as_text():
    page = twin.twin_html(bank.find("99.2")) + twin.answer_html(item("99.2"))
    assert "<b>" not in page
    assert "<script" not in page
    assert "&lt;b&gt;One&lt;/b&gt; &amp; more" in page
    page = twin.twin_html(bank.find("99.6")) + twin.answer_html(item("99.6"))
    assert "<i>" not in page
    assert "Six &amp; more → Three, &lt;i&gt;which" in page


# --- one sentence for what goes wrong --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: quizzes.quiz("77"), "There is no quiz for lesson 77. There are quizzes for: 99."),
        (
            lambda: quizzes.quiz("99.77"),
            "There is no question 99.77. Lesson 99 has: 99.1, 99.2, 99.3, 99.4, 99.5, 99.6, 99.7, 99.8, 99.9.",
        ),
        (lambda: quizzes.quiz(99.1), 'such as quiz("02") or quiz("02.4").'),
        (lambda: quizzes.quiz("../99"), "There is no quiz for lesson"),
        (lambda: quizzes.answer("99"), 'such as answer("02.4").'),
        (quizzes.progress, "No answers yet."),
    ],
)
def test_what_goes_wrong_is_said_in_the_cell(call, said, capsys):
    call()
    out = capsys.readouterr().out
    assert said in out
    assert len(out.strip().splitlines()) == 1


@pytest.mark.parametrize("content", ["{", "{}", '{"items": [{}]}', '{"items": 3}'])
def test_a_damaged_bank_or_no_words_are_said_in_the_cell(content, tmp_path, monkeypatch, capsys, built):
    shutil.copytree(built, tmp_path / "built")
    monkeypatch.setenv("SAHEL_BUILT", str(tmp_path / "built"))
    (tmp_path / "built/quizzes/99.json").write_text(content, encoding="utf-8")
    quizzes.quiz("99")
    assert "The questions of lesson 99 cannot be read." in capsys.readouterr().out
    monkeypatch.setenv("SAHEL_BUILT", str(tmp_path / "nothing"))
    quizzes.quiz("99")
    assert "The quiz's words cannot be read." in capsys.readouterr().out


def test_progress_says_what_is_done_and_what_to_try_again(capsys):
    widget = ask()
    send(widget, "99.1", [0])
    send(widget, "99.1", [1])
    send(widget, "99.2", [0])
    send(widget, "99.4", 50)
    quizzes.progress()
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert capsys.readouterr().out.splitlines() == [
        "Lesson 99: answered 3 of 9. Right at the first answer: 0 of 8. Right now: 1 of 8.",
        "  Not answered yet: 99.3, 99.5, 99.6, 99.7, 99.8, 99.9",
        "  To repeat now: 99.2",
        f"  Right so far, and to be repeated from a later day on: 99.1 ({tomorrow})",
    ]


def test_progress_sums_the_marks_for_certainty(capsys):
    widget = ask(confidence=True)
    send(widget, "99.1", [1], confidence=3)
    send(widget, "99.8", 40, confidence=3)
    send(widget, "99.8", 40, confidence=2)
    quizzes.progress()
    assert "knowing it: 1, from 2 answers." in capsys.readouterr().out


def on(*days):
    """Answers as they are kept: (day, score)."""
    return [{"at": f"2026-11-{day:02}T10:00:00+00:00", "score": score} for day, score in days]


@pytest.mark.parametrize(
    ("attempts", "day"),
    [
        (on((1, 1)), 2),  # right once: tomorrow
        (on((1, 1), (1, 1), (1, 1)), 2),  # again at once is no test of memory
        (on((1, 1), (2, 1)), 4),
        (on((1, 1), (2, 1), (4, 1)), 8),
        (on((1, 1), (2, 1), (3, 0)), 3),  # wrong: back to the start
        (on((1, 1), (2, 1), (3, 0.5), (3, 1)), 4),
        (on((1, 1), (2, 1), (4, 1), (8, 1), (9, 1)), 16),
    ],
)
def test_what_is_right_comes_back_after_growing_intervals_and_what_is_wrong_at_once(attempts, day):
    assert spacing.due(attempts) == date(2026, 11, day)


def test_the_interval_stops_growing_and_an_edited_time_breaks_nothing():
    day, attempts = date(2026, 1, 1), [{"at": "yesterday", "score": 1}, {"at": None}]
    for _ in range(8):
        attempts.append({"at": f"{day}T10:00:00+00:00", "score": 1})
        previous, day = day, spacing.due(attempts)
    assert (day - previous).days == 16


def test_importing_the_quiz_loads_no_widget_library():
    code = "import sys, sahel.quizzes; print({'anywidget', 'ipywidgets', 'matplotlib', 'IPython'} & set(sys.modules))"
    env = {**os.environ, "PYTHONPATH": str(COURSE / "src")}
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
