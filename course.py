#!/usr/bin/env python3
"""The front door of the course. It needs Python and nothing else.

    python3 course.py lab           set up if need be, then open the lessons in JupyterLab
    python3 course.py doctor        say what is installed, what is whole, and what to do about each fault
    python3 course.py test          set up for development and run every check
    python3 course.py build         build notebooks, exercises and solutions from their sources
    python3 course.py build --site  make the course a static site that runs in a browser, nothing installed
    python3 course.py depends       say where a row of the tables is used, such as F030
    python3 course.py release       make the folder and the ZIP that a teacher hands out, without answers
    python3 course.py new-set       begin an exercise set of your own
    python3 course.py new-lesson    begin a lesson: text, quiz and session plan that build as they stand
    python3 course.py grade         grade what students handed in: marks, feedback, files for Moodle and Canvas
    python3 course.py board         show what a class's codes, or files of answers, say about each question
    python3 course.py export        write the quizzes for Moodle, Anki, Canvas or paper

On Windows, write `py` in place of `python3`. What follows the command is handed on:
`course.py lab --no-browser` starts JupyterLab without opening a browser.
"""

# This file must at least parse on an old Python, so that it can say "too old": no syntax newer than 3.7.
from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
WORK = ROOT / "work"
STAMP = VENV / "course-stamp.json"
LOG = VENV / "course-setup.log"
PINS = {"student": "requirements.txt", "developer": "requirements-dev.txt"}
MAIN_PACKAGES = ("jupyterlab", "pandas", "matplotlib", "ipywidgets", "anywidget")
SPACE_NEEDED = {"student": 700_000_000, "developer": 1_200_000_000}
HANDED_OUT = ("notebooks", "exercises")
CONTROL = "handed-out.json"
AGAIN = "Unpack the ZIP again, or: git checkout --"
# No news pop-up and no call home at the start of JupyterLab: it must start quietly, offline too.
LAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}
}
# Found relative to the environment, so that the clone can be moved; plain ASCII, whatever the path is.
PTH = "import sys, os; sys.path.append(os.path.normpath(os.path.join(sys.prefix, '..', 'src')))\n"


class Trouble(Exception):
    """A fault that the person at the keyboard can mend: one sentence or two, no traceback."""


def say(text: str) -> None:
    """Print one line at once, also where the console cannot show every letter."""
    print(text, flush=True)


# --- the environment -------------------------------------------------------------------------------------


def check_python() -> None:
    """Stop with one sentence where Python is too old."""
    if sys.version_info < OLDEST:
        raise Trouble(
            "The course needs Python {}.{} or newer, and this is Python {}.{}. Install a newer one from "
            "python.org and call this command with it.".format(*OLDEST, *sys.version_info[:2])
        )


def venv_python() -> Path:
    """Return the path of the environment's own Python (it may not exist yet)."""
    return VENV / "Scripts" / "python.exe" if os.name == "nt" else VENV / "bin" / "python"


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, or an empty string where there is no such file."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def read_json(path: Path) -> dict:
    """Return what a JSON file holds, or an empty dict where it is missing or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, content: dict) -> None:
    """Write a JSON file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".tmp")
    new.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")
    new.replace(path)


def installed_pins() -> set[str]:
    """Return which pin files are installed as they stand now, as a set of levels."""
    stamp = read_json(STAMP)
    return {level for level, name in PINS.items() if stamp.get(level) == file_hash(ROOT / name)}


def ready(level: str) -> bool:
    """Say whether the environment holds what a level needs, without starting a process."""
    have = installed_pins()
    # The developer's list holds the student's, from the same resolution.
    return venv_python().is_file() and (level in have or "developer" in have)


def ensure(level: str) -> None:
    """Make the environment or bring it up to date; return at once where nothing has changed."""
    if ready(level):
        return
    started = time.monotonic()
    check_space(level)
    uv = shutil.which("uv")
    say("Setting up the course in .venv: once, about a minute on a fast line, longer on a slow one.")
    if not python_runs():
        make_venv(uv)
    install(uv, level)
    add_course()
    stamp = read_json(STAMP)
    stamp[level] = file_hash(ROOT / PINS[level])
    write_json(STAMP, stamp)
    say(f"Set up in {time.monotonic() - started:.0f} seconds.")


def check_space(level: str) -> None:
    """Stop before the download where the disk cannot hold the packages."""
    free = shutil.disk_usage(str(ROOT)).free
    if free < SPACE_NEEDED[level]:
        raise Trouble(
            f"The disk has {free // 1_000_000} MB free and the course needs "
            f"{SPACE_NEEDED[level] // 1_000_000} MB. Make room and call this command again."
        )


