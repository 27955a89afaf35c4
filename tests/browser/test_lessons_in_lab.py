"""The lessons as a student meets them in JupyterLab: first as saved, then run from top to bottom.

The first three are walked in test_journeys. Pictures are kept where SAHEL_SCREENSHOTS names a folder.
"""

import os
import shutil
from pathlib import Path

import pytest

from tests.browser import steps
from tests.browser.conftest import running_lab

COURSE = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.name for path in (COURSE / "notebooks").glob("*.ipynb") if path.name >= "03")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a copy of the lessons."""
    root = tmp_path_factory.mktemp("lab")
    for folder in ("notebooks", "exercises"):
        shutil.copytree(COURSE / folder, root / "work" / folder)
    with running_lab(root, root / "work") as address:
        yield address


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_shows_its_figures_and_questions_saved_and_run(lab, browser, name):
    page = steps.open_notebook(browser, f"{lab}/notebooks/{name}")
    steps.look_and_run(page)
    folder = os.environ.get("SAHEL_SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name.removesuffix('.ipynb')}.png"))
    page.close()
