"""Whoever sees little, sees other colours, or has no mouse can use what we make: ACCESSIBILITY.md says what was tried.

The quiz is the real widget with its real marking, in a page of its own: no JupyterLab round it, so that every state can
be tried in every theme (test_quiz_widget.py tries it inside JupyterLab). All items, students and answers are made up.
"""

import re
import sys
from pathlib import Path

import nbformat
import pytest

from sahel.quizzes import bank
from sahel.quizzes.codes import Kept, Sheet, form_of
from sahel.quizzes.widget import QuizWidget
from sahel_teacher import board_page
from sahel_teacher.bank import build_quizzes
from sahel_teacher.exports import paper
from sahel_teacher.grading.collect import Submission
from sahel_teacher.grading.judge import Mark
from sahel_teacher.grading.marks import Marks
from sahel_teacher.grading.questions import open_set
from sahel_teacher.grading.reports import write_all
from tests.browser.steps import axe_faults
from tests.conftest import made_up_course
from tests.grading.made_up import ROOT, SETS

THEMES = Path(sys.prefix) / "share" / "jupyter" / "lab" / "themes" / "@jupyterlab"
# What WCAG 2.2, 1.4.12 asks a page to bear: lines, letters, words and paragraphs set wide.
WIDE = (
    "*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}"
    "p{margin-bottom:2em!important}"
)
# Runs the front end with a model whose other end is Python, as in JupyterLab.
MOUNT = """async ([code, state]) => {
  const url = URL.createObjectURL(new Blob([code], {type: 'text/javascript'}));
  const heard = {};
  const model = {
    get: (name) => state[name],
    on: (name, action) => (heard[name] = action),
    async send(content) {
      Object.assign(state, await window.toPython(content));
      Object.values(heard).forEach((action) => action());
    },
  };
  (await import(url)).default.render({model, el: document.querySelector('#quiz')});
}"""
FOCUS = """() => {
  const here = document.activeElement;
  const marked = [here, here.closest('label')].filter(Boolean).map((part) => getComputedStyle(part));
  return {
    item: here.closest('form')?.dataset.item ?? '',
    name: here.ariaLabel || here.innerText.trim(),
    submits: here.type === 'submit',
    outline: Math.max(...marked.map((s) => (s.outlineStyle === 'none' ? 0 : parseFloat(s.outlineWidth)))),
    order: [...document.querySelectorAll('*')].indexOf(here),
  };
}"""
OUTSIDE = """() => {
  const edge = document.documentElement.clientWidth + 1;
  const scrolls = (part) => part && (['auto', 'scroll'].includes(getComputedStyle(part).overflowX)
    || scrolls(part.parentElement));
  return [...document.body.querySelectorAll(':not(svg *)')]
    .filter((part) => part.getBoundingClientRect().right > edge && !scrolls(part.parentElement))
    .map((part) => part.outerHTML.slice(0, 100));
}"""
# The first answers are wrong, or a first vote; the second ones are right. From the question's first control on.
FIRST = {
    "99.1": ["Space"],
    "99.2": ["Space"],
    "99.3": [],
    "99.4": ["ArrowRight"],
    "99.5": ["Space"],
    "99.6": ["4", "Tab", "1", "Tab", "4"],
    "99.7": ["Space", "Tab", "Space", "Tab", "Space"],
    "99.8": ["4", "0", "Tab", "Space"],
    "99.9": ["Space"],
}
SECOND = {
    "99.1": ["ArrowDown"],
    "99.2": ["Tab", "Tab", "Space"],
    "99.3": [*["Tab"] * 6, *["Enter"] * 3],
    "99.4": ["ArrowLeft"],
    "99.5": [],
    "99.6": ["Tab", "Tab", "2"],
    "99.7": ["ArrowRight", "Tab", "Tab", "ArrowRight"],
    "99.8": ["Control+A", "0", ".", "4"],
    "99.9": ["Space", "Tab", "Space", "Tab", "Space"],
}
SAID_FIRST = {"99.4": "Saved.", "99.5": "Your first vote is saved."}


pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The made-up questions, those that are answered in a role included."""
    root = made_up_course(tmp_path_factory.mktemp("course"), "quiz_items", "class_items")
    build_quizzes(root)
    return root / "src/sahel/built"


def open_quiz(browser, theme="light", **page):
    """Open the made-up quiz in a theme of JupyterLab, between two buttons."""
    widget = QuizWidget(bank.find("99"))
    names = ("words", "questions", "outcomes", "notice")

    def answer(content):
        widget._receive(widget, content, [])
        return {name: getattr(widget, name) for name in names}

    page = browser.new_page(**{"viewport": {"width": 1000, "height": 900}} | page)
    page.set_default_timeout(10_000)
    page.expose_function("toPython", answer)
    colours = (THEMES / f"theme-{theme}-extension" / "index.css").read_text(encoding="utf-8")
    page.set_content(
        f'<!doctype html><html lang="en"><head><title>Quiz</title><style>{colours}{widget._css}</style></head>'
        f'<body data-jp-theme-light="{str(theme == "light").lower()}" style="background:var(--jp-layout-color1)">'
        '<main><button>before</button><div id="quiz"></div><button>after</button></main></body></html>'
    )
    page.evaluate(MOUNT, [widget._esm, {name: getattr(widget, name) for name in names}])
    return page


def focus(page):
    return page.evaluate(FOCUS)


def tab_until(page, found, key="Tab"):
    """Press Tab until what is asked for has the focus."""
    for _ in range(60):
        now = focus(page)
        if found(now):
            return now
        page.keyboard.press(key)
    pytest.fail(f"{key} does not lead there; it stopped at {now}")


def answer_by_keyboard(page, tries, said):
    """Go once through the quiz by keys alone: answer, take a hint, check; then what is said must be there."""
    page.get_by_role("button", name="before").focus()
    for item, keys in tries.items():
        form = page.locator(f'form[data-item="{item}"]')
        tab_until(page, lambda now, item=item: now["item"] == item)
        for key in keys:
            page.keyboard.press(key)
        tab_until(page, lambda now, item=item: now["item"] == item and now["submits"])
        page.keyboard.press("Enter")
        form.get_by_role("status").filter(has_text=said.get(item, said[""])).wait_for()
        assert focus(page)["submits"], "the focus stays where it was"
        if form.get_by_role("button", name="Show hint").count():
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            assert form.locator(".sq-hints li").count() > 0


def test_all_eight_types_by_keyboard_alone_twice_and_axe_in_every_state(browser):
    page = open_quiz(browser)
    assert axe_faults(page, ["#quiz"]) == []
    answer_by_keyboard(page, FIRST, SAID_FIRST | {"": re.compile("^.{0,3}(Not|Partly) right")})
    assert axe_faults(page, ["#quiz"]) == []
    answer_by_keyboard(page, SECOND, {"99.4": "Saved.", "": re.compile("^.{0,3}Right")})
    assert axe_faults(page, ["#quiz"]) == []
    tab_until(page, lambda now: now["name"] == "after")
    page.close()
    for theme in ("dark", "dark-high-contrast"):
        page = open_quiz(browser, theme)  # what was answered above is there again
        assert page.locator(".sq-verdict").count() == len(FIRST)
        assert axe_faults(page, ["#quiz"]) == []
        page.close()


def test_tab_goes_through_in_order_is_always_seen_and_never_caught(browser):
    page = open_quiz(browser, "dark")
    for key, start, end in (("Tab", "before", "after"), ("Shift+Tab", "after", "before")):
        page.get_by_role("button", name=start).focus()
        seen = []
        while not seen or seen[-1]["name"] != end:
            page.keyboard.press(key)
            seen.append(focus(page))
            assert len(seen) < 80, "Tab goes round in a circle"
        assert {now["item"] for now in seen[:-1]} == set(FIRST)
        assert [now for now in seen[:-1] if now["outline"] < 2] == [], "nothing shows where the focus is"
        places = [now["order"] for now in seen]
        assert places == sorted(places, reverse=key != "Tab")
    page.close()


def test_nothing_is_lost_on_a_narrow_screen_with_wide_letters(browser):
    """320 pixels are a screen of 1280 at a zoom of 400 percent (WCAG 2.2, 1.4.10)."""
    page = open_quiz(browser, viewport={"width": 320, "height": 900})
    answer_by_keyboard(page, {"99.6": FIRST["99.6"], "99.8": FIRST["99.8"]}, {"": "ight"})
    page.add_style_tag(content=WIDE)
    assert page.evaluate(OUTSIDE) == []
    cut = "(part) => part.scrollWidth > part.clientWidth + 1 || part.scrollHeight > part.clientHeight + 1"
    assert not any(
        part.evaluate(cut) for part in page.locator(".sahel-quiz :is(button, .sq-status, legend)").all()
    )
    page.close()


def test_with_colours_of_the_readers_own_the_map_still_tells_chosen_from_not(browser):
    page = open_quiz(browser)
    page.emulate_media(forced_colors="active", color_scheme="dark")
    form = page.locator('form[data-item="99.9"]')
    form.get_by_role("checkbox").first.check()
    look = "(shape) => [getComputedStyle(shape).fill, getComputedStyle(shape).stroke]"
    chosen, other = (
        form.locator(which).first.evaluate(look)
        for which in ("path.sq-chosen", "path:not(.sq-chosen, .sq-rest)")
    )
    paper = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert chosen[0] not in (other[0], paper)
    assert other[1] != paper, "the border of a country is to be seen"
    page.close()


# --- pages ------------------------------------------------------------------------------------------------


def board():
    """The class board of two made-up lessons: every kind of figure and table, and something not counted."""
    made = []
    for lesson, role in (("99", ""), ("98", "made-up-left-side")):
        form = form_of(lesson)
        kept = [{item["id"]: Kept(n % 2, n % 2, 1 + n % 3) for item in form.items} for n in range(6)]
        kept = [
            {
                item["id"]: given[item["id"]]._replace(
                    **{"second": None} if item["type"] == "probability" else {}
                )
                for item in form.items
            }
            for given in kept
        ]
        made.append((form, [Sheet(lesson, role, given) for given in kept]))
    return board_page.whole_page(
        board_page.wrapped(board_page.sections(made), {"Not counted": ["Line 3: made up"]})
    )


def graded(folder):
    """The overview and one student's feedback, of two made-up students."""
    wrong = Mark("99.1", "failed", 0, note="A made-up note.", hint="A made-up hint.", misconception=1)
    marks_of = [
        [Mark("99.1", "passed", 1), Mark("99.7", "pending", None)],
        [wrong, Mark("99.2", "crashed", 0)],
    ]
    with Marks(folder / "marks.sqlite") as marks:
        run = marks.begin({"seed": 1, "set": "99"})
        for n, found in enumerate(marks_of):
            name = f"a-made-up-name-that-is-long-and-has-no-blank-{n}.ipynb"
            marks.add(run, Submission(f"k{n}", f"Made Up {n}", name, lambda: b""), "x", True, found)
        write_all(folder, open_set(ROOT, "99", SETS), marks)
    pages = [folder / "overview.html", *(folder / "feedback").glob("*.html")]
    return {page.stem: page.read_text(encoding="utf-8") for page in pages}