def quietly(*command: str) -> tuple[int, str]:
    """Run a command without showing what it prints; return (exit code, all that it printed)."""
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        return 1, str(error)
    return done.returncode, done.stdout


def python_runs() -> bool:
    """Say whether .venv holds a Python that starts, is new enough and can install: a half-made one cannot."""
    if not venv_python().is_file() or not (VENV / "pyvenv.cfg").is_file():
        return False
    also = "" if shutil.which("uv") else "import pip; "
    code = f"import sys; {also}sys.exit(sys.version_info < {OLDEST!r})"
    return quietly(str(venv_python()), "-c", code)[0] == 0


def make_venv(uv: str | None) -> None:
    """Make .venv afresh, with uv where it is on PATH, else with the standard library."""
    if VENV.exists():
        say("Found a half-made .venv: making it again.")
        shutil.rmtree(str(VENV), ignore_errors=True)
    if uv:
        command = [uv, "venv", "--quiet", "--python", sys.executable, str(VENV)]
    else:
        need_venv_module()
        command = [sys.executable, "-m", "venv", str(VENV)]
    failed, output = quietly(*command)
    if failed:
        raise explain(output, "The environment .venv could not be made")


def need_venv_module() -> None:
    """Stop with the command to type where Python came without venv or ensurepip, as on Debian and Ubuntu."""
    for module in ("venv", "ensurepip"):
        if quietly(sys.executable, "-c", "import " + module)[0]:
            name = "python{}.{}-venv".format(*sys.version_info[:2])
            raise Trouble(
                f"This Python has no module {module}. On Debian or Ubuntu type: sudo apt install {name}. "
                "Elsewhere install Python from python.org. Then call this command again."
            )


