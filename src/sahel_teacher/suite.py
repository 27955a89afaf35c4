"""Run every check of the course, one after the other, and say at the end how each went."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sahel_teacher.errors import BuildError

PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
AT_ONCE = [
    *PYTEST,
    "-n",
    "2",
    "--dist",
    "loadfile",
]  # one file stays with one process: it shares what is dear
NBVAL = [*AT_ONCE, "--nbval-sanitize-with", "tests/nbval.cfg"]


def steps(lax: bool) -> dict[str, list[str]]:
    """Return the checks by name, each as a command to run in the course's folder.

    Args:
        lax: compare no outputs of notebooks, for systems and versions other than the pinned ones.
    """
    mode = "--nbval-lax" if lax else "--nbval"
    python = [sys.executable, "-m"]
    return {
        "style": [*python, "ruff", "check", "."],
        "format": [*python, "ruff", "format", "--check", "."],
        "types": [*python, "mypy"],
        "drift": [*python, "sahel_teacher", "build", "--check"],
        "tests": [*AT_ONCE, "-rs", "tests"],
        "lessons and solutions": [*NBVAL, mode, "notebooks", "solutions"],
        "exercises run": [*NBVAL, "--nbval-lax", "exercises", "teaching"],
    }


def run_suite(root: Path, lax: bool = False) -> int:
    """Run all checks in the course's folder, print how each went, and return 0 if all passed, else 1."""
    results = {}
    with tempfile.TemporaryDirectory() as responses:
        # Tests never write where a person's answers are.
        environment = dict(os.environ, SAHEL_RESPONSES=responses, PYTHONUTF8="1")
        for name, command in steps(lax).items():
            print(f"\n=== {name}", flush=True)
            started = time.monotonic()
            code = subprocess.run(command, cwd=root, env=environment, check=False).returncode
            results[name] = (code, time.monotonic() - started)
    print("\n=== summary")
    for name, (code, seconds) in results.items():
        print(f"{'passed' if code == 0 else 'FAILED'}  {name} ({seconds:.0f} s)")
    return int(any(code for code, _ in results.values()))


def take_pictures(root: Path) -> list[str]:
    """Walk the course in a browser and keep the pictures that README and guide show; return a line for each.

    Raises:
        BuildError: no picture was changed, because a journey failed or there is no browser.
    """
    from sahel_teacher.exports.shared import write_all

    with tempfile.TemporaryDirectory() as new:
        environment = dict(os.environ, SAHEL_PICTURES=new, PYTHONUTF8="1")
        command = [*PYTEST, "-q", "-rs", "tests/browser/test_journeys.py"]
        failed = subprocess.run(command, cwd=root, env=environment, check=False).returncode
        taken = sorted(Path(new).glob("*.png"))
        if failed or not taken:
            raise BuildError("No picture was changed: what went wrong stands above. It needs Chromium.")
        write_all(root / "docs" / "pictures", {path.name: path.read_bytes() for path in taken})
    return [f"docs/pictures/{path.name} taken: look at it" for path in taken]
