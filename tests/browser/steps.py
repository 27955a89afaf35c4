"""What a person does in JupyterLab and looks at there, for the tests in this folder; and pictures of it.

Pictures are taken only where SAHEL_PICTURES names a folder, as `course.py build --pictures` does.
"""

import io
import os
from pathlib import Path

from tests.browser.conftest import run_all_cells

A_MINUTE = 60_000
COLOURS = 128  # enough for a page and its charts; makes a picture a third as large
MARGIN = 6
AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def axe_faults(page, include=None, exclude=(), rules=None):
    """Return what axe finds: the rule, and the first places."""
    from axe_playwright_python.sync_playwright import Axe

    context = {"include": include or ["html"], "exclude": list(exclude)}
    found = Axe().run(page, context=context, options={"runOnly": AA, "rules": rules or {}})
    return [
        (fault["id"], [node["html"][:160] for node in fault["nodes"][:3]])
        for fault in found.response["violations"]
    ]


def open_notebook(browser, address, height=1600):
    """Open a notebook and wait until it can be read."""
    page = browser.new_page(viewport={"width": 1200, "height": height})
    page.set_default_timeout(A_MINUTE)
    page.goto(f"{address}?reset")
    page.locator(".jp-RenderedHTMLCommon h1").first.wait_for()
    page.wait_for_timeout(1500)
    return page


def idle(page):
    """Wait until Python has nothing more to do."""
    page.locator(".jp-StatusBar-Widget", has_text="| Idle").wait_for(timeout=A_MINUTE)


def run_all_to_the_end(page):
    """Run all cells and wait for the last."""
    run_all_cells(page)
    page.wait_for_function(
        """() => [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')]
        .every((prompt) => /\\[\\d+\\]/.test(prompt.textContent))""",
        timeout=A_MINUTE,
    )
    idle(page)


def faults(page):
    """Return what nobody should see: pictures without words, widgets that do not show."""
    wordless = page.evaluate(
        """() => [...document.querySelectorAll('.jp-OutputArea-output img')]
        .filter((img) => !img.naturalWidth || (img.alt || '').split(' ').length < 6)
        .map((img) => img.outerHTML.slice(0, 80))"""
    )
    text = page.locator(".jp-Notebook").inner_text()
    broken = ("model not found", "Loading widget", "Error displaying widget")
    return wordless + [words for words in broken if words in text]


def complaints(page):
    """Return how many outputs are errors or warnings (JupyterLab gives both the mime type of stderr)."""
    return page.locator("[data-mime-type$='jupyter.stderr'], [data-mime-type$='jupyter.error']").count()


def look_and_run(page):
    """Look at a lesson as it was saved, run it, and look again."""
    assert faults(page) == []
    # Nothing has been run, so there is no live widget to show.
    assert page.locator(".jp-OutputArea-output", has_text="Run this cell to answer").count() > 0
    saved_errors = complaints(page)
    run_all_to_the_end(page)
    page.locator(".sahel-quiz form").first.wait_for()
    assert faults(page) == []
    assert complaints(page) == saved_errors, "a cell failed or warned that did not when the lesson was built"


def cell_with(page, text, kind=".jp-CodeCell"):
    """Return the first cell in which a text stands, by its place: its text may change."""
    cells = page.locator(f".jp-Notebook {kind}")
    return cells.nth(next(n for n, words in enumerate(cells.all_inner_texts()) if text in words))


def write_in(page, cell, text):
    """Write a text in place of what is in a cell, opening it first if it shows what was written."""
    if not cell.locator(".cm-content").is_visible():
        cell.locator(".jp-MarkdownOutput").dblclick()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def write_and_run(page, cell, text):
    """Write a text in place of what is in a code cell, run it, and wait for what it gives."""
    write_in(page, cell, text)
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.inner_text().strip()
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        "([prompt, before]) => /\\[\\d+\\]/.test(prompt.textContent) && prompt.textContent.trim() !== before",
        arg=[prompt.element_handle(), before],
    )
    idle(page)


def save(page):
    """Save the notebook by its shortcut and wait until it is saved."""
    page.keyboard.press("Control+S")
    page.locator(".lm-DockPanel .jp-mod-current.jp-mod-dirty").wait_for(state="detached")


def picture(page, name, first, last=None):
    """Keep a picture of what lies from one part of the page to another, where pictures are wished."""
    folder = os.environ.get("SAHEL_PICTURES")
    if not folder:
        return
    from PIL import Image

    first.evaluate("(part) => { part.style.scrollMarginTop = '20px'; part.scrollIntoView(); }")
    page.mouse.move(0, 0)
    page.wait_for_timeout(600)
    boxes = [part.bounding_box() for part in (first, last or first)]
    left, top = min(box["x"] for box in boxes), min(box["y"] for box in boxes)
    right = max(box["x"] + box["width"] for box in boxes)
    bottom = max(box["y"] + box["height"] for box in boxes)
    left, top = max(0, left - MARGIN), max(0, top - MARGIN)
    clip = {"x": left, "y": top, "width": right + MARGIN - left, "height": bottom + MARGIN - top}
    shot = Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")
    few = shot.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(Path(folder) / f"{name}.png", optimize=True)