def install(uv: str | None, level: str) -> None:
    """Install the pinned packages of a level, showing one line of progress."""
    pins = ROOT / PINS[level]
    wanted = sum(1 for line in pins.read_text(encoding="utf-8").splitlines() if line[:1].isalpha())
    if uv:
        command = [uv, "pip", "install", "--python", str(venv_python()), "-r", str(pins)]
    else:
        command = [str(venv_python()), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
        command += ["--progress-bar", "off", "--retries", "3", "-r", str(pins)]
    output = run_with_progress(command, wanted)
    if output is not None:
        raise explain(output, "The packages could not be installed")


def run_with_progress(command: list[str], wanted: int) -> str | None:
    """Run an installer; return None if it worked, else what it printed. The whole output goes to a log."""
    lines = []
    seen = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", cwd=str(ROOT)
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            found = re.match(r"Collecting ([\w.-]+)", line)
            if found:
                seen += 1
                show_progress(f"  {min(seen, wanted)} of about {wanted} packages: {found.group(1)}")
    show_progress("")
    LOG.write_text("".join(lines), encoding="utf-8")
    return "".join(lines) if process.returncode else None


def show_progress(text: str) -> None:
    """Overwrite one line of the terminal; stay silent where the output is a file or a pipe."""
    if sys.stdout.isatty():
        print("\r" + text.ljust(78)[:78] + ("\r" if not text else ""), end="", flush=True)


FULL_DISK = ("no space left", "errno 28", "disk full", "not enough space")
NO_NETWORK = (
    "connection",
    "resolve",
    "timed out",
    "network",
    "getaddrinfo",
    "dns error",
    "proxy",
    "unreachable",
)
NOT_OURS = ("permission denied", "access is denied", "read-only file system")


def explain(output: str, what: str) -> Trouble:
    """Turn an installer's output into one sentence that says what to do."""
    text = output.lower()
    if any(words in text for words in FULL_DISK):
        return Trouble(what + ": the disk is full. Make room and call this command again.")
    if any(words in text for words in NOT_OURS):
        return Trouble(f"{what}: {ROOT} cannot be written. Move the course to a folder of yours.")
    if any(words in text for words in NO_NETWORK):
        return Trouble(
            what + ": no connection to the package index. The first set-up needs the internet; connect and "
            "call this command again. After that the course works offline."
        )
    last = [line.strip() for line in output.splitlines() if line.strip()][-1:] or ["no message"]
    return Trouble(f"{what}. The installer's last line was: {last[0]} (the whole log: {LOG})")


def add_course() -> None:
    """Let the environment find the course's own packages in src/, and keep JupyterLab quiet at the start."""
    code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    site = Path(quietly(str(venv_python()), "-c", code)[1].strip())
    (site / "fortress-niger.pth").write_text(PTH, encoding="ascii")
    write_json(VENV / "share" / "jupyter" / "lab" / "settings" / "overrides.json", LAB_SETTINGS)


# --- the student's copy ----------------------------------------------------------------------------------


def hand_out() -> None:
    """Copy built notebooks into work/ and say what was brought up to date and what was left alone."""
    control = read_json(WORK / CONTROL)
    report: dict[str, list[str]] = {"new": [], "brought up to date": [], "kept, for you changed it": []}
    for folder in HANDED_OUT:
        for source in sorted((ROOT / folder).glob("*.ipynb")):
            name = f"{folder}/{source.name}"
            outcome = hand_out_one(source, WORK / folder / source.name, control.get(name, {}))
            if outcome in ("new", "brought up to date", "unchanged"):
                control[name] = {"bytes": file_hash(source), "cells": cells_hash(source)}
            if outcome in report:
                report[outcome].append(name)
    write_json(WORK / CONTROL, control)
    for outcome, names in report.items():
        for name in names:
            say(f"  work/{name}: {outcome}")
    if report["kept, for you changed it"]:
        say("  A newer version is in the course: rename yours and call lab again to get it.")


def hand_out_one(source: Path, target: Path, given: dict) -> str:
    """Copy one notebook unless the student has touched it; return what was done in a word or two."""
    if not target.exists():
        copy_whole(source, target)
        return "new"
    if file_hash(target) == file_hash(source):
        return "unchanged"
    if file_hash(source) == given.get("bytes"):
        return "same version"  # the course has nothing newer: whatever the student has stays
    if file_hash(target) == given.get("bytes"):
        copy_whole(source, target)
        return "brought up to date"
    if given.get("cells") and cells_hash(target) == given["cells"]:
        # It was run but not edited: only outputs differ, and the old file is kept all the same.
        copy_whole(target, WORK / "earlier" / target.parent.name / target.name)
        copy_whole(source, target)
        return "brought up to date"
    return "kept, for you changed it"


def cells_hash(path: Path) -> str:
    """Return a hash of a notebook's cells without their outputs, or an empty string where it is damaged."""
    cells = read_json(path).get("cells")
    if not isinstance(cells, list):
        return ""
    kept = [[c.get("cell_type"), "".join(c.get("source") or "")] for c in cells if isinstance(c, dict)]
    return hashlib.sha256(json.dumps(kept).encode("utf-8")).hexdigest()


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file so that the target is at no moment half-written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(target.name + ".tmp")
    shutil.copyfile(str(source), str(new))
    new.replace(target)


# --- commands --------------------------------------------------------------------------------------------


def lab(arguments: list[str]) -> int:
    """Open JupyterLab on the student's copy, at lesson 00."""
    ensure("student")
    hand_out()
    start = [f"notebooks/{path.name}" for path in sorted((WORK / "notebooks").glob("00-*.ipynb"))[:1]]
    if any(not argument.startswith("-") for argument in arguments):
        start = []  # the student named a notebook
    say("Opening JupyterLab. To stop it, press Ctrl+C here.")
    return run([str(venv_python()), "-m", "jupyterlab", *start, *arguments], cwd=WORK)


def run(command: list[str], cwd: Path = ROOT) -> int:
    """Run a command in the foreground and return its exit code; Ctrl+C ends it without a traceback."""
    environment = dict(os.environ, PYTHONUTF8="1")
    process = subprocess.Popen(command, cwd=str(cwd), env=environment)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # JupyterLab has had the same signal and asks or ends by itself


def doctor(_arguments: list[str]) -> int:
    """Say in plain words what is installed, whether the data is whole, and what to do about each fault."""
    checks = [check_environment, check_packages, check_data, check_notebooks, check_answers, check_disk]
    faults = 0
    uv = "uv is there" if shutil.which("uv") else "no uv, so pip installs"
    say(f"Python {sys.version.split()[0]} on {sys.platform}; {uv}.")
    for check in checks:
        good, text = check()
        faults += not good
        say(("ok     " if good else "FAULT  ") + text)
    say(f"{faults} fault(s): do what each line says, then call doctor again." if faults else "All is well.")
    return 1 if faults else 0


def check_environment() -> tuple[bool, str]:
    """Look at .venv itself."""
    if not VENV.exists():
        return False, "There is no .venv yet. Call: course.py lab"
    if not python_runs():
        return False, ".venv is half-made or its Python is gone. Call: course.py lab (it makes it again)"
    if not ready("student"):
        return False, ".venv is not up to date with requirements.txt. Call: course.py lab"
    return True, ".venv is there and up to date."


def check_packages() -> tuple[bool, str]:
    """Compare the installed versions with the pins."""
    if not venv_python().is_file():
        return False, "The packages are not installed. Call: course.py lab"
    code = (
        "import importlib.metadata as m, json; "
        "print(json.dumps({d.metadata['Name'].lower().replace('_', '-').replace('.', '-'): d.version "
        "for d in m.distributions()}))"
    )
    failed, output = quietly(str(venv_python()), "-c", code)
    if failed:
        return False, "The packages cannot be listed. Delete the folder .venv and call: course.py lab"
    have = json.loads(output)
    wrong = [name for name, version in pinned().items() if name in have and have[name] != version]
    missing = [name for name in MAIN_PACKAGES if name not in have]
    if wrong or missing:
        listed = ", ".join(missing + wrong)
        return False, f"Missing or not as pinned: {listed}. Delete the folder .venv and call: course.py lab"
    shown = ", ".join(f"{name} {have[name]}" for name in MAIN_PACKAGES)
    return True, f"Packages as pinned: {shown} and {len(have) - len(MAIN_PACKAGES)} more."


def pinned() -> dict[str, str]:
    """Return {name: version} of the pins that carry no condition (conditions are for other systems)."""
    text = (ROOT / PINS["student"]).read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)$", text, re.MULTILINE))


