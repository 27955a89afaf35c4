"""How fast is the quiz in a real JupyterLab and a real Chromium?

    python3 course.py run benchmarks.quiz_widget

Three things: what importing the quiz costs beyond pandas and IPython, which a notebook has loaded anyway; how long
ten items need from the run of their cell to the screen; and how long feedback needs from the press of a key to the
text. The last two stand beside what a bare ipywidgets program needs for the same on the same machine: ten sets of
radio buttons, and a button that writes one line. The course promises 150 ms, 300 ms, and 100 ms in the median with
250 ms at the 95th percentile.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from tests.browser.conftest import CHROMIUM, FLAGS, running_lab

ROUNDS = 15
TRIES = 40
BASE = "import pandas, IPython.display"
QUIZ = f"{BASE}; from sahel.quizzes.widget import QuizWidget"
CELLS = {
    "imports": "import ipywidgets as w\nfrom sahel import quiz\nfrom sahel.quizzes.widget import QuizWidget",
    "ten items": "from IPython.display import display\nfrom sahel.quizzes import bank\n"
    'display(QuizWidget((bank.items("08") + bank.items("01"))[:10]))',
    "ten bare radios": 'for n in range(10):\n    display(w.RadioButtons(options=list("abcd")))',
    "feedback": 'quiz("01.2")',
    "bare feedback": 'button, line = w.Button(description="Check"), w.HTML()\nsaid = []\n'
    "def write(_):\n    said.append(1)\n    line.value = f'<b class=said>{len(said)}</b>'\n"
    "button.on_click(write)\ndisplay(button, line)",
}
# Time from running a cell until so many elements stand in the page and have a size.
RUN_CELL = """async ([number, selector, count]) => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = number;
  const before = document.querySelectorAll(selector).length;
  const started = performance.now();
  window.jupyterapp.commands.execute('notebook:run-cell');
  return await new Promise((done) => {
    const look = () => {
      const found = [...document.querySelectorAll(selector)].slice(before);
      if (found.length >= count && found.every((e) => e.getBoundingClientRect().height > 0))
        done(performance.now() - started);
      else requestAnimationFrame(look);
    };
    look();
  });
}"""
# From the next key press on: time until an element that fits is new in the page.
WATCH = """(selector) => {
  window.waited = new Promise((done) => {
    document.addEventListener('keydown', () => {
      const started = performance.now();
      const old = document.querySelector(selector)?.textContent + document.querySelectorAll(selector).length;
      const mark = document.querySelector(selector);
      new MutationObserver((_, observer) => {
        const now = document.querySelector(selector);
        if (now && (now !== mark || now.textContent + document.querySelectorAll(selector).length !== old)) {
          observer.disconnect();
          done(performance.now() - started);
        }
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
    }, { once: true, capture: true });
  });
}"""


def import_seconds(program: str) -> float:
    """Return the seconds that one program needs in a fresh Python."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - started


def measure_imports() -> None:
    """Print what importing the quiz costs beyond its base."""
    pairs = [(import_seconds(BASE), import_seconds(QUIZ)) for _ in range(ROUNDS)]
    base, quiz = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"import: {1000 * (quiz - base):.0f} ms beyond pandas and IPython ({base:.2f} s); promised: 150 ms")


def key_to_text(page: Any, button: Any, selector: str) -> list[float]:
    """Press Enter on a button again and again; return the milliseconds until its text is there, each time."""
    found = []
    for _ in range(TRIES):
        button.focus()
        page.evaluate(WATCH, selector)
        page.keyboard.press("Enter")
        found.append(page.evaluate("() => window.waited"))
        page.wait_for_timeout(120)
    return found


def measure_page(page: Any) -> None:
    """Run the cells, and print how long items and feedback need."""
    page.locator(".jp-StatusBar-Widget", has_text="| Idle").wait_for()
    page.evaluate(RUN_CELL, [0, "body", 0])
    page.wait_for_timeout(5000)
    for number, name, selector in (
        (1, "ten items", "form[data-item]"),
        (2, "ten bare radios", ".widget-radio"),
    ):
        print(
            f"{name}: {page.evaluate(RUN_CELL, [number, selector, 10]):.0f} ms from the cell's run to the screen"
        )
        page.wait_for_timeout(1000)
    page.evaluate(RUN_CELL, [3, 'form[data-item="01.2"]', 1])
    form = page.locator('form[data-item="01.2"]').last
    form.get_by_role("checkbox").first.check()
    page.evaluate(RUN_CELL, [4, ".jupyter-button", 1])
    bare = page.get_by_role("button", name="Check", exact=True)
    for name, button, selector in (
        ("feedback", form.get_by_role("button", name="Check answer"), ".sq-verdict"),
        ("bare feedback", bare, ".said"),
    ):
        times = key_to_text(page, button, selector)
        high = statistics.quantiles(times, n=20)[-1]
        print(
            f"{name}: median {statistics.median(times):.0f} ms, 95th percentile {high:.0f} ms, of {len(times)}"
        )


def main() -> None:
    """Measure, and print what was found."""
    from playwright.sync_api import sync_playwright

    measure_imports()
    if CHROMIUM is None:
        print("No Chromium on this computer: nothing else was measured.")
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        work = Path(folder) / "work"
        work.mkdir()
        nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS.values()])
        nb.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
        nbformat.write(nb, work / "quiz.ipynb")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with running_lab(Path(folder), work) as address:
            page = browser.new_page(viewport={"width": 1100, "height": 9000})
            page.goto(f"{address}/quiz.ipynb")
            measure_page(page)
        browser.close()


if __name__ == "__main__":
    main()
