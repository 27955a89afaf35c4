"""The one file that holds all marks, grades/NN/marks.sqlite: everything else is written from it.

Marks are only ever added. What counts for a student and task is the last mark that a person gave, else the last
that the machine gave for what the student handed in last; all earlier ones stay. What is graded once is known by
the notebook's content, the version of the set, the seed and the isolation, so a run that was killed is finished
by calling it again, and nobody is graded twice.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sahel_teacher.grading.collect import Submission
from sahel_teacher.grading.judge import Mark

APPLICATION, FORMAT = 0x53414845, 1  # "SAHE", so that no other SQLite file is taken for ours
SCHEMA = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
CREATE TABLE runs (run INTEGER PRIMARY KEY, started TEXT NOT NULL, finished TEXT, settings TEXT NOT NULL);
CREATE TABLE students (
    student TEXT PRIMARY KEY, name TEXT NOT NULL, lms TEXT NOT NULL, lms_id TEXT NOT NULL);
CREATE TABLE attempts (
    attempt INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs, student TEXT NOT NULL REFERENCES students,
    file TEXT NOT NULL, late INTEGER NOT NULL, identity TEXT NOT NULL, at TEXT NOT NULL, isolated INTEGER NOT NULL,
    UNIQUE (student, identity));
CREATE TABLE refusals (
    run INTEGER NOT NULL REFERENCES runs, student TEXT NOT NULL, name TEXT NOT NULL, file TEXT NOT NULL,
    reason TEXT NOT NULL);
CREATE TABLE marks (
    mark INTEGER PRIMARY KEY, student TEXT NOT NULL REFERENCES students, task TEXT NOT NULL,
    attempt INTEGER REFERENCES attempts, given_by TEXT NOT NULL, at TEXT NOT NULL, status TEXT NOT NULL,
    points REAL, note TEXT NOT NULL, hint TEXT NOT NULL, misconception INTEGER NOT NULL, answer TEXT NOT NULL);
CREATE TABLE latest (student TEXT PRIMARY KEY REFERENCES students, attempt INTEGER NOT NULL REFERENCES attempts);
CREATE INDEX marks_of ON marks (student, task);
CREATE VIEW counting AS
    SELECT * FROM marks m WHERE mark = (
        SELECT n.mark FROM marks n LEFT JOIN latest l ON l.student = n.student
        WHERE n.student = m.student AND n.task = m.task AND (n.given_by != 'machine' OR n.attempt = l.attempt)
        ORDER BY n.given_by = 'machine', n.mark DESC LIMIT 1);
"""


class Damaged(Exception):
    """The file cannot be used: the message names it and says what to do."""


