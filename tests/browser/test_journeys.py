"""A course from beginning to end, as people walk it in JupyterLab and Chromium.

A teacher releases the course. A student unpacks it, takes lessons 00, 01 and 02 and an exercise set, and hands it in
with a code. The teacher grades that with a class, reads written answers, opens the feedback and draws the board. All
students here are made up, and so is all that they answer. The tests go on from each other, in this order.
"""

import importlib.util
import os
import random
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from sahel.quizzes.codes import Kept, Sheet
from sahel_teacher.board import all_forms
from tests.browser import steps
from tests.browser.conftest import running_lab
from tests.browser.steps import picture
from tests.grading import made_up_class

COURSE = Path(__file__).resolve().parents[2]
SET = "02-the-coup-timeline"
STUDENT = "madeup31_7031_90031"  # as Canvas names a file: name, number of the student, number of the file
ANSWER = "Either reading is possible, so I leave the interval as it is (E041). This answer is made up."
CLASS_OF = 9  # made-up others, so that grading takes no longer than it must
COMMENT = "Which fact gives your last day?"
TOLD = "You kept the dates that are called interval"
WRONG = """breaks = events[events["type"] == "break"]
without_day = breaks[breaks["precision"] == "interval"]["event_id"]"""
RIGHT = WRONG.replace('== "interval"', '!= "day"')


def course(*arguments):
    """Call a command of course.py as a teacher does; return its exit code and what it prints."""
    command = [sys.executable, "-m", "sahel_teacher", *map(str, arguments)]
    done = subprocess.run(command, cwd=COURSE, capture_output=True, text=True, check=False, encoding="utf-8")
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folders of a teacher and of a student who has unpacked the release and called `lab`; and the code."""
    root = tmp_path_factory.mktemp("journey")
    code, said = course("release", "--out", root / "out")
    assert code == 0, said
    with zipfile.ZipFile(root / "out" / "fortress-niger.zip") as archive:
        archive.extractall(root / "student")
    unpacked = root / "student" / "fortress-niger"
    spec = importlib.util.spec_from_file_location("front_door_of_the_release", unpacked / "course.py")
    front_door = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(front_door)
    front_door.hand_out()
    for name in ("hand-grading", "class-board"):
        target = root / "teacher" / f"{name}.ipynb"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((COURSE / "teaching" / f"{name}.ipynb").read_bytes())
    return SimpleNamespace(root=root, unpacked=unpacked, grades=root / "teacher" / "grades" / "02", code="")


@pytest.fixture(scope="module")
def lab(made):
    """JupyterLab for both: the student's package is that of the release."""
    packages = os.pathsep.join(str(folder / "src") for folder in (made.unpacked, COURSE))
    with running_lab(made.root, made.root, PYTHONPATH=packages) as address:
        yield address


@pytest.fixture
def open_page(lab, browser):
    """Open a notebook of the student's copy or of the teacher's."""
    pages = []

    def opened(name):
        folder = "student/fortress-niger/work" if "/" in name else "teacher"
        pages.append(steps.open_notebook(browser, f"{lab}/{folder}/{name}.ipynb"))
        pages[-1].keyboard.press("Control+B")  # more room: the list of files goes
        return pages[-1]

    yield opened
    for page in pages:
        page.close()


def question(page, item):
    """Return the last of the places in which a question stands on a page."""
    return page.locator(f'form[data-item="{item}"]').last


def said_to(form):
    """Return what a question's status region says once it has judged."""
    form.locator(".sq-verdict").wait_for()
    return form.get_by_role("status").inner_text()


# --- a student -------------------------------------------------------------------------------------------


def test_lesson_00_runs_and_keeps_a_prediction_made_by_keyboard(open_page):
    page = open_page("notebooks/00-start-here")
    steps.look_and_run(page)
    form = question(page, "00.2")
    form.get_by_role("slider").focus()
    for key in ("Home", *["PageUp"] * 3, "ArrowRight"):
        page.keyboard.press(key)
    percent = form.get_by_role("spinbutton").input_value()
    assert 0 < int(percent) < 100
    form.get_by_role("spinbutton").press("Enter")
    assert "Saved. Lesson 08 comes back to it." in said_to(form)
    # What a learner meets next: the error is mended, and the whole answer is still there.
    mended = steps.cell_with(page, "print(cuop)")
    steps.write_and_run(page, mended, "print(coup)")
    assert "2023-07-26 00:00:00" in mended.locator(".jp-OutputArea-output").inner_text()
    steps.save(page)
    page.reload()
    steps.run_all_to_the_end(page)
    form.locator(".sq-verdict").wait_for()
    assert form.get_by_role("spinbutton").input_value() == percent


