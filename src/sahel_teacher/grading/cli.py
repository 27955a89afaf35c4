"""`course.py grade NN SUBMISSIONS`: grade what students handed in.

Exit codes: 0 all that was handed in is graded (written answers may wait for a person); 1 some files were refused
or could not be run, all others are graded; 2 nothing was graded: a wrong call, a damaged file, no isolation;
3 stopped half-way, and the same call goes on from there.
"""

import argparse
import hashlib
import secrets
import sqlite3
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, wait
from dataclasses import dataclass, field
from itertools import chain
from os import cpu_count
from pathlib import Path
from typing import Any

from tqdm import tqdm

from sahel_teacher.grading import reports
from sahel_teacher.grading.answers import Plan, Unreadable, plan
from sahel_teacher.grading.cluster import open_executor
from sahel_teacher.grading.collect import NothingThere, Submission, cells_of, collect
from sahel_teacher.grading.expected import compute
from sahel_teacher.grading.judge import judge, make_job, wants_fresh
from sahel_teacher.grading.marks import Damaged, Marks
from sahel_teacher.grading.questions import NoSuchSet, QuestionSet, open_set
from sahel_teacher.grading.run import (
    START_SECONDS,
    Isolation,
    NotIsolated,
    Outcome,
    Stage,
    close_all,
    grade_all,
    warm_up,
)

DONE, SOME_REFUSED, NOTHING, STOPPED = 0, 1, 2, 3


def run_grade(root: Path, options: argparse.Namespace) -> int:
    """Grade, print what a teacher must know, and return the exit code."""
    out = options.out or root / "grades" / options.set
    jobs = options.jobs if options.jobs is not None else min(4, cpu_count() or 1)
    try:
        if jobs < 1:
            raise NothingThere("--jobs must be 1 or more.")
        questions = open_set(root, options.set, options.sets)
        submissions = list(collect(options.submissions, options.set))
        with Marks(out / "marks.sqlite") as marks:
            grading = Grading(questions, marks, options.isolation, _seed(options.seed, marks))
            with open_executor(options.cluster, jobs) as (executor, at_once):
                refused = grading.grade(submissions, executor, at_once)
            for sentence in reports.write_all(out, questions, marks, options.gradebook):
                print(sentence)
    except (NoSuchSet, NothingThere, Damaged, NotIsolated, reports.BadGradebook) as error:
        print(error)
        return NOTHING
    except KeyboardInterrupt:
        print("Stopped. Call the same command again; it goes on from there.")
        return STOPPED
    except CancelledError:
        print(
            "The cluster has no worker left. What was graded is kept: start some, then call the same again."
        )
        return STOPPED
    except (OSError, sqlite3.Error) as error:
        print(f"Stopped: {error}. What was graded is kept: mend that, then call the same command again.")
        return STOPPED
    finally:
        close_all()
    for sentence in refused:
        print(sentence)
    done = len(submissions) - len(refused)
    print(f"{done} of {len(submissions)} graded. All is in {out}: begin with gradebook.csv.")
    return SOME_REFUSED if refused else DONE


def _seed(given: int | None, marks: Marks) -> int:
    earlier = marks.seed()
    return given if given is not None else earlier if earlier is not None else secrets.randbelow(2**31)


@dataclass
class _Work:
    """A submission on its way: what to run, and what came of the run on the course's data."""

    submission: Submission
    identity: str
    plan: Plan
    course: Outcome | None = None


@dataclass
class Grading:
    """One run of grading: `grade` does it, on any executor."""

    questions: QuestionSet
    marks: Marks
    isolation: Isolation
    seed: int
    refused: list[str] = field(default_factory=list)

    def grade(self, submissions: list[Submission], executor: Executor, jobs: int) -> list[str]:
        """Grade all that was not graded before; return a sentence for each that could not be.

        Raises:
            NotIsolated: student code cannot be isolated here; nothing was graded.
            NoSuchSet: the worked version does not run.
        """
        settings = {"set": self.questions.number, "version": self.questions.version, "seed": self.seed}
        self.run = self.marks.begin(settings | {"isolation": self.isolation, "jobs": jobs})
        with tqdm(
            total=len(submissions), desc=f"set {self.questions.number}", unit="notebook", disable=None
        ) as self.bar:
            works = (work for one in submissions if (work := self._open(one)))
            first = next(works, None)
            if first:  # else all of it was graded before
                self._start(chain([first], works), executor, jobs)
        self.marks.finish(self.run)
        return self.refused

    def _start(self, works: Iterator[_Work], executor: Executor, jobs: int) -> None:
        stage = Stage(self.questions.data)
        self.unit = {"stage": str(stage.path), "isolation": self.isolation}
        warming = [executor.submit(warm_up, self.unit) for _ in range(jobs)]
        try:
            self.expected = compute(self.questions, stage, self.seed, self.isolation)
            self.marks.note_seeds(self.run, self.expected.seeds)
            again: list[_Work] = []  # right so far, and to be run on fresh data
            for source in (self._units(works, again), self._units(iter(()), again)):
                for work, result in grade_all(source, executor, 2 * jobs):
                    self._take(work, result, again)
        finally:
            wait(warming, START_SECONDS)
            close_all()
            stage.close()

    def _units(self, works: Iterator[_Work], again: list[_Work]) -> Iterator[tuple[_Work, dict[str, Any]]]:
        for work in works:
            yield work, self.unit | {"job": make_job(work.plan, self.questions, self.expected)}
            while again:
                yield self._fresh(again.pop())
        while again:
            yield self._fresh(again.pop())

    def _fresh(self, work: _Work) -> tuple[_Work, dict[str, Any]]:
        skip = tuple(work.course.stopped) if work.course else ()
        job = make_job(work.plan, self.questions, self.expected, fresh=True, skip=skip)
        return work, self.unit | {"job": job}

    def _take(self, work: _Work, result: dict[str, Any], again: list[_Work]) -> None:
        """Take in what came of a run: keep the marks, or have the submission run on fresh data too."""
        if "broken" in result:
            self._refuse(work.submission, f"it could not be run: {result['broken']}")
            return
        outcome = Outcome(**result)
        if work.course is None and wants_fresh(work.plan, self.questions, self.expected, outcome):
            work.course = outcome
            again.append(work)
            return
        course, fresh = (work.course, outcome) if work.course else (outcome, None)
        found = judge(work.plan, self.questions, self.expected, course, fresh)
        self.marks.add(self.run, work.submission, work.identity, self.isolation == "auto", found)
        self.bar.update()

    def _open(self, submission: Submission) -> _Work | None:
        """Read a submission; return None where it was graded before or is refused."""
        try:
            content = submission.read()
            made = plan(cells_of(content), self.questions)
        except Unreadable as error:
            self._refuse(submission, str(error))
            return None
        except Exception as error:  # such as lists in lists without end: nobody else must wait for it
            self._refuse(submission, f"the grader cannot read it ({type(error).__name__}: {error})")
            return None
        facts = (content, self.questions.version.encode(), str(self.seed).encode(), self.isolation.encode())
        identity = hashlib.sha256(b"".join(hashlib.sha256(fact).digest() for fact in facts)).hexdigest()
        if self.marks.known(submission, identity):
            self.bar.update()
            return None
        return _Work(submission, identity, made)

    def _refuse(self, submission: Submission, reason: str) -> None:
        self.marks.refuse(self.run, submission, reason)
        self.bar.update()
        self.refused.append(f"Not graded: {submission.file}: {reason}.")