class Marks:
    """The marks of one set. Use it as a context manager; every change is kept whole or not at all."""

    def __init__(self, path: Path):
        """Open the file, or make it. Raises Damaged where it is not whole or not ours."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.db = sqlite3.connect(path, isolation_level=None, timeout=30)
            self.db.row_factory = sqlite3.Row
            self._look()
        except sqlite3.DatabaseError as error:
            raise Damaged(
                f"{path} cannot be used ({error}). Put a copy of it back; or, to begin anew without the marks "
                "in it, give it another name. Nothing was changed."
            ) from error

    def _look(self) -> None:
        ours = self.db.execute("PRAGMA application_id").fetchone()[0]
        version = self.db.execute("PRAGMA user_version").fetchone()[0]
        if not self.db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            with self.change():
                for statement in SCHEMA.split(";\n"):
                    self.db.execute(statement)
        elif (ours, version) != (APPLICATION, FORMAT):
            raise sqlite3.DatabaseError("it is not a file of marks of this version of the course")
        else:
            fault = self.db.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if fault != "ok":
                raise sqlite3.DatabaseError(fault)

    def __enter__(self) -> "Marks":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.db.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Make all changes inside, or none of them."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    # --- writing ---

    def begin(self, settings: dict[str, Any]) -> int:
        """Note that a run begins, with all that a mark can be reproduced from; return its number."""
        with self.change():
            sql = "INSERT INTO runs (started, settings) VALUES (?, ?)"
            return int(self.db.execute(sql, (_now(), json.dumps(settings, sort_keys=True))).lastrowid or 0)

    def note_seeds(self, run: int, seeds: dict[str, int]) -> None:
        """Note from which seed the fresh data of each task was made."""
        with self.change():
            sql = "UPDATE runs SET settings = json_set(settings, '$.seeds', json(?)) WHERE run = ?"
            self.db.execute(sql, (json.dumps(seeds), run))

    def keep_gradebooks(self, paths: dict[str, str]) -> None:
        """Keep which exports of the teacher's were filled in, by the name of the file that was made."""
        with self.change():
            sql = "UPDATE runs SET settings = json_set(settings, '$.gradebooks', json(?)) "
            self.db.execute(sql + "WHERE run = (SELECT max(run) FROM runs)", (json.dumps(paths),))

    def finish(self, run: int) -> None:
        """Note that a run has come to its end."""
        with self.change():
            self.db.execute("UPDATE runs SET finished = ? WHERE run = ?", (_now(), run))

    def seed(self) -> int | None:
        """Return the seed of the last run, or None before the first."""
        found = self.db.execute("SELECT settings FROM runs ORDER BY run DESC LIMIT 1").fetchone()
        return int(json.loads(found["settings"])["seed"]) if found else None

    def gradebooks(self) -> dict[str, str]:
        """Return the exports that were filled in last, as `keep_gradebooks` kept them."""
        kept = "json_extract(settings, '$.gradebooks')"
        sql = f"SELECT {kept} FROM runs WHERE {kept} IS NOT NULL ORDER BY run DESC LIMIT 1"
        found = self.db.execute(sql).fetchone()
        return dict(json.loads(found[0])) if found else {}

    def known(self, submission: Submission, identity: str) -> bool:
        """Say whether exactly this was graded before; if so, it is what the student handed in last."""
        sql = "SELECT attempt FROM attempts WHERE student = ? AND identity = ?"
        found = self.db.execute(sql, (submission.student, identity)).fetchone()
        if found:
            with self.change():
                self._count(submission, found["attempt"])
        return bool(found)

    def _count(self, one: Submission, attempt: int) -> None:
        self.db.execute(
            "INSERT INTO students VALUES (?, ?, ?, ?) ON CONFLICT (student) DO UPDATE SET name = excluded.name",
            (one.student, one.name, one.lms, one.lms_id),
        )
        self.db.execute("INSERT OR REPLACE INTO latest VALUES (?, ?)", (one.student, attempt))

    def add(self, run: int, one: Submission, identity: str, isolated: bool, marks: list[Mark]) -> None:
        """Keep the marks of one submission; nothing happens where it was graded in the meantime."""
        with self.change():
            self.db.execute(
                "INSERT INTO students VALUES (?, ?, ?, ?) ON CONFLICT (student) DO NOTHING",
                (one.student, one.name, one.lms, one.lms_id),
            )
            sql = "INSERT OR IGNORE INTO attempts VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)"
            values = (run, one.student, one.file, one.late, identity, _now(), isolated)
            done = self.db.execute(sql, values)
            if not done.rowcount:
                return
            self._count(one, int(done.lastrowid or 0))
            for mark in marks:
                self._mark(one.student, int(done.lastrowid or 0), "machine", mark)

    def _mark(self, student: str, attempt: int | None, by: str, mark: Mark) -> None:
        note, hint, answer = (_storable(text) for text in (mark.note, mark.hint, mark.answer))
        self.db.execute(
            "INSERT INTO marks (student, task, attempt, given_by, at, status, points, note, hint, misconception, "
            "answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                student,
                mark.task,
                attempt,
                by,
                _now(),
                mark.status,
                mark.points,
                note,
                hint,
                mark.misconception,
                answer,
            ),
        )

    def give(self, student: str, task: str, points: float, comment: str, by: str) -> None:
        """Keep a mark that a person gives; from now on it counts, whatever the machine finds.

        Raises:
            ValueError: no such student, or `by` is empty or "machine".
        """
        if by in ("", "machine"):
            raise ValueError("say who gives the mark")
        if not self.db.execute("SELECT 1 FROM students WHERE student = ?", (student,)).fetchone():
            raise ValueError(f"there is no student {student!r}")
        with self.change():
            self._mark(student, None, by, Mark(task, "graded", points, comment))

    def refuse(self, run: int, one: Submission, reason: str) -> None:
        """Keep why a file was not graded."""
        with self.change():
            values = (run, one.student, one.name, one.file, _storable(reason))
            self.db.execute("INSERT INTO refusals VALUES (?, ?, ?, ?, ?)", values)

    # --- reading ---

    def students(self) -> list[dict[str, Any]]:
        """Return all students that were graded, each with their attempt that counts, by name."""
        sql = (
            "SELECT s.*, a.file, a.late, a.isolated, a.at FROM students s JOIN latest USING (student) "
            "JOIN attempts a USING (attempt) ORDER BY s.name COLLATE NOCASE, s.student"
        )
        return [dict(row) for row in self.db.execute(sql)]

    def counting(self, student: str) -> dict[str, dict[str, Any]]:
        """Return the marks that count for a student, by task; each says who gave it in `given_by`."""
        found = self.db.execute("SELECT * FROM counting WHERE student = ?", (student,))
        return {row["task"]: dict(row) for row in found}

    def history(self, student: str, task: str) -> list[dict[str, Any]]:
        """Return every mark that was ever given for a task, the oldest first."""
        sql = "SELECT * FROM marks WHERE student = ? AND task = ? ORDER BY mark"
        return [dict(row) for row in self.db.execute(sql, (student, task))]

    def runs(self) -> list[dict[str, Any]]:
        """Return all runs, the oldest first, each with its refusals."""
        runs = [dict(row) for row in self.db.execute("SELECT * FROM runs ORDER BY run")]
        for run in runs:
            refused = self.db.execute("SELECT * FROM refusals WHERE run = ?", (run["run"],))
            run["refusals"] = [dict(row) for row in refused]
            graded = self.db.execute("SELECT count(*) FROM attempts WHERE run = ?", (run["run"],))
            run["graded"] = graded.fetchone()[0]
        return runs


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
