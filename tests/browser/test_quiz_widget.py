"""The quiz in a real browser on a real JupyterLab, answered by the keyboard alone.

The items are made up for the tests. Pictures are kept where SAHEL_SCREENSHOTS names a folder.
"""

import json
import os
import shutil
from pathlib import Path

import nbformat
import pytest

from sahel_teacher.bank import build_quizzes
from tests.browser.conftest import run_all_cells, running_lab
from tests.browser.steps import axe_faults

COURSE = Path(__file__).resolve().parents[2]
MADE_UP = COURSE / "tests" / "quiz_items"
ANNOUNCED_WITHIN = 10_000  # milliseconds, on a busy machine


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab with the made-up bank and folders of its own; gives the notebook's address and the folder."""
    root = tmp_path_factory.mktemp("lab")
    shutil.copytree(MADE_UP, root / "course")
    for name in ("quizzes/schema.json", "words.yaml"):
        shutil.copy(COURSE / "content" / "en" / name, root / "course" / "content" / "en" / name)
    build_quizzes(root / "course")
    write_notebook(root / "work" / "quiz.ipynb")
    with running_lab(root, root / "work", SAHEL_BUILT=str(root / "course/src/sahel/built")) as address:
        yield f"{address}/quiz.ipynb", root


def write_notebook(path):
    nb = nbformat.v4.new_notebook()
    nb.cells = [nbformat.v4.new_code_cell('from sahel.quizzes import quiz\n\nquiz("99")')]
    nb.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    path.parent.mkdir()
    nbformat.write(nb, path)


@pytest.fixture(scope="module")
def page(lab, browser):
    """The notebook, open in a browser and run once."""
    page = browser.new_page(viewport={"width": 1100, "height": 4600})
    page.set_default_timeout(30_000)
    page.goto(lab[0])
    run_all(page)
    return page


def run_all(page):
    page.locator(".jp-StatusBar-Widget", has_text="| Idle").wait_for()
    page.evaluate("() => document.querySelectorAll('.sahel-quiz').forEach((old) => old.remove())")
    run_all_cells(page)
    question(page, "99.4").wait_for()


def question(page, item_id):
    return page.locator(f'form[data-item="{item_id}"]')


def expect_said(page, item_id, text):
    """Wait until the question's status region says this."""
    status = question(page, item_id).get_by_role("status")
    status.filter(has_text=text).wait_for(timeout=ANNOUNCED_WITHIN)
    assert status.count() == 1


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def focused(page):
    """Return what has the focus: its accessible name, or its text."""
    return page.evaluate("() => document.activeElement.ariaLabel || document.activeElement.innerText.trim()")


def tab_to(page, name):
    """Press Tab until the button of this name has the focus."""
    for _ in range(12):
        if focused(page).endswith(name):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not lead to {name!r}; it stopped at {focused(page)!r}")


def shown_order(page):
    return question(page, "99.3").locator(".sq-slot").all_inner_texts()


def picture(page, name):
    folder = os.environ.get("SAHEL_SCREENSHOTS")
    if folder:
        page.locator(".sahel-quiz").screenshot(path=str(Path(folder) / f"{name}.png"))


def test_single_choice_by_keyboard(page):
    form = question(page, "99.1")
    form.get_by_role("radio").first.focus()
    press(page, "Space", "ArrowDown")
    assert form.get_by_role("radio", checked=True).count() == 1
    assert form.get_by_role("radio").nth(1).is_checked(), "an arrow key must move the choice, not the cell"
    press(page, "ArrowUp")
    tab_to(page, "Check answer")
    press(page, "Enter")
    expect_said(page, "99.1", "Not right. You can try again.")
    expect_said(page, "99.1", "Two is the smallest of the three.")
    expect_said(page, "99.1", "Source: Brief A, S1")
    assert focused(page) == "Check answer", "the focus must stay where it was"


def test_hints_come_one_at_a_time(page):
    form = question(page, "99.1")
    form.get_by_role("button", name="Show hint 1 of 2").focus()
    press(page, "Enter")
    form.get_by_text("Count on your fingers.").wait_for()
    assert form.get_by_text("It is more than eight.").count() == 0
    press(page, "Enter")
    form.get_by_text("It is more than eight.").wait_for()
    assert "It is more than eight." in focused(page), "the button is gone: the focus must not be lost with it"


