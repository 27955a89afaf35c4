"""The lessons as a student meets them in JupyterLab: first as saved, then run from top to bottom.

Pictures are kept where SAHEL_SCREENSHOTS names a folder.
"""

import os
import shutil
from pathlib import Path

import pytest

from tests.browser.conftest import run_all_cells, running_lab

COURSE = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.name for path in (COURSE / "notebooks").glob("*.ipynb"))
A_MINUTE = 60_000


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a copy of the lessons, as `course.py lab` hands them out."""
    root = tmp_path_factory.mktemp("lab")
    for folder in ("notebooks", "exercises"):
        shutil.copytree(COURSE / folder, root / "work" / folder)
    with running_lab(root, root / "work") as address:
        yield address


@pytest.fixture(params=LESSONS)
def page(request, lab, browser):
    """One lesson, open and not yet run."""
    page = browser.new_page(viewport={"width": 1200, "height": 1600})
    page.set_default_timeout(30_000)
    page.goto(f"{lab}/notebooks/{request.param}?reset")
    page.locator(".jp-RenderedHTMLCommon h1").first.wait_for()
    page.wait_for_timeout(1500)
    yield page
    picture(page, request.param.removesuffix(".ipynb"))
    page.close()


def picture(page, name):
    folder = os.environ.get("SAHEL_SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def pictures_without_words(page):
    return page.evaluate(
        """() => [...document.querySelectorAll('.jp-OutputArea-output img')]
        .filter((img) => !img.naturalWidth || (img.alt || '').split(' ').length < 6)
        .map((img) => img.outerHTML.slice(0, 80))"""
    )


def broken_widgets(page):
    text = page.locator(".jp-Notebook").inner_text()
    return [
        words for words in ("model not found", "Loading widget", "Error displaying widget") if words in text
    ]


def complaints(page):
    """Return how many outputs are errors or warnings (JupyterLab gives both the mime type of stderr)."""
    return page.locator("[data-mime-type$='jupyter.stderr'], [data-mime-type$='jupyter.error']").count()


def test_a_lesson_shows_its_figures_and_questions_saved_and_run(page):
    # As saved: nothing has been run, so there is no live widget to show.
    assert broken_widgets(page) == []
    assert pictures_without_words(page) == []
    assert page.locator(".jp-OutputArea-output", has_text="Run this cell to answer").count() > 0
    saved_errors = complaints(page)

    run_all_cells(page)
    page.wait_for_function(
        """() => [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')]
        .every((prompt) => /\\[\\d+\\]/.test(prompt.textContent))""",
        timeout=A_MINUTE,
    )
    page.locator(".jp-StatusBar-Widget", has_text="| Idle").wait_for()
    page.locator(".sahel-quiz form").first.wait_for()
    assert broken_widgets(page) == []
    assert pictures_without_words(page) == []
    assert complaints(page) == saved_errors, "a cell failed or warned that did not when the lesson was built"


def test_an_explorer_follows_the_keyboard(lab, browser):
    """In lesson 02 the arrow keys move the date, and picture and words follow."""
    name = next(name for name in LESSONS if name.startswith("02"))
    page = browser.new_page(viewport={"width": 1200, "height": 1600})
    page.goto(f"{lab}/notebooks/{name}?reset")
    run_all_cells(page)
    slider = page.locator(".jupyter-widgets.widget-slider [role=slider]").first
    slider.wait_for(timeout=A_MINUTE)
    figure = page.locator(".widget-html img").first
    before = figure.get_attribute("alt")
    slider.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "before => document.querySelector('.widget-html img').alt !== before", arg=before, timeout=20_000
    )
    page.close()