def test_lesson_01_takes_a_first_and_a_second_vote_and_explains_only_then(open_page):
    page = open_page("notebooks/01-two-briefs-one-coup")
    steps.look_and_run(page)
    first = page.locator('form[data-item="01.1"]').first
    first.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert "Talk it over, then answer again" in said_to(first)
    assert first.locator(".sq-lines li").count() == 0
    picture(page, "vote", first)
    again = question(page, "01.1")
    again.get_by_label("One is about the days after the coup").check()
    again.get_by_role("button", name="Check answer").click()
    assert "Right" in said_to(again)
    assert again.locator(".sq-lines li").count() > 0
    sure = question(page, "01.4")
    sure.get_by_label("We looked, found no trace of it").check()
    sure.get_by_role("group", name="How sure are you?").get_by_role("radio").nth(1).check()
    sure.get_by_role("button", name="Show hint 1").click()
    sure.get_by_role("button", name="Check answer").click()
    assert "Not right" in said_to(sure)
    picture(page, "quiz-item", sure)


def test_lesson_02_follows_the_keyboard_and_ends_in_a_code(open_page, made):
    page = open_page("notebooks/02-the-coup-timeline")
    steps.look_and_run(page)
    slider = page.locator(".jupyter-widgets.widget-slider [role=slider]").first
    explorer = page.locator(".jp-OutputArea-output", has=slider)
    before = explorer.locator("img").get_attribute("alt")
    slider.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "before => document.querySelector('.widget-html img').alt !== before", arg=before, timeout=20_000
    )
    steps.idle(page)
    picture(page, "timeline", page.locator(".widget-slider").first, explorer.locator("figure"))
    figures = page.locator(".jp-OutputArea-output figure")
    map_of_coups = figures.filter(has=page.locator("img[alt^='Coups from 2020']"))
    picture(page, "map", map_of_coups)
    with_table = figures.filter(has=page.locator("img[alt^='Two different fives']"))
    with_table.locator("summary").click()
    assert "1974" in with_table.locator("table").inner_text()
    picture(page, "figure-with-table", with_table)

    vote = question(page, "02.1")
    for chosen in ("Niger denounces its military accords", "The EU suspends budget support"):
        vote.get_by_label(chosen).check()
        vote.get_by_role("button", name="Check answer").click()
        said_to(vote)
    assert "Right" in said_to(vote)
    steps.cell_with(page, "cite.table(").locator(".cm-content").click()
    for key in ("Escape", "b", "Enter"):
        page.keyboard.press(key)
    page.keyboard.type('from sahel import class_code\n\nclass_code("02")')
    page.keyboard.press("Control+Enter")
    printed = steps.cell_with(page, "import class_code").locator(".jp-OutputArea-output")
    made.code = re.search(r"^02-[0-9A-Z-]+$", printed.inner_text(), re.MULTILINE).group()
    assert "1 of 10" in printed.inner_text()


def test_an_exercise_says_what_to_think_about_and_answers_stay_after_a_reload(open_page, made):
    page = open_page(f"exercises/{SET}")
    steps.run_all_to_the_end(page)
    assert steps.complaints(page) == 0, "an exercise that nobody has begun must not look broken"
    answer, checked = (steps.cell_with(page, text) for text in ("without_day = None", 'check("02.4"'))
    for text, said in ((RIGHT, "right"), (WRONG, TOLD)):
        steps.write_and_run(page, answer, text)
        steps.write_and_run(page, checked, 'check("02.4", without_day)')
        assert said in checked.locator(".jp-OutputArea-output").inner_text()
    statement = steps.cell_with(page, "Find the moves without a day", ".jp-MarkdownCell")
    picture(page, "exercise", statement, checked)
    written = steps.cell_with(page, "Write your answer here", ".jp-MarkdownCell")
    steps.write_in(page, written, ANSWER)
    page.keyboard.press("Shift+Enter")
    steps.save(page)
    page.reload()
    page.locator(".jp-MarkdownCell", has_text=ANSWER).wait_for()
    assert '"interval"' in steps.cell_with(page, "without_day = breaks").inner_text()
    assert TOLD in checked.locator(".jp-OutputArea-output").inner_text()


# --- a teacher -------------------------------------------------------------------------------------------


