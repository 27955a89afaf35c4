"""The course in a browser: the built site, opened in Chromium, where no address but its own server is reached.

Pyodide's core comes from the npm registry, and pure Python from the package index, in the versions of Pyodide's own
list. Pyodide's builds of pandas, matplotlib and pycryptodome are in neither: empty modules stand in for them, made up
below. So this shows that the course is found and loaded without a typed command, that its tables are there, that a
quiz is answered, kept and found again. It does not show that a lesson's pandas and figures run.
"""

import functools
import hashlib
import http.server
import json
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile

import pytest

from sahel import checks
from sahel.quizzes import quiz
from sahel_teacher.errors import BuildError
from sahel_teacher.site import FROM_INDEX, build_site
from tests.browser.steps import axe_faults

TWO_MINUTES = 120_000
PURE = ["asttokens", "decorator", "executing", "ipython", "jedi", "matplotlib-inline", "micropip", "parso"]
PURE += [
    "prompt-toolkit",
    "pure-eval",
    "pygments",
    "six",
    "stack-data",
    "traitlets",
    "typing-extensions",
    "wcwidth",
]
STAND_INS = {"pandas": "class DataFrame:\n    pass\n", "matplotlib": "", "pycryptodome": ""}
LOOK = """
import csv, json
from pathlib import Path
from sahel.data import data_folder
kept = json.loads(Path("/drive/responses/02.json").read_text(encoding="utf-8"))["items"]["02.4"]
print("answers:", len(kept))
with (data_folder() / "events.csv").open(encoding="utf-8") as file:
    print("events:", len(list(csv.DictReader(file))), "here:", Path.cwd(), Path("02-the-coup-timeline.ipynb").exists())
"""


def fetched(command, folder):
    """Run a client of a package registry; skip where it is not there or reaches nothing."""
    program = shutil.which(command[0])
    if program is None:
        pytest.skip(f"no {command[0]} on this computer: the browser edition is not tried")
    done = subprocess.run([program, *command[1:]], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{command[0]} cannot fetch what the browser edition needs: {done.stderr.strip()[-200:]}")
    return done.stdout.split()


def made_up_wheel(folder, name, code):
    path = folder / f"{name}-0-py3-none-any.whl"
    info = f"{name}-0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", code)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture(scope="module")
def pyodide(tmp_path_factory):
    """A folder as a downloaded Pyodide would be, with as much of it as can be had; the rest stands in."""
    constants = pytest.importorskip("jupyterlite_pyodide_kernel.constants")
    folder = tmp_path_factory.mktemp("pyodide")
    (archive,) = fetched(["npm", "pack", "--silent", f"pyodide@{constants.PYODIDE_VERSION}"], folder)
    with tarfile.open(folder / archive) as packed:
        packed.extractall(folder, filter="data")
    folder = folder / "package"
    lock = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))
    packages = lock["packages"]
    wanted = [f"{name}=={packages[name]['version']}" for name in PURE]
    options = [
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--platform=any",
        "--implementation=py",
        "--abi=none",
    ]
    options += ["--python-version=3.14", "--dest=.", *wanted]
    fetched([sys.executable, "-m", "pip", "download", *options], folder)
    made_up = {name: made_up_wheel(folder, name, code) for name, code in STAND_INS.items()}
    for name in [*PURE, *STAND_INS]:
        if name in made_up:
            packages[name] |= {"file_name": made_up[name].name, "depends": [], "imports": [name]}
        wheel = folder / packages[name]["file_name"]
        packages[name]["sha256"] = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (folder / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def site(root, pyodide, tmp_path_factory):
    """The site, built once for all tests here."""
    out = tmp_path_factory.mktemp("site") / "site"
    said = build_site(root, out, pyodide)
    assert said[1] == "The site needs no other server."
    return out


@pytest.fixture(scope="module")
def served(site):
    """The address of the site on this computer."""
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_said):
        pass


def open_lesson(page):
    """Wait until the lesson is there and Python too: what is run before that is lost."""
    page.locator(".jp-Notebook .jp-CodeCell").nth(10).wait_for()
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for(state="attached")


def run_cell(page, number, code):
    """Put code in the place of a cell's and run it, as a student would with the keyboard."""
    cell = page.locator(".jp-CodeCell").nth(number)
    cell.locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.insert_text(code)
    page.keyboard.press("Shift+Enter")
    return cell