def test_multiple_choice_by_keyboard_and_html_stays_text(page):
    form = question(page, "99.2")
    boxes = form.get_by_role("checkbox")
    boxes.first.focus()
    tab_to(page, "Check answer")
    press(page, "Enter")
    expect_said(page, "99.2", "Choose an answer first.")
    boxes.first.focus()
    press(page, "Space", "Tab", "Tab", "Tab", "Space", "Enter")
    expect_said(page, "99.2", "Not right. You can try again.")
    expect_said(page, "99.2", "<script>alert(1)</script> One leaves one when halved.")
    assert form.locator("b").count() == 0


def test_order_by_keyboard_says_the_new_position(page):
    form = question(page, "99.3")
    right = ["One", "Two", "Three", "Four"]
    first = shown_order(page)
    assert sorted(first) == sorted(right)
    assert first != right
    form.get_by_role("button", name=f"Down: {first[0]}").focus()
    press(page, "Enter")
    expect_said(page, "99.3", f"“{first[0]}” is now 2 of 4.")
    assert shown_order(page)[:2] == [first[1], first[0]]
    assert focused(page) == f"Down: {first[0]}", "the focus must move with the item"
    for place, text in enumerate(right):
        form.get_by_role("button", name=f"Up: {text}").focus()
        for _ in range(shown_order(page).index(text) - place):
            press(page, "Enter")
    press(page, "Enter")
    expect_said(page, "99.3", "“Four” is now 3 of 4.")
    tab_to(page, "Check answer")
    press(page, "Enter")
    expect_said(page, "99.3", "Partly right: 67 percent of the credit.")


def test_a_probability_by_keyboard(page):
    form = question(page, "99.4")
    form.get_by_role("slider").focus()
    tab_to(page, "Save")
    press(page, "Enter")
    expect_said(page, "99.4", "Give a whole number from 0 to 100 first.")
    form.get_by_role("slider").focus()
    press(page, "Home", "ArrowRight", "ArrowRight", "ArrowRight")
    assert form.get_by_role("spinbutton").input_value() == "3"
    form.get_by_role("spinbutton").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("35")
    assert form.get_by_role("slider").input_value() == "35"
    press(page, "Enter")
    expect_said(page, "99.4", "Saved. Lesson 08 comes back to it.")
    press(page, "Tab", "Space", "Enter")
    expect_said(page, "99.4", "Saved. Lesson 08 comes back to it.")


def choose(page, select, *keys):
    """Choose in a select by keys, and check that the focus stays in it."""
    select.focus()
    press(page, *keys)
    assert select.evaluate("(box) => box === document.activeElement"), "JupyterLab must not take the keys"


def test_match_by_keyboard(page):
    form = question(page, "99.6")
    selects = form.get_by_role("combobox")
    names = ["Four", "Six & more", "Two"]
    assert [form.get_by_label(name, exact=True).count() for name in names] == [1, 1, 1]
    assert form.locator("i").count() == 0, "HTML stays text"
    choose(page, selects.nth(0), "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown")
    choose(page, selects.nth(1), "ArrowDown")
    tab_to(page, "Check answer")
    press(page, "Enter")
    expect_said(page, "99.6", "Choose something for each line first.")
    choose(page, selects.nth(2), "4")
    tab_to(page, "Check answer")
    press(page, "Enter")
    expect_said(page, "99.6", "Partly right: 67 percent of the credit.")
    expect_said(page, "99.6", "Two → Two (not right): Two is the whole, not the half.")


