"""On a JupyterHub and on Binder: what docs/hub.md and environment.yml promise."""

import os
import re
import shutil
import subprocess
import sys
import zipfile

import yaml
from benchmarks import hub

ASKED = """
from pathlib import Path
from sahel import load
from sahel.quizzes import store
for line in (Path(store.__file__).parents[2], len(load("events")), store.responses_folder()):
    print(line)
"""


def asked(python_path, home, tmp_path):
    """Start a Python that sees installed packages but not this clone; return what it says of sahel."""
    hidden = ("SAHEL_", "PYTHONPATH")
    env = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    code = "import sys; sys.path[:] = [p for p in sys.path if not p.endswith('src')]\n" + python_path + ASKED
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=env | {"HOME": str(home), "USERPROFILE": str(home)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    source, events, responses = done.stdout.splitlines()
    assert int(events) > 100
    return source, responses


def test_the_hubs_one_line_finds_each_students_own_copy_and_keeps_answers_there(root, tmp_path):
    mine = tmp_path / "fortress-niger"
    shutil.copytree(root / "src" / "sahel", mine / "src" / "sahel")
    shutil.copytree(root / "data", mine / "data")
    shutil.copy(root / "course.py", mine)
    assert asked(hub.PTH, tmp_path, tmp_path) == (str(mine / "src"), str(mine / "responses"))


def test_binder_installs_the_course_so_that_a_notebook_finds_it(root, tmp_path):
    """Binder runs `pip install -e .`, as environment.yml says, on the whole repository."""
    read = yaml.safe_load((root / "environment.yml").read_text("utf-8"))
    assert {"pip": ["-e ."]} in read["dependencies"]
    assert not any((root / name).exists() for name in ("binder", ".binder")), (
        "such a folder hides the top level"
    )
    build = f"from hatchling.build import build_editable; build_editable({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=root, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".pth"))
        path = wheel.read(name).decode("utf-8").strip()
    found = asked(f"sys.path.append({path!r})", tmp_path, tmp_path)
    assert found == (str(root / "src"), str(root / "responses"))


def test_the_page_says_what_was_measured_and_links_to_what_is_there(root):
    page = (root / "docs" / "hub.md").read_text("utf-8")
    for link in re.findall(r"\]\((?!http)([^)#]+)", page):
        assert (root / "docs" / link).exists(), link
    for name in (hub.PTH, hub.PATIENCE, " ".join(hub.PACKAGES), " ".join(hub.QUIET)):
        assert name in page, name
    for path in re.findall(r"urlpath=(?:lab(?:%2F|/)tree(?:%2F|/))([\w%./-]+ipynb)", page):
        name = path.replace("%2F", "/").removeprefix("fortress-niger/")
        assert (root / name).exists(), name
