"""`course.py export quizzes`: each question arrives in each system or is listed; what arrives means the same there.

Files are read back with the standard library and with rules of our own that say what the importers say: for Moodle
question/format/xml/format.php and question/engine/bank.php, for Canvas what it exports itself (lib/cc/qti).
"""

import copy
import csv
import io
import itertools
import json
import re
import shutil
import sqlite3
import sys
import zipfile
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sahel.quizzes import bank
from sahel.quizzes.marking import mark, number_range
from sahel_teacher.__main__ import main
from sahel_teacher.bank import build_quizzes
from sahel_teacher.exports import TARGETS, export_quizzes, shared

COURSE = Path(__file__).resolve().parents[1]
MADE_UP = "tests/quiz_items", "tests/class_items"
# What Moodle takes as the grade of an answer, in percent; negative ones too.
MOODLE_GRADES = [
    100,
    90,
    83.33333,
    80,
    75,
    70,
    66.66667,
    60,
    50,
    40,
    33.33333,
    30,
    25,
    20,
    16.66667,
    14.28571,
    12.5,
]
MOODLE_GRADES += [11.11111, 10, 5, 0]
# What Moodle's importer reads of a question, for all types and for each; * as often as wanted.
HEAD = "name questiontext generalfeedback defaultgrade penalty hidden idnumber"
MOODLE = {
    "multichoice": "single shuffleanswers answernumbering answer* hint* tags",
    "ordering": "layouttype selecttype selectcount gradingtype showgrading numberingstyle answer* hint* tags",
    "matching": "shuffleanswers subquestion* hint* tags",
    "numerical": "answer* hint* tags",
    "essay": "responseformat responserequired responsefieldlines attachments hint* tags",
}
CANVAS = {
    "multiple_choice_question": ("response_lid", {"single"}),
    "multiple_answers_question": ("response_lid", {"multiple", "region"}),
    "matching_question": ("response_lid", {"match", "classify", "order"}),
    "numerical_question": ("response_str", {"number"}),
    "essay_question": ("response_str", {"probability", "played"}),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The course's built bank, and the made-up questions of every type beside it."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(COURSE / "src/sahel/built", folder, dirs_exist_ok=True)
    for source in MADE_UP:
        root = tmp_path_factory.mktemp("made-up")
        for part in ("tests/quiz_items", source):  # the second set has fewer tables of its own
            shutil.copytree(COURSE / part / "data", root / "data", dirs_exist_ok=True)
        shutil.copytree(COURSE / source / "content", root / "content")
        for name in ("quizzes/schema.json", "words.yaml"):
            shutil.copy(COURSE / "content/en" / name, root / "content/en" / name)
        build_quizzes(root)
        shutil.copytree(root / "src/sahel/built", folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(autouse=True)
def use_built(built, monkeypatch):
    monkeypatch.setenv("SAHEL_BUILT", str(built))


def all_items():
    return {item["id"]: item for lesson in bank.lessons() for item in bank.items(lesson)}


def out(target, lessons=()):
    return TARGETS[target]({lesson: bank.items(lesson) for lesson in lessons or bank.lessons()})


def moodle_questions():
    for content in out("moodle").files.values():
        assert content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<quiz>')
        category, *questions = ElementTree.fromstring(content)
        assert re.fullmatch(r"\$course\$/top/Fortress Niger/Lesson \d\d", category.findtext("category/text"))
        yield from ((question.findtext("idnumber"), question) for question in questions)


def canvas_questions():
    for content in out("canvas").files.values():
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            name = next(
                name for name in package.namelist() if not name.endswith(("manifest.xml", "meta.xml"))
            )
            root = ElementTree.fromstring(re.sub(rb' xmlns="[^"]*"', b"", package.read(name)))
            yield from ((item.get("title"), item) for item in root.iter("item"))


def anki_tables(content, path):
    path.write_bytes(content)
    with zipfile.ZipFile(path) as package:
        package.extract("collection.anki2", path.parent)
    base = sqlite3.connect(path.parent / "collection.anki2")
    notes = {row[1].split("\x1f")[0]: row for row in base.execute("select guid, flds, mid from notes")}
    models, decks = base.execute("select models, decks from col").fetchone()
    cards = base.execute("select count(*) from cards").fetchone()[0]
    base.close()
    return notes, set(json.loads(models)), {d["name"]: d["id"] for d in json.loads(decks).values()}, cards


def page_ids(made):
    pages = [content.decode() for name, content in made.files.items() if "answers" not in name]
    return set(re.findall(r"<h2>(\d\d\.\d+) ", "".join(pages)))


def arrived(target, made, tmp_path):
    if target == "anki":
        return set(anki_tables(made.files["fortress-niger.apkg"], tmp_path / "a.apkg")[0])
    return page_ids(made) if target == "print" else {i for i, _ in globals()[f"{target}_questions"]()}


@pytest.mark.parametrize("target", TARGETS)
def test_every_question_arrives_or_is_listed_as_left_out(target, tmp_path):
    made = out(target)
    left_out = {loss.item for loss in made.losses if loss.change == shared.LEFT_OUT}
    assert arrived(target, made, tmp_path) == set(all_items()) - left_out
    assert left_out == (
        {i for i, item in all_items().items() if not has_answer(item)} if target == "anki" else set()
    )
    kinds = {kind for _, kinds in CANVAS.values() for kind in kinds}
    assert {shared.kind(item) for item in all_items().values()} == kinds, (
        "the bank has questions of every kind"
    )


def has_answer(item):
    return shared.kind(item) not in ("probability", "played")


def test_a_type_that_a_target_does_not_know_is_listed_and_not_lost_in_silence():
    item = {**bank.items("99")[0], "type": "made-up"}
    for target in TARGETS:
        found = TARGETS[target]({"99": [item]}).losses
        assert [(loss.item, loss.change) for loss in found] == [("99.1", "left out")]


# --- text stays text -------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Which elements a text has for a browser."""

    def __init__(self, text):
        super().__init__()
        self.found = set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.add(tag)


def test_html_in_content_stays_text_everywhere(tmp_path):
    texts = [e.text or "" for _, q in moodle_questions() for e in q.iterfind(".//*[@format='html']/text")]
    texts += [
        e.text for _, q in canvas_questions() for e in q.iter("mattext") if e.get("texttype") == "text/html"
    ]
    notes, *_ = anki_tables(out("anki").files["fortress-niger.apkg"], tmp_path / "a.apkg")
    texts += [row[1] for row in notes.values()]
    assert set().union(*(Tags(text).found for text in texts)) <= {"p", "ul", "li", "b"}
    assert any("<b>One</b> & more" in unescape(text) for text in texts)
    assert not any("<b>One</b> &" in text or "<script" in text for text in texts)
    for name, content in out("print").files.items():
        assert not Tags(content.decode()).found & {"i", "script", "img", "link"}, name
        assert "<b>One</b> &" not in content.decode(), name
        assert not re.search(r"url\(|@import|src=|https?://(?!www\.w3)", content.decode()), (
            "a sheet needs no other file"
        )


# --- Moodle ----------------------------------------------------------------------------------------------


def test_moodle_finds_in_a_question_what_its_importer_reads():
    ids = [i for i, _ in moodle_questions()]
    assert len(ids) == len(set(ids))
    for i, question in moodle_questions():
        wanted = f"{HEAD} {MOODLE[question.get('type')]}".split()
        pattern = "".join(f"({tag.rstrip('*')} ){'*' if tag.endswith('*') else ''}" for tag in wanted)
        assert re.fullmatch(pattern, "".join(f"{child.tag} " for child in question)), i
        assert question.findtext("name/text").startswith(i)
        assert len(question.findtext("name/text")) <= 255
        for answer in question.iterfind("answer"):
            assert any(abs(abs(float(answer.get("fraction"))) - grade) < 0.001 for grade in MOODLE_GRADES), i
        hints = [unescape(re.sub("</?p>", "", hint.text)) for hint in question.iterfind("hint/text")]
        assert hints == all_items()[i]["hints"]


def test_moodle_marks_a_choice_as_the_widget_does():
    """Moodle adds up the grades of what was chosen, and gives nothing where the sum is below 0."""
    for i, question in moodle_questions():
        item = all_items()[i]
        if question.get("type") != "multichoice":
            continue
        grades = [float(answer.get("fraction")) for answer in question.iterfind("answer")]
        assert round(sum(grade for grade in grades if grade > 0), 2) == 100
        most = 1 if item["type"] == "single" else len(grades)
        assert question.findtext("single") == str(most == 1).lower()
        for count in range(1, most + 1):
            for chosen in itertools.islice(itertools.combinations(range(len(grades)), count), 40):
                there = max(0, sum(grades[n] for n in chosen)) / 100
                assert there == pytest.approx(mark(item, list(chosen)).score, abs=1e-5), (i, chosen)
                said = question.findall("answer/feedback/text")[chosen[0]].text
                assert item["options"][chosen[0]]["feedback"] in unescape(said)


def test_moodle_orders_by_words_and_in_the_right_order():
    for i, question in moodle_questions():
        if question.get("type") == "ordering":
            words = [question.findtext(tag) for tag in MOODLE["ordering"].split()[:6]]
            assert words == ["VERTICAL", "ALL", "0", "LONGEST_ORDERED_SUBSET", "SHOW", "none"]
            shown = [unescape(answer.findtext("text")) for answer in question.iterfind("answer")]
            assert shown == [slot["text"] for slot in all_items()[i]["slots"]]
            assert all(
                slot["feedback"] in unescape(question.findtext("generalfeedback/text"))
                for slot in all_items()[i]["slots"]
            )


def test_moodle_matches_each_line_and_offers_every_choice():
    for i, question in moodle_questions():
        if question.get("type") == "matching":
            item = all_items()[i]
            lines = [
                (p.findtext("text"), p.findtext("answer/text")) for p in question.iterfind("subquestion")
            ]
            pairs = {unescape(text): choice for text, choice in lines if text}
            assert pairs == {pair["text"]: pair["goes"] for pair in item["pairs"]}
            assert {choice for _, choice in lines} == set(item["choices"])


def test_moodle_takes_the_same_numbers_as_right():
    for i, question in moodle_questions():
        item = all_items()[i]
        if question.get("type") != "numerical":
            continue
        answers = [
            (a.findtext("text"), float(a.findtext("tolerance")), a.get("fraction"))
            for a in question.iterfind("answer")
        ]
        assert answers[-1] == ("*", 0, "0")
        assert item["unit"] in question.findtext("questiontext/text")
        for (middle, span, fraction), entry in zip(answers[:-1], item["numbers"], strict=True):
            low, high = map(float, number_range(entry))
            assert (float(middle) - span, float(middle) + span) == pytest.approx((low, high))
            assert mark(item, low).score == mark(item, high).score == float(fraction) / 100


def test_moodle_scores_no_forecast_and_no_played_answer():
    for i, question in moodle_questions():
        assert (question.get("type") == "essay") == (not has_answer(all_items()[i])), i
        assert question.findtext("defaultgrade") == ("1" if has_answer(all_items()[i]) else "0")


def test_what_moodle_refuses_is_left_out_with_the_reason():
    many, long = (copy.deepcopy(bank.items("99")[n]) for n in (8, 5))
    many["options"] = [{"text": f"{n}", "right": n < 11, "feedback": "."} for n in range(12)]
    long["choices"][0] = long["pairs"][1]["goes"] = "x" * 256
    losses = TARGETS["moodle"]({"99": [many, long]}).losses
    assert [loss.change for loss in losses] == ["left out", "left out"]
    assert "1/11" in losses[0].reason
    assert "255" in losses[1].reason


# --- Anki ------------------------------------------------------------------------------------------------


def test_a_second_anki_file_updates_the_notes_of_the_first(tmp_path):
    items = copy.deepcopy(bank.items("99"))
    before = anki_tables(TARGETS["anki"]({"99": items}).files["fortress-niger.apkg"], tmp_path / "a.apkg")
    items = copy.deepcopy(items)
    items[0]["options"][0]["feedback"] = "Said better."
    after = anki_tables(TARGETS["anki"]({"99": items}).files["fortress-niger.apkg"], tmp_path / "b.apkg")
    assert before[1:] == after[1:], "the same kind of note, the same decks, as many cards"
    assert {i: row[0] for i, row in before[0].items()} == {i: row[0] for i, row in after[0].items()}
    assert [i for i in before[0] if before[0][i] != after[0][i]] == ["99.1"]
    assert after[3] == len(after[0]) == len({row[0] for row in after[0].values()})


def test_an_anki_card_asks_in_front_and_explains_on_the_back(tmp_path):
    notes, *_ = anki_tables(out("anki").files["fortress-niger.apkg"], tmp_path / "a.apkg")
    for i, (_, fields, _) in notes.items():
        _, question, *hints, answer, source = fields.split("\x1f")
        item = all_items()[i]
        parts = item.get("options") or item.get("slots") or item.get("pairs") or item["numbers"]
        assert escape(item["stem"], quote=False) in question
        assert not any(
            escape(part["feedback"], quote=False) in question for part in parts if len(part["feedback"]) > 25
        )
        assert all(escape(part["feedback"], quote=False) in answer for part in parts), i
        assert [unescape(hint) for hint in hints if hint] == item["hints"]
        assert bool(source) == bool(item["sources"] or item.get("place"))


# --- Canvas ----------------------------------------------------------------------------------------------


def test_a_canvas_package_holds_what_its_manifest_names():
    for content in out("canvas").files.values():
        package = zipfile.ZipFile(io.BytesIO(content))
        manifest = ElementTree.fromstring(package.read("imsmanifest.xml"))
        named = [file.get("href") for file in manifest.iterfind(".//{*}file")]
        assert sorted([*named, "imsmanifest.xml"]) == sorted(package.namelist())
        quiz, meta = manifest.findall(".//{*}resource")
        assert quiz.find("{*}dependency").get("identifierref") == meta.get("identifier")
        settings = ElementTree.fromstring(package.read(named[1]))
        scored = sum(has_answer(item) for item in bank.items(quiz.get("identifier")[-2:]))
        assert settings.findtext("{*}points_possible") == str(scored)
        assert settings.findtext("{*}quiz_type") == "practice_quiz"
        assert (
            content
            == out("canvas", [quiz.get("identifier")[-2:]]).files[f"lesson-{quiz.get('identifier')[-2:]}.zip"]
        )


def test_canvas_finds_in_a_question_what_its_importer_reads():
    for i, question in canvas_questions():
        fields = {
            f.findtext("fieldlabel"): f.findtext("fieldentry") for f in question.iter("qtimetadatafield")
        }
        response, kinds = CANVAS[fields["question_type"]]
        assert shared.kind(all_items()[i]) in kinds
        assert question.find(f"presentation/{response}") is not None
        parts = [child.tag for child in question]
        assert parts[:3] == ["itemmetadata", "presentation", "resprocessing"]
        assert set(parts[3:]) <= {"itemfeedback"}, i
        said = {feedback.get("ident") for feedback in question.iter("itemfeedback")}
        assert said == {shown.get("linkrefid") for shown in question.iter("displayfeedback")}
        labels = {label.get("ident") for label in question.iter("response_label")}
        asked = {
            part.get("ident") for part in question.find("presentation") if part.tag.startswith("response")
        }
        for test in question.iter("varequal"):
            assert test.get("respident") in asked
            assert test.text in labels or response == "response_str"


def test_canvas_calls_the_same_answers_right():
    for i, question in canvas_questions():
        item = all_items()[i]
        label = {e.get("ident"): e.findtext("material/mattext") for e in question.iter("response_label")}
        scoring = [c for c in question.iter("respcondition") if c.find("setvar") is not None]
        if item.get("options") and has_answer(item):
            right = {o["text"] for o in item["options"] if o["right"]}
            tests = scoring[0].findall("conditionvar/and/varequal") or scoring[0].findall(
                "conditionvar/varequal"
            )
            assert len(scoring) == 1
            assert {label[test.text] for test in tests} == right
            wrong = [label[test.text] for test in scoring[0].findall("conditionvar/and/not/varequal")]
            assert len(wrong) == (0 if item["type"] == "single" else len(item["options"]) - len(right))
        elif item["type"] in ("match", "classify", "order"):
            line = {e.get("ident"): e.findtext("material/mattext") for e in question.iter("response_lid")}
            tests = [condition.find("conditionvar/varequal") for condition in scoring]
            given = {line[test.get("respident")]: label[test.text] for test in tests}
            places = ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th")
            wanted = {slot["text"]: places[n] for n, slot in enumerate(item.get("slots", []))}
            assert given == wanted | {pair["text"]: pair["goes"] for pair in item.get("pairs", [])}
            assert sum(float(c.findtext("setvar")) for c in scoring) == pytest.approx(100, abs=0.05)
        elif item["type"] == "number":
            low, high = (float(scoring[0].find(f".//{tag}").text) for tag in ("vargte", "varlte"))
            assert mark(item, low).score == mark(item, high).score == 1
            step = max(high - low, 1) / 1000
            assert mark(item, low - step).score == mark(item, high + step).score == 0
        else:
            assert not scoring


# --- paper -----------------------------------------------------------------------------------------------


def test_the_sheet_asks_without_answers_and_the_other_has_all_of_them():
    made = out("print").files
    for lesson in bank.lessons():
        asked, answered = (
            unescape(made[f"lesson-{lesson}{name}.html"].decode()) for name in ("", "-answers")
        )
        assert "size: A4" in asked
        for item in bank.items(lesson):
            parts = item.get("options") or item.get("slots") or item.get("pairs") or item.get("numbers") or []
            assert all(part["feedback"] in answered for part in parts), item["id"]
            assert not any(part["feedback"] in asked for part in parts if len(part["feedback"]) > 25), item[
                "id"
            ]
            assert all(hint in answered for hint in item["hints"])
            for part in item.get("options") or item.get("slots") or item.get("pairs") or []:
                assert part["text"] in asked
            drawn = re.search(rf"<h2>{re.escape(item['id'])} .*?</section>", asked, re.DOTALL).group()
            assert drawn.count('<path d="') == (len(item["options"]) if item["type"] == "region" else 0)


def test_the_letter_of_a_country_stands_inside_its_outline():
    """The made-up countries are rectangles, so the middle is known."""
    page = out("print", ["99"]).files["lesson-99.html"].decode()
    shapes = re.findall(r'<path d="M([^"Z]*)Z[^"]*"/><text x="(\d+)" y="(\d+)">', page)
    assert len(shapes) == 3
    for outline, x, y in shapes:
        xs, ys = zip(*(map(int, point.split(",")) for point in outline.split()), strict=True)
        assert (int(x), int(y)) == pytest.approx(((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2), abs=1)


# --- the command -----------------------------------------------------------------------------------------


def test_the_command_writes_the_files_and_says_what_is_lost(tmp_path, capsys):
    assert main(["export", "quizzes", "--to", "moodle", "--lesson", "99", "--out", str(tmp_path / "a")]) == 0
    said = capsys.readouterr().out
    assert "changed: 99.4: becomes a written answer" in said
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "degraded-moodle.csv",
        "lesson-99.xml",
    ]
    with (tmp_path / "a" / "degraded-moodle.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"99.3", "99.4", "99.5", "99.6", "99.7", "99.8", "99.9"} <= {row["item"] for row in rows}
    assert all(row["change"] in ("changed", "left out") and row["reason"] for row in rows)


def fails(capsys, *arguments):
    assert main(["export", "quizzes", *arguments]) == 1
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    return said


def test_a_lesson_that_does_not_exist_is_one_sentence(tmp_path, capsys):
    said = fails(capsys, "--to", "print", "--lesson", "77", "--out", str(tmp_path / "a"))
    assert "There is no quiz for lesson 77." in said
    assert not (tmp_path / "a").exists()


def test_a_folder_that_cannot_be_written_is_one_sentence_and_nothing_is_lost(tmp_path, capsys):
    (tmp_path / "file").write_text("no folder")
    assert "cannot be written" in fails(capsys, "--to", "canvas", "--out", str(tmp_path / "file"))
    export_quizzes("moodle", ["98"], tmp_path)
    before = (tmp_path / "lesson-98.xml").read_bytes()
    (tmp_path / "lesson-99.xml.tmp").mkdir()  # so that the second file cannot be written
    assert "--out" in fails(capsys, "--to", "moodle", "--lesson", "98", "99", "--out", str(tmp_path))
    assert (tmp_path / "lesson-98.xml").read_bytes() == before
    assert not (tmp_path / "lesson-99.xml").exists()
    assert not [path for path in tmp_path.glob("*.tmp") if path.is_file()]


def test_without_genanki_the_teacher_is_told_how_to_get_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "genanki", None)
    assert "pip install" in fails(capsys, "--to", "anki", "--out", str(tmp_path))
    assert list(tmp_path.iterdir()) == []
