"""The whole course on paper, complete, without answers, needing no other file; and what the guide says of minutes.

The page is read back with the standard library's and Beautiful Soup's parser, not with what wrote it.
"""

import copy
import re
from html import unescape
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from sahel.quizzes import bank
from sahel_teacher.__main__ import main
from sahel_teacher.exports import pdf
from sahel_teacher.exports.reader import reader
from sahel_teacher.sets import Task, read_set

COURSE = Path(__file__).resolve().parents[1]
NUMBERS = [path.name[:2] for path in sorted((COURSE / "notebooks").glob("*.ipynb"))]


@pytest.fixture(scope="module")
def students():
    """The whole reader as students get it."""
    return BeautifulSoup(reader(COURSE, [], with_answers=False), "html.parser")


@pytest.fixture(scope="module")
def teachers():
    """Two lessons with their answers: one with an exercise set, and the first."""
    return BeautifulSoup(reader(COURSE, ["00", "02"], with_answers=True), "html.parser")


def words(tag):
    return " ".join(tag.get_text().split())


def test_every_lesson_is_in_it_with_its_figures_its_quiz_and_its_exercises(students):
    for number in NUMBERS:
        lesson = students.find("section", id=f"lesson-{number}")
        saved = nbformat.read(next((COURSE / "notebooks").glob(f"{number}-*")), as_version=4)
        assert lesson.h1.get_text().split(" ", 1)[1] == saved.metadata.course.title
        shown = [
            output.data.get("text/html", "")
            for cell in saved.cells
            for output in cell.get("outputs", [])
            if "data" in output
        ]
        figures = [re.search('<img alt="([^"]+)"', html) for html in shown if "<figure" in html]
        drawn = [" ".join(image["alt"].split()) for image in lesson.find_all("img")]
        assert drawn == [" ".join(unescape(figure[1]).split()) for figure in figures]
        asked = {heading.get_text().split()[0] for heading in lesson.select(".quiz h3")}
        assert asked == {item["id"] for item in bank.items(number)}
        for source in (COURSE / "content/en/exercises").glob(f"{number}-*.md"):
            numbered = {heading.get_text().split()[0] for heading in lesson.select(".exercises h3")}
            assert {task.number for task in read_set(source).all_tasks} <= numbered


def letters(text):
    """Text without spaces, signs and Markdown's marks."""
    return re.sub(r"\W+", "", text)


def test_students_get_no_worked_answer_and_no_explained_question(students, teachers):
    text, theirs = words(students), words(teachers)
    mine, with_answers = letters(text), letters(theirs)
    for source in sorted((COURSE / "content/en/exercises").glob("[0-9][0-9]-*.md")):
        for task in read_set(source).all_tasks:
            given = [task.worked] if isinstance(task, Task) else [anchor.text for anchor in task.anchors]
            for answer in map(letters, given):
                assert answer not in mine, task.number
                assert source.name[:2] != "02" or answer in with_answers, task.number
    for number in NUMBERS:
        for item in bank.items(number):
            parts = item.get("options") or item.get("slots") or item.get("pairs") or item.get("numbers") or []
            for said in (" ".join(part["feedback"].split()) for part in parts if len(part["feedback"]) > 40):
                assert said not in text, item["id"]
                assert number not in ("00", "02") or said in theirs, item["id"]
    assert "Copy for students" in text
    assert "Copy for teachers, with worked answers" in theirs
    assert "Copy for teachers" not in text


@pytest.mark.parametrize("which", ["students", "teachers"])
def test_the_file_needs_no_other_file_and_no_network(which, request):
    page = request.getfixturevalue(which)
    assert not page.find_all(["script", "link", "iframe", "object", "video", "audio"])
    assert all(tag["src"].startswith("data:image/png;base64,") for tag in page.find_all(src=True))
    assert not re.search(r"url\(|@import", page.style.get_text())
    assert {tag.name for tag in page.find_all(href=True)} == {"a"}


@pytest.mark.parametrize("which", ["students", "teachers"])
def test_links_within_it_lead_somewhere_and_names_are_given_once(which, request):
    page = request.getfixturevalue(which)
    names = [tag["id"] for tag in page.find_all(id=True)]
    assert len(names) == len(set(names))
    assert {link["href"][1:] for link in page.find_all("a", href=re.compile("^#"))} <= set(names)
    assert not [link["href"] for link in page.find_all("a") if not link["href"].startswith(("#", "http"))]