def test_classify_by_keyboard(page):
    form = question(page, "99.7")
    statements = form.get_by_role("group").filter(has=page.get_by_role("radio"))
    groups = [
        form.get_by_role("group", name=name, exact=True)
        for name in (
            "Seven is the number of this statement.",
            "Eight is the number of this one.",
            "Nine is the number of the last one.",
        )
    ]
    assert statements.count() == 4, "each statement has a legend of its own, inside that of the question"
    groups[0].get_by_role("radio").first.focus()
    press(page, "Space", "ArrowRight", "Tab", "Space")
    tab_to(page, "Check answer")
    press(page, "Enter")
    expect_said(page, "99.7", "Choose something for each line first.")
    groups[2].get_by_role("radio", name="Even").focus()
    press(page, "Space", "Enter")
    expect_said(page, "99.7", "Partly right: 67 percent of the credit.")
    assert groups[0].get_by_role("radio", name="Odd").is_checked(), "one group must not undo another"
    expect_said(
        page, "99.7", "Nine is the number of the last one. → Even (not right): Nine leaves one when halved."
    )


def retype(page, box, text):
    """Replace what is in a box by typing: JupyterLab has shortcuts on letters, on 1, and on 0 twice."""
    box.focus()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.type(text)
    assert box.input_value() == text
    page.keyboard.press("Enter")


def test_a_number_by_keyboard_with_how_sure_one_is(page):
    form = question(page, "99.8")
    box = form.get_by_label("Your answer, in made-up units")
    for text in ("", "dd", "1,500", "1,500,000", "1e3", "400 units"):
        retype(page, box, text)
        expect_said(page, "99.8", "Write one number in digits first")
    retype(page, box, "4 0.00")
    expect_said(page, "99.8", "Choose how sure you are first.")
    form.get_by_role("group", name="How sure are you?").get_by_role("radio").first.focus()
    press(page, "Space", "ArrowDown", "ArrowDown", "Enter")
    expect_said(page, "99.8", "Marks for being right and knowing it: −6.")
    expect_said(page, "99.8", "40 made-up units (not right): Forty is ten times four.")
    for text in ("0,4", ".4", "+0.40"):
        retype(page, box, text)
        expect_said(page, "99.8", "knowing it: +3.")


def test_countries_by_keyboard_and_on_the_map(page):
    form = question(page, "99.9")
    boxes = form.get_by_role("checkbox")
    boxes.first.focus()
    press(page, "Tab", "Space", "Tab", "Space")
    assert form.locator("path.sq-chosen title").all_text_contents() == ["Made-up Corner", "Made-up Left"]
    form.locator("path", has=page.locator("title", has_text="A made-up Right")).click()
    assert form.get_by_label("A made-up Right", exact=True).is_checked(), "a click on the map ticks the list"
    form.locator("path", has=page.locator("title", has_text="Made-up Corner")).click()
    assert not form.get_by_label("Made-up Corner", exact=True).is_checked()
    boxes.first.focus()
    press(page, "Space", "Enter")
    expect_said(page, "99.9", "Partly right: 50 percent of the credit.")
    expect_said(page, "99.9", "Made-up Left (right): It touches the left edge.")
    assert form.locator("svg").get_by_role("checkbox").count() == 0


def test_axe_finds_nothing_and_targets_are_large_enough(page):
    for theme in ("Light", "Dark"):
        set_theme(page, theme)
        assert axe_faults(page, [".sahel-quiz"]) == []
        picture(page, theme.lower())
    set_theme(page, "Light")
    small = page.evaluate(
        """() => [...document.querySelectorAll('.sahel-quiz :is(button, input, select)')]
        .map((part) => [part.outerHTML, part.getBoundingClientRect()])
        .filter(([, box]) => box.width < 24 || box.height < 24).map(([html]) => html)"""
    )
    assert small == []


def set_theme(page, theme):
    page.evaluate(
        f"() => window.jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}})"
    )
    page.wait_for_function(
        "light => document.body.dataset.jpThemeLight === light", arg=str(theme == "Light").lower()
    )
    page.wait_for_timeout(500)


def test_at_320_pixels_nothing_is_cut_off(page):
    page.evaluate("() => (document.querySelector('.sahel-quiz').style.width = '320px')")
    outside = page.evaluate(
        """() => {
          const root = document.querySelector('.sahel-quiz');
          const edge = root.getBoundingClientRect().right + 0.5;
          return [...root.querySelectorAll(':not(path, title)')]
            .filter((part) => part.getBoundingClientRect().right > edge || part.scrollWidth > part.clientWidth + 1
              && getComputedStyle(part).display !== 'inline')
            .map((part) => part.outerHTML.slice(0, 120));
        }"""
    )
    picture(page, "narrow")
    page.evaluate("() => (document.querySelector('.sahel-quiz').style.width = '')")
    assert outside == []