def check_data() -> tuple[bool, str]:
    """Compare each table with the checksum in data/datapackage.json."""
    package = read_json(ROOT / "data" / "datapackage.json")
    resources = package.get("resources", [])
    if not resources:
        return False, f"data/datapackage.json is missing or damaged. {AGAIN} data"
    bad = [r["path"] for r in resources if "sha256:" + file_hash(ROOT / "data" / r["path"]) != r.get("hash")]
    if bad:
        return False, f"Not as published: {', '.join(bad)} in data/. {AGAIN} data"
    return True, f"All {len(resources)} tables in data/ are whole (checksums agree)."


def check_notebooks() -> tuple[bool, str]:
    """See that the built lessons are there."""
    found = len(list((ROOT / "notebooks").glob("*.ipynb")))
    if not found:
        return False, f"There are no lessons in notebooks/. {AGAIN} notebooks"
    return True, f"{found} lessons in notebooks/."


def check_answers() -> tuple[bool, str]:
    """Try to write where answers and the student's copy go."""
    for folder in (Path(os.environ.get("SAHEL_RESPONSES") or ROOT / "responses"), WORK):
        probe = folder / "doctor.tmp"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe.write_text("can be written", encoding="utf-8")
            probe.unlink()
        except OSError as error:
            return False, f"{folder}: {error.strerror}. Move the course to a folder where you may write."
    return True, "Answers and your copies can be written (responses/ and work/)."


def check_disk() -> tuple[bool, str]:
    """Look at the free space."""
    free = shutil.disk_usage(str(ROOT)).free // 1_000_000
    return free > 200, f"{free} MB free on the disk." + ("" if free > 200 else " Make room before you go on.")


def hand_on(command: str, arguments: list[str]) -> int:
    """Run a teacher's or developer's command of sahel_teacher in the environment."""
    need_full_course(command)
    ensure("developer")
    # Where the teacher stands, so that `board codes.txt` finds codes.txt; -P: what lies there is not imported.
    return run([str(venv_python()), "-P", "-m", "sahel_teacher", command, *arguments], cwd=Path.cwd())


def run_tool(arguments: list[str]) -> int:
    """Run a developer's tool of the environment by its module name, as pre-commit does (not for students)."""
    need_full_course("run")
    ensure("developer")
    return run([str(venv_python()), "-m", *arguments])


def need_full_course(command: str) -> None:
    """Stop with one sentence in a copy for students, which holds no commands for teachers."""
    if not (ROOT / "src" / "sahel_teacher").is_dir():
        raise Trouble(f"This copy is for students: it has lab and doctor. {command} is in the full course.")


HERE = {"lab": lab, "doctor": doctor, "run": run_tool}
HANDED_ON = ("test", "build", "depends", "board", "export", "release", "new-set", "new-lesson", "grade")


def main(arguments: list[str]) -> int:
    """Run one command; return its exit code (2 for a command that does not exist)."""
    command = arguments[0] if arguments else "help"
    if command in ("help", "-h", "--help"):
        say(__doc__ or "")
        return 0
    if command not in HERE and command not in HANDED_ON:
        say(f"There is no command {command}. There are: {', '.join([*HERE, *HANDED_ON])}.")
        return 2
    try:
        check_python()
        return HERE[command](arguments[1:]) if command in HERE else hand_on(command, arguments[1:])
    except Trouble as trouble:
        say(str(trouble))
    except KeyboardInterrupt:
        say("Stopped. Call the same command again; it goes on from there.")
    except PermissionError as error:
        say(f"{error.filename} cannot be written. Close what uses it, or move the course to your own folder.")
    except OSError as error:
        say(f"{error.strerror or error}: {error.filename or ROOT}. Mend that and call this command again.")
    return 1


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    sys.exit(main(sys.argv[1:]))