def grade(made):
    """Grade the class; on a system without walls, say what a teacher would have to say."""
    handed_in = made.root / "teacher" / "class" / "class.zip"
    arguments = ["grade", "02", handed_in, "--out", made.grades, "--seed", "26"]
    return course(*arguments, *([] if sys.platform == "linux" else ["--isolation", "none"]))


def test_a_teacher_grades_a_class_and_sees_where_it_failed(made, browser):
    folder = made.root / "teacher" / "class"
    made_up_class.main(folder)
    with zipfile.ZipFile(folder / "canvas.zip") as whole, zipfile.ZipFile(folder / "class.zip", "w") as some:
        for name in whole.namelist()[:CLASS_OF]:
            some.writestr(name, whole.read(name))
        some.write(made.unpacked / "work" / "exercises" / f"{SET}.ipynb", f"{STUDENT}_{SET}.ipynb")
    code, said = grade(made)
    assert (code, f"{CLASS_OF + 1} of {CLASS_OF + 1} graded" in said) == (0, True), said
    page = browser.new_page(viewport={"width": 1000, "height": 1400})
    page.goto((made.grades / "overview.html").as_uri())
    assert "Counts only: nobody is named here." in page.locator("main").inner_text()
    picture(page, "overview", page.locator("h1"), page.locator(".beside").first)
    page.close()


def test_a_teacher_reads_written_answers_and_the_student_reads_the_comment(open_page, made, browser):
    page = open_page("hand-grading")
    page.locator(".cm-line", has_text='grades = ""').click(position={"x": 5, "y": 8})
    page.keyboard.press("Home")
    for _ in 'grades = "':
        page.keyboard.press("ArrowRight")
    page.keyboard.type(str(made.grades))
    steps.run_all_to_the_end(page)
    shown = page.get_by_role("region", name="Answer")
    panel = page.locator(".jp-OutputArea-output", has=shown)
    shown.wait_for()
    assert "madeup" not in panel.inner_text(), "names are hidden"
    panel.get_by_label("Show names").check()
    panel.get_by_text("madeup").wait_for()
    first = re.search(r"madeup\d+", panel.inner_text()).group()
    panel.get_by_label("Show names").uncheck()
    mark(panel, 4, "You name both ends, and say why.")
    for place in range(2, CLASS_OF + 2):
        panel.get_by_role("button", name="Next without a mark").click()
        panel.get_by_text(f"Answer {place} of ").wait_for()
        if ANSWER in shown.inner_text():
            break
    mark(panel, 1, COMMENT)
    picture(page, "hand-grading", panel)
    assert grade(made)[0] == 0
    page.goto(feedback_of(made, "madeup31"))
    assert COMMENT in page.locator("main").inner_text()
    assert TOLD in page.locator("main").inner_text()
    page.goto(feedback_of(made, first))
    assert COMMENT not in page.locator("main").inner_text()
    picture(page, "feedback", page.locator("main"))


def mark(panel, points, comment):
    """Give points and a comment in the panel; both are saved as they are given."""
    panel.get_by_role("button", name=str(points), exact=True).click()
    panel.get_by_text(f"Saved: {points} of 4 points.").wait_for()
    panel.get_by_placeholder("The student reads this.").fill(comment)
    panel.get_by_text("Graded by").click()  # leaving the field saves
    panel.get_by_text(f"Saved: {points} of 4 points, and the comment.").wait_for()


def feedback_of(made, name):
    """Return the address of a student's page of feedback."""
    (page,) = (made.grades / "feedback").glob(f"{name}-*.html")
    return page.as_uri()


def codes_of_a_made_up_class():
    """Return codes of lesson 02: the votes of twelve made-up students, by a recorded seed."""
    form, chance = all_forms()["02"], random.Random(26)
    for _ in range(12):
        first = chance.choice([0, 1, 2, 2, 3, 4])
        second = 2 if chance.random() < 0.6 else first
        right = chance.random() < 0.6
        kept = {"02.1": Kept(first, second, 0), "02.5": Kept(int(right), None, chance.choice([2 + right, 1]))}
        yield form.write(Sheet("02", "", kept))


def test_a_teacher_pastes_the_codes_and_sees_how_the_class_voted(open_page, made):
    assert made.code, "the student's own, from lesson 02"
    page = open_page("class-board")
    steps.run_all_to_the_end(page)
    page.get_by_label("Codes").fill("\n".join([made.code, *codes_of_a_made_up_class()]))
    page.get_by_role("button", name="Draw the board").click()
    board = page.locator(".class-board")
    board.wait_for()
    assert "13" in board.inner_text()
    picture(page, "class-board", page.get_by_label("Codes"), board.locator(".beside").first)