@pytest.mark.parametrize("which", ["students", "teachers"])
def test_a_screen_reader_finds_language_order_and_words_for_pictures(which, request):
    page = request.getfixturevalue(which)
    assert page.html["lang"] == "en"
    assert page.title.get_text()
    levels = [int(heading.name[1]) for heading in page.find_all(re.compile(r"^h[1-6]$"))]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for chapter in page.main.find_all("section", recursive=False):
        assert len(chapter.find_all("h1")) == 1, chapter["id"]
    assert all(len(image["alt"].split()) > 3 for image in page.find_all("img"))
    assert all(drawn.get("aria-hidden") or drawn.get("aria-label") for drawn in page.find_all("svg"))
    assert all(head.get("scope") in ("col", "row") for head in page.find_all("th"))


def test_each_code_in_the_text_is_explained_at_the_end(students):
    students = copy.deepcopy(students)
    explained = {tag["id"] for tag in students.select("#codes th span")}
    for lesson in students.select("main > .lesson"):
        for code in lesson.find_all("code"):
            code.decompose()
        told = " ".join(p.get_text() for p in lesson.find_all("p"))
        named = set(re.findall(r"\b[CEFK]\d{3}\b", told))
        assert named <= explained, named - explained
    assert len(students.select("#sources li")) > 50


def test_the_command_writes_the_page_also_where_no_browser_is_there_for_the_pdf(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(pdf, "browsers", lambda: iter(()))
    assert main(["export", "reader", "--to", "pdf", "--lesson", "00", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "choose Print" in said
    assert [path.name for path in tmp_path.iterdir()] == ["fortress-niger-reader.html"]
    assert main(["export", "reader", "--lesson", "77", "--out", str(tmp_path)]) == 1
    assert "There is no lesson 77: there are 00, 01" in capsys.readouterr().out


def test_the_pdf_has_its_page_numbers_in_the_contents():
    """Four parts, the third on the second page, as a browser of the Chromium family writes them."""
    made = b"7 0 obj\n<</Type /Page\n>> 9 0 obj\n<</Type /Page\n>> 12 0 obj\n<</Type /Pages\n/Kids [7 0 R 9 0 R]>>"
    made += b"/Dests <</cover [7 0 R /XYZ 5 6 0]\n/lesson-00 [9 0 R /XYZ 5 6 0]\n/C001 [9 0 R /XYZ 5 6 0]>>"
    assert pdf._pages(made) == {"cover": 1, "lesson-00": 2}


# --- the guide -------------------------------------------------------------------------------------------


def table(page, heading):
    """The rows of the first table below a heading of the guide, as lists of cells."""
    part = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_the_minutes_that_the_guide_plans_with_are_those_of_lessons_sets_and_session_plans():
    guide = (COURSE / "teaching/README.md").read_text("utf-8")
    lessons = {row[0]: row[2:] for row in table(guide, "What students learn, and where")}
    assert sorted(lessons) == NUMBERS
    at_home = {row[1][:2]: row[3] for row in table(guide, "A term")}
    for number in NUMBERS[1:9]:
        told = read_set(next((COURSE / "content/en/exercises").glob(f"{number}-*.md"))).minutes
        named = re.findall(r"\d+", told)
        assert re.findall(r"\d+", lessons[number][1]) == named, number
        assert at_home[number] == named[0]
    for row in table(guide, "A day"):
        (start, end), minutes = (
            [int(h) * 60 + int(m) for h, m in re.findall(r"(\d+):(\d+)", row[0])],
            int(row[1]),
        )
        assert end - start == minutes, row
    for plan in (COURSE / "teaching").glob("[0-9][0-9]-*.md"):
        if plan.stem.endswith("exercises"):
            continue
        steps = re.search(r"^\| (?:[Ss]tep|part) \|.*?(?=\n\n)", plan.read_text("utf-8"), re.M | re.S)[
            0
        ].splitlines()
        cells = [line.strip("|").split("|")[-3:] for line in steps[2:] if "**" not in line]
        sums = [
            sum(int(cell) for cell in column if cell.strip().isdigit()) for column in zip(*cells, strict=True)
        ]
        assert sums == [50, 75, 90], plan.name