# --- in Chromium -----------------------------------------------------------------------------------------


def test_a_quiz_is_answered_in_the_browser_and_the_answer_is_there_after_a_reload(browser, served):
    outside = []

    def only_the_site(route):
        if route.request.url.startswith(served):
            return route.continue_()
        outside.append(route.request.url)
        return route.abort()

    context = browser.new_context(viewport={"width": 1200, "height": 1400})
    context.set_default_timeout(TWO_MINUTES)
    context.route("**/*", only_the_site)
    page = context.new_page()
    page.goto(served)
    assert axe_faults(page) == []
    page.get_by_role("link", name="02 ").nth(1).click()  # lesson 02 as a plain notebook
    open_lesson(page)

    run_cell(page, 0, 'from sahel import quiz\nquiz("02.4")')
    form = page.locator(".sahel-quiz form").first
    form.get_by_label("The claim is confirmed").check()
    form.get_by_role("button", name="Check answer").click()
    form.get_by_text("Not right. You can try again.").wait_for()
    form.get_by_label("The claim is contradicted").check()
    form.get_by_role("button", name="Check answer").click()
    form.get_by_text("Not knowing the day is no evidence against it.").wait_for()
    looked = run_cell(page, 1, LOOK).locator(".jp-OutputArea-output", has_text="events:")
    assert "answers: 2" in looked.inner_text()
    assert "here: /drive/notebooks True" in looked.inner_text()

    page.reload()
    open_lesson(page)
    run_cell(page, 0, 'from sahel import quiz\nquiz("02.4")')
    page.locator(".sahel-quiz form").get_by_text("Not knowing the day is no evidence against it.").wait_for()
    context.close()
    assert outside == []


# --- what is in it ---------------------------------------------------------------------------------------


def test_the_site_holds_what_students_get_and_no_answers(site, root):
    names = {path.relative_to(site / "files").as_posix() for path in (site / "files").rglob("*.ipynb")}
    assert names == {
        f"{folder}/{path.name}"
        for folder in ("notebooks", "exercises")
        for path in (root / folder).glob("*.ipynb")
    }
    assert not [path for path in site.rglob("*") if path.name in ("solutions", "teaching", "sahel_teacher")]
    (wheel,) = (site / "static" / "pyodide").glob("fortress_niger-*.whl")
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"sahel"}
    page = (site / "index.html").read_text(encoding="utf-8")
    assert all(
        f"lab/index.html?path={name}" in page and f"notebooks/index.html?path={name}" in page
        for name in names
    )


def test_the_versions_of_the_widgets_are_those_that_the_course_is_tested_with(site, root):
    lock = json.loads((site / "static" / "pyodide" / "pyodide-lock.json").read_text(encoding="utf-8"))
    pinned = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for name in FROM_INDEX:
        assert f"{name}=={lock['packages'][name]['version']}" in pinned


def test_a_folder_with_something_else_in_it_is_not_overwritten(root, site, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BuildError, match="name another folder"):
        build_site(root, tmp_path)
    with pytest.raises(BuildError, match="is no Pyodide distribution"):
        build_site(root, site, tmp_path)
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "mine"
    assert (site / "index.html").is_file()


# --- what Python in a browser lacks ----------------------------------------------------------------------


def test_check_works_without_scrypt_and_without_threads(monkeypatch):
    pytest.importorskip("Crypto.Protocol.KDF")
    own = checks.digest("an answer", "salt")
    monkeypatch.delattr(hashlib, "scrypt")
    assert checks.digest("an answer", "salt") == own

    def no_thread(_self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    assert checks.call(lambda number: number + 1, [[1], [2]]) == [("whole", 2), ("whole", 3)]


def test_check_says_so_where_it_cannot_compare(monkeypatch, capsys):
    monkeypatch.delattr(hashlib, "scrypt")
    monkeypatch.setitem(sys.modules, "Crypto.Protocol.KDF", None)
    checks.check("01.1", [])
    said = capsys.readouterr().out
    assert "cannot be checked in this Python" in said
    assert "not yet" not in said


def test_without_the_widgets_package_a_quiz_shows_its_text_version_and_says_why(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "sahel.quizzes.widget", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    quiz("02.4")
    said = capsys.readouterr().out
    assert "needs the package anywidget" in said
    assert "Brief A says that a meeting in Bamako" in said
