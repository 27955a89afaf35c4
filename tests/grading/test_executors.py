"""Work goes through any executor, as plain data, with the same marks."""

import json
import multiprocessing
import os
import pickle
import platform
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress

import pytest

from sahel_teacher.grading import run as running
from sahel_teacher.grading.answers import plan
from sahel_teacher.grading.cli import Grading
from sahel_teacher.grading.collect import Submission
from sahel_teacher.grading.expected import Expected, compute
from sahel_teacher.grading.judge import make_job
from sahel_teacher.grading.marks import Marks
from sahel_teacher.grading.questions import open_set
from sahel_teacher.grading.run import Stage
from tests.grading.conftest import LINUX
from tests.grading.made_up import RED, ROOT, SETS, solved, with_answer

pytestmark = pytest.mark.skipif(not LINUX, reason="isolation needs Linux")


def class_of_four():
    made = [
        solved(),
        with_answer("import os\nos._exit(1)"),
        with_answer(f"red_weight = {RED}", "99.6"),
        solved(),
    ]
    for name, nb in zip("abcd", made, strict=True):
        yield Submission(name, name, name, lambda nb=nb: json.dumps(nb).encode())


def marks_with(executor, path):
    with Marks(path) as marks, executor:
        assert (
            Grading(open_set(ROOT, "99", SETS), marks, "auto", 7).grade(list(class_of_four()), executor, 2)
            == []
        )
        found = {one["student"]: marks.counting(one["student"]) for one in marks.students()}
    return {
        student: {task: (mark["status"], mark["points"]) for task, mark in those.items()}
        for student, those in found.items()
    }


def test_threads_and_processes_give_the_same_marks(tmp_path):
    threads = marks_with(ThreadPoolExecutor(2), tmp_path / "threads.sqlite")
    spawned = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))
    assert marks_with(spawned, tmp_path / "processes.sqlite") == threads
    assert threads["a"]["99.6"] == ("passed", 2)
    assert threads["b"]["99.1"] == ("crashed", 0)
    assert threads["c"]["99.6"] == ("failed", 0)


class Hangs:
    """Stands for a child: step 0 gives an answer, and every other step only drips."""

    def __init__(self, job):
        out, self.into = os.pipe()
        self.messages = os.fdopen(out, "rb")
        at = next(n for n in range(1, len(job["steps"])) if n not in job["skip"])
        os.write(
            self.into, b'{"ready": 1}\n{"start": 0}\n{"value": ["99.1", "form", "3"]}\n{"start": %d}\n' % at
        )
        self.ended = threading.Event()
        threading.Thread(target=self.drip, daemon=True).start()

    def drip(self):
        with suppress(OSError):
            while not self.ended.wait(0.0001):
                os.write(self.into, b"\n")
        os.close(self.into)

    def end(self):
        self.ended.set()


def test_what_has_run_stays_right_where_the_time_in_all_is_over(monkeypatch):
    monkeypatch.setattr(running, "CELL_SECONDS", 0.2)
    monkeypatch.setattr(running, "ALL_SECONDS", 0.5)
    job = {"data": [], "tasks": {"99.1": {}}, "skip": [], "steps": [{}] * 9}
    started = time.monotonic()
    outcome = running.run_job(Hangs, job)
    assert time.monotonic() - started < 5
    assert outcome.values == {"99.1": ("form", "3")}
    assert outcome.stopped == dict.fromkeys(range(1, 9), "timed out")


def test_the_stage_of_a_killed_grader_is_cleared_and_that_of_a_living_one_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    dead, living = (tmp_path / f"sahel-stage-{platform.node()}-{pid}-x" for pid in (process.pid, os.getpid()))
    for path in (dead / "data", living / "data"):
        path.mkdir(parents=True)
    Stage(open_set(ROOT, "99", SETS).data).close()
    assert [path.name for path in tmp_path.iterdir()] == [living.name]


def test_what_goes_out_holds_nothing_of_what_is_right():
    """The same seed gives the same, and neither the worked code nor its results are in a unit of work."""
    questions = open_set(ROOT, "99", SETS)
    stage = Stage(questions.data)
    try:
        expected = compute(questions, stage, 7, "auto")
        assert isinstance(expected, Expected)
        stub = {"cells": [cell for cell in solved()["cells"] if "answer" not in str(cell["metadata"])]}
        job = make_job(plan(stub["cells"], questions), questions, expected, fresh=True)
        text = pickle.dumps(job).decode("latin-1") + json.dumps(job)
        for question in questions.questions.values():
            assert not question.worked or question.worked not in text
        assert str(expected.course["99.6"][1]) not in text
        assert str(expected.fresh["99.6"][1]) not in text
        staged = [
            path.read_text("utf-8")
            for path in stage.path.rglob("*")
            if path.suffix in (".py", ".json", ".md")
        ]
        assert not any("99.6" in one for one in staged)
    finally:
        stage.close()
