"""Keep answers in the responses folder: one JSON file a lesson, on this computer only, under a pseudonym.

A file holds every answer ever given, by question: {"version": 1, "lesson": "02", "pseudonym": "s-4f2a91",
"items": {"02.1": [{"at": ..., "choice": ..., "score": ..., "known": ..., "hints": ..., "rev": ...}, ...]}}.
Before each write the file is read again and the two are merged, so that two open notebooks both keep theirs.
"""

import contextlib
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sahel.quizzes.bank import say

VERSION = 1
LOCK_PATIENCE = 1.0  # seconds to wait for another notebook that is writing
LOCK_STALE = 10.0  # seconds after which a lock was left behind by a kernel that died

Attempt = dict[str, Any]
Answers = dict[str, list[Attempt]]

# In a browser (JupyterLite) /drive is what its storage keeps; where that may not be used there is no such folder.
NO_STORAGE = sys.platform == "emscripten" and not Path("/drive").is_dir()

_unsaved: dict[Path, Answers] = {}  # answers that could not be written yet


class _NotUsable(Exception):
    """The file cannot be used; the message is the sentence that says why."""


def responses_folder() -> Path:
    """Return where answers are kept: SAHEL_RESPONSES, else responses/ in the course's folder, else here."""
    named = os.environ.get("SAHEL_RESPONSES")
    if named:
        return Path(named).expanduser()
    for folder in Path(__file__).resolve().parents:
        if (folder / "course.py").is_file():
            return folder / "responses"
    return Path.cwd() / "responses"


def read(lesson: str) -> tuple[Answers, str]:
    """Return a lesson's answers by question, oldest first, and one sentence on what went wrong (or "")."""
    path = _path(lesson)
    saved: Answers = {}
    notice = ""
    try:
        saved, notice = _load(path)
    except _NotUsable as trouble:
        notice = str(trouble)
    return _merged(saved, _unsaved.get(path, {})), notice


def add(lesson: str, item: str, attempt: Attempt) -> tuple[Answers, str]:
    """Add one answer, stamped with the time, and write the file; return what `read` returns.

    What cannot be written stays in memory and is tried again with the next answer.
    """
    path = _path(lesson)
    stamped = {"at": datetime.now(UTC).isoformat(timespec="microseconds"), **attempt}
    _unsaved[path] = _merged(_unsaved.get(path, {}), {item: [stamped]})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _lock(path):
            saved, notice = _load(path)
            answers = _merged(saved, _unsaved[path])
            _write(path, lesson, answers)
        del _unsaved[path]
    except _NotUsable as trouble:
        answers, notice = _unsaved[path], str(trouble)
    except OSError as error:
        answers, _ = read(lesson)
        notice = say("not_saved", folder=path.parent, reason=error.strerror or error)
    return answers, notice or (say("no_storage") if NO_STORAGE else "")


def forget_all() -> str:
    """Delete every answer file, damaged ones too; return one sentence on what went wrong (or "")."""
    _unsaved.clear()
    folder = responses_folder()
    try:
        for path in folder.glob("[0-9][0-9].json*"):
            path.unlink(missing_ok=True)
    except OSError as error:
        return say("not_forgotten", folder=folder, reason=error.strerror or error)
    return ""


def _path(lesson: str) -> Path:
    return responses_folder() / f"{lesson}.json"


def _merged(one: Answers, other: Answers) -> Answers:
    """Return the answers of both, by question, sorted by time, none twice."""
    both: Answers = {}
    for item in sorted({*one, *other}):
        found = one.get(item, []) + [a for a in other.get(item, []) if a not in one.get(item, [])]
        both[item] = sorted(found, key=lambda attempt: attempt["at"])
    return both


def _load(path: Path) -> tuple[Answers, str]:
    """Return the answers in a file and a sentence where it had to be moved aside.

    Raises:
        _NotUsable: it cannot be read, or must be left as it is.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}, ""
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError):
            reason = error.strerror or error
            raise _NotUsable(say("not_saved", folder=path.parent, reason=reason)) from error
        text = ""
    answers, version = parsed(text)
    if version > VERSION:
        raise _NotUsable(say("newer"))
    if answers is not None:
        return answers, ""
    return {}, say("damaged", name=_move_aside(path).name)


def parsed(text: str) -> tuple[Answers | None, int]:
    """Return the answers (None where the text is damaged or the version unknown) and the file's version."""
    try:
        data = json.loads(text)
        version = int(data["version"])
        if version > VERSION:
            return None, version
        answers: Answers = data["items"]
        whole = all(
            type(attempt["at"]) is str and "choice" in attempt and "rev" in attempt
            for attempts in answers.values()
            for attempt in attempts
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None, 0
    return (answers if whole else None), version


def _move_aside(path: Path) -> Path:
    """Rename a damaged file to a name that is free, so that nothing is lost."""
    number = 1
    while (target := path.with_name(f"{path.name}.{number}.damaged")).exists():
        number += 1
    try:
        path.replace(target)
    except OSError as error:
        raise _NotUsable(say("not_saved", folder=path.parent, reason=error.strerror or error)) from error
    return target


def _write(path: Path, lesson: str, answers: Answers) -> None:
    """Write the file whole or not at all."""
    data = {"version": VERSION, "lesson": lesson, "pseudonym": _pseudonym(path.parent), "items": answers}
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_text(
            json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n"
        )
        try:
            draft.replace(path)
        except PermissionError:  # on Windows, another program may have the file open for a moment
            time.sleep(0.1)
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _pseudonym(folder: Path) -> str:
    """Return the pseudonym in the files of this folder, or a new random one."""
    for path in sorted(folder.glob("[0-9][0-9].json")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            return str(json.loads(path.read_text(encoding="utf-8"))["pseudonym"])
    return f"s-{secrets.token_hex(3)}"


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a lock file while writing. It never blocks for good: after a while we write all the same."""
    lock = path.with_name(path.name + ".lock")
    held = False
    deadline = time.monotonic() + LOCK_PATIENCE
    while not held and time.monotonic() < deadline:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            held = True
        except FileExistsError:
            with contextlib.suppress(OSError):
                if time.time() - lock.stat().st_mtime > LOCK_STALE:
                    lock.unlink()
            time.sleep(0.01)
        except OSError:  # the folder cannot be written: writing will say so
            break
    try:
        yield
    finally:
        if held:
            with contextlib.suppress(OSError):
                lock.unlink()