def test_answers_are_there_again_after_a_restart_of_the_kernel(page, lab):
    order = shown_order(page)
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name="Restart Kernel…").click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.wait_for_timeout(1000)
    question(page, "99.1").get_by_role("button", name="Check answer").click()
    expect_said(page, "99.1", "The kernel does not answer")
    run_all(page)
    expect_said(page, "99.1", "Two is the smallest of the three.")
    assert question(page, "99.1").get_by_role("radio").first.is_checked()
    assert [box.is_checked() for box in question(page, "99.2").get_by_role("checkbox").all()] == [
        True,
        False,
        False,
        True,
    ]
    assert shown_order(page) == order
    assert question(page, "99.4").get_by_role("spinbutton").input_value() == "35"
    assert question(page, "99.4").get_by_role("checkbox").is_checked()
    assert [box.input_value()[:2] for box in question(page, "99.6").get_by_role("combobox").all()] == [
        "4.",
        "1.",
        "4.",
    ]
    radios = question(page, "99.7").get_by_role("radio").all()
    assert [radio.is_checked() for radio in radios] == [False, True, True, False, True, False]
    assert question(page, "99.8").get_by_role("textbox").input_value() == "0.4"
    assert question(page, "99.8").get_by_role("radio").last.is_checked()
    assert question(page, "99.9").locator("path.sq-chosen title").all_text_contents() == ["Made-up Left"]
    expect_said(page, "99.8", "knowing it: +3.")
    kept = json.loads((lab[1] / "responses" / "99.json").read_text(encoding="utf-8"))
    assert kept["items"]["99.4"][-1]["known"] is True


# How a person with a mouse answers each made-up item.
BY_MOUSE = {
    "99.1": lambda form: form.get_by_role("radio").nth(1).click(),
    "99.2": lambda form: [box.click() for box in form.get_by_role("checkbox").all()],  # each the other way
    "99.3": lambda form: form.get_by_role("button", name="Down: ").first.click(),
    "99.4": lambda form: form.get_by_role("slider").click(position={"x": 10, "y": 8}),
    "99.5": lambda form: form.get_by_role("radio").first.click(),
    "99.6": lambda form: [box.select_option(index=1) for box in form.get_by_role("combobox").all()],
    "99.7": lambda form: [box.click() for box in form.get_by_role("radio").all()[::2]],
    "99.8": lambda form: (form.get_by_role("textbox").fill("12"), form.get_by_role("radio").first.click()),
    "99.9": lambda form: [shape.click() for shape in form.locator("path:not(.sq-rest)").all()],
}


def kept_answers(lab):
    kept = json.loads((lab[1] / "responses" / "99.json").read_text(encoding="utf-8"))["items"]
    return {item_id: len(kept.get(item_id, [])) for item_id in BY_MOUSE}


def test_every_type_by_mouse(page, lab):
    assert {form.get_attribute("data-item") for form in page.locator("form[data-item]").all()} == set(
        BY_MOUSE
    )
    before = kept_answers(lab)
    for item_id, answer in BY_MOUSE.items():
        answer(question(page, item_id))
        question(page, item_id).locator("button[type=submit]").click()
        question(page, item_id).locator(".sq-verdict").wait_for(timeout=ANNOUNCED_WITHIN)
    assert kept_answers(lab) == {item_id: number + 1 for item_id, number in before.items()}


def test_whoever_asked_for_less_motion_sees_none(page):
    moving = """() => [...document.querySelectorAll('.sahel-quiz *')].filter((part) => {
      const style = getComputedStyle(part);
      return style.animationName !== 'none' || style.transitionDuration.split(',').some((s) => parseFloat(s) > 0);
    }).length"""
    assert page.evaluate(moving) > 0, "else this test would find nothing to switch off"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moving) == 0
    page.emulate_media(reduced_motion="no-preference")