def test_pages_for_teachers_and_students_hold_to_the_rules_and_fit_a_phone(browser, tmp_path):
    pages = {"board": board()} | graded(tmp_path)
    sheets = paper.export({"99": bank.find("99")}).files
    pages |= {name: content.decode("utf-8") for name, content in sheets.items()}
    assert len(pages) == 6
    found = {}
    page = browser.new_page()
    for name, content in pages.items():
        page.set_viewport_size({"width": 1200, "height": 900})
        page.set_content(content)
        found[name] = axe_faults(page)
        page.set_viewport_size({"width": 320, "height": 700})
        page.add_style_tag(content=WIDE)
        found[name] += page.evaluate(OUTSIDE)
    page.close()
    assert {name: these for name, these in found.items() if these} == {}


def test_lessons_as_pages_hold_to_the_rules_and_fit_a_phone(browser):
    """As nbconvert and previews show them; what is Jupyter's own is left out and named in ACCESSIBILITY.md."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter()
    # Colours of text and of code, links without a line below them, the corner of pandas tables.
    theirs = ("color-contrast", "link-in-text-block", "empty-table-header")
    rules = {rule: {"enabled": False} for rule in theirs}
    code = [".jp-CodeCell > .jp-Cell-inputWrapper", ".jp-OutputPrompt"]
    found = {}
    page = browser.new_page()
    page.route("http*://**", lambda route: route.abort())
    for lesson in sorted((ROOT / "notebooks").glob("*.ipynb")):
        content, _ = exporter.from_notebook_node(nbformat.read(lesson, as_version=4))
        page.set_viewport_size({"width": 1200, "height": 900})
        page.set_content(content, wait_until="domcontentloaded")
        found[lesson.stem] = axe_faults(page, ["main"], code, rules)
        page.set_viewport_size({"width": 320, "height": 700})
        page.add_style_tag(content=WIDE)
        found[lesson.stem] += page.evaluate(OUTSIDE)
    page.close()
    assert {name: these for name, these in found.items() if these} == {}
