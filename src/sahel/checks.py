"""Check an answer: right, or which misconception it shows, or what is wrong in kind; never the answer itself.

An answer is brought into one canonical text (row order, number types and date formats that do not matter are
gone), and a slow salted digest of that text is compared with digests made when the course was built. The hint
for a wrong answer is encrypted with a key that comes from that wrong answer. A digest deters and is not a
lock: who has time can try values until one fits, and the worked answers of the shipped tasks are public.
"""

import copy
import ctypes
import hashlib
import json
import math
import os
import re
import textwrap
import threading
import unicodedata
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from sahel.data import load

MAX_VALUES = 10_000  # more values than any task asks for, few enough to be read at once
MAX_TEXT = 10_000  # characters in one value
MAX_SECONDS = 2.0  # for all calls of a student's function
SCRYPT_N = 2**12  # about 15 ms a try and 4 MB
_KINDS: tuple[tuple[Any, str], ...] = (
    (pd.DataFrame, "table"),
    (pd.Series | pd.Index, "column"),
    (set | frozenset, "set"),
    (list | tuple | np.ndarray, "list"),
    (dict, "dict"),
)
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True)
class Verdict:
    """What `check` finds: the outcome in a word, and the sentence for the student."""

    outcome: Literal["right", "misconception", "kind", "not yet"]
    text: str


class WrongKind(Exception):
    """The answer cannot be compared: the message says what kind was expected and what came."""


def check(task: Any = None, answer: Any = None) -> None:
    """Say whether an answer is right; if not, what to think about. Prints one line or two.

    Args:
        task: the task's number in quotation marks, such as "02.1".
        answer: your result.
    """
    found = _find(task)
    verdict = found if isinstance(found, str) else judge(str(task), found, answer).text
    print(textwrap.fill(verdict, 96, break_long_words=False, break_on_hyphens=False))


def hint(task: Any = None, number: Any = 1) -> None:
    """Print a hint for a task: the first where no number is given, each next one says more.

    Args:
        task: the task's number in quotation marks, such as "02.1".
        number: which hint; 1 is the first.
    """
    found = _find(task)
    if isinstance(found, str):
        text = found
    elif not found["hints"]:
        text = say("no_hints", task=task)
    elif not isinstance(number, int) or not 1 <= number <= len(found["hints"]):
        text = say("no_such_hint", task=task, total=len(found["hints"]))
    else:
        text = say("hint", n=number, total=len(found["hints"]), text=found["hints"][number - 1])
        if number < len(found["hints"]):
            text += " " + say("next_hint", task=task, n=number + 1)
    print(textwrap.fill(text, 96, break_long_words=False, break_on_hyphens=False))


def judge(task: str, record: dict[str, Any], answer: Any) -> Verdict:
    """Compare an answer with what the build stored for the task; survives any answer.

    Args:
        task: the task's number.
        record: kind, salt, digests and hints, as `sahel_teacher.exercises` makes them.
        answer: anything.
    """
    try:
        if answer is None:
            raise WrongKind(say("empty"))
        tag, key = digest(canonical(answer, record["compare"]), record["salt"])
    except WrongKind as wrong:
        return Verdict("kind", say("not_yet", task=task, why=wrong))
    except Exception:  # whatever a student's object does when it is looked at
        return Verdict("kind", say("not_yet", task=task, why=say("unreadable")))
    if tag in record["right"]:
        more = " " + say("more") if record["more"] else ""
        return Verdict("right", say("right", task=task) + more)
    if tag in record["wrong"]:
        text = mask(bytes.fromhex(record["wrong"][tag]), key).decode("utf-8")
        return Verdict("misconception", say("not_yet", task=task, why=text))
    why = say("ask_hint", task=task) if record["hints"] else say("look_again")
    return Verdict("not yet", say("not_yet", task=task, why=why))


# --- digests ---------------------------------------------------------------------------------------------


def digest(form: str, salt: str) -> tuple[str, bytes]:
    """Return the tag of a canonical text, to be compared, and a key, to encrypt or read its hint (scrypt)."""
    made = hashlib.scrypt(form.encode("utf-8"), salt=salt.encode("utf-8"), n=SCRYPT_N, r=8, p=1, dklen=48)
    return made[:16].hex(), made[16:]


def mask(text: bytes, key: bytes) -> bytes:
    """Encrypt or decrypt a hint: exclusive or with a stream made from the key (SHAKE-256)."""
    return bytes(a ^ b for a, b in zip(text, hashlib.shake_256(key).digest(len(text)), strict=True))


# --- canonical forms -------------------------------------------------------------------------------------


def canonical(answer: Any, compare: dict[str, Any]) -> str:
    """Return an answer as one text that is the same for all answers that mean the same.

    Args:
        answer: anything.
        compare: `kind` (exact, number, set, table, function) and what that kind needs.

    Raises:
        WrongKind: the answer is of another kind than the task asks for.
    """
    form = _FORMS[compare["kind"]](answer, compare)
    return json.dumps(form, separators=(",", ":"))


def kind_of(value: Any) -> str:
    """Return the kind of a value as a key of the course's words: whole, number, text, date, table, ..."""
    for types, kind in _KINDS:
        if isinstance(value, types):
            return kind
    return "function" if callable(value) else scalar(value)[0]


def scalar(value: Any) -> tuple[str, Any]:
    """Return the kind of a single value and its canonical form for JSON.

    Whole numbers are whole whatever their type; others keep nine digits, so that the order of a sum does not
    matter; dates, also those written as text, become ISO; every missing value is None.
    """
    if isinstance(value, np.datetime64 | np.timedelta64 | date | timedelta):
        return _moment(value)
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA:
        return "missing", None
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, int) and value.bit_length() <= 64:
        return "whole", int(value)
    if isinstance(value, float):
        return _float(float(value))
    return _text(value) if isinstance(value, str) else ("other", None)


def _moment(value: Any) -> tuple[str, Any]:
    if pd.isna(value):
        return "missing", None
    if isinstance(value, np.timedelta64 | timedelta):
        return "duration", f"{pd.Timedelta(value).total_seconds():.9g} s"
    stamp = pd.Timestamp(value)
    return "date", stamp.date().isoformat() if stamp == stamp.normalize() else stamp.isoformat()


def _text(value: str) -> tuple[str, Any]:
    if len(value) > MAX_TEXT:
        raise WrongKind(say("too_big"))
    text = unicodedata.normalize("NFC", value)
    return "date" if ISO_DAY.match(text) else "text", text


def _float(value: float) -> tuple[str, Any]:
    if math.isnan(value):
        return "missing", None
    if math.isfinite(value) and value == int(value) and abs(value) < 2**53:
        return "whole", int(value)
    return "number", f"{value:.9g}"


def plain(value: Any) -> tuple[str, Any]:
    """Return kind and canonical form of a single value, or of a flat list in its order."""
    kind = "list" if kind_of(value) == "column" else kind_of(value)
    if kind == "list":
        return kind, [_value(item) for item in items_of(value)]
    return kind, scalar(value)[1]


def items_of(value: Any) -> list[Any]:
    """Return what a list, set or column holds as a Python list."""
    if len(value) > MAX_VALUES:
        raise WrongKind(say("too_big"))
    return value.tolist() if hasattr(value, "tolist") else list(value)


def _value(item: Any) -> Any:
    """Return the canonical form of one value inside a list, a set or a table."""
    kind, form = scalar(item)
    if kind == "other":
        raise WrongKind(say("inside", got=_named(kind_of(item))))
    return form


def _fits(got: str, expected: list[str]) -> bool:
    return got in expected or got == "missing" or (got == "whole" and "number" in expected)


def _named(kind: str, *more: str) -> str:
    return " or ".join(say(f"kind_{name}") for name in (kind, *more))


def _unexpected(expected: str, got: str) -> WrongKind:
    return WrongKind(say("expected", expected=_named(expected), got=_named(got)))


def _exact(answer: Any, compare: dict[str, Any]) -> Any:
    kind, form = plain(answer)
    if kind == "missing" or not _fits(kind, [compare["is"]]):
        raise _unexpected(compare["is"], kind)
    return form


def _number(answer: Any, compare: dict[str, Any]) -> Any:
    """Return the number of the bucket that holds the answer: the build stores every bucket within tolerance."""
    kind = kind_of(answer)
    if kind not in ("whole", "number") or not math.isfinite(answer):
        raise _unexpected("number", kind)
    return math.floor(float(answer) / compare["width"])


def _set(answer: Any, compare: dict[str, Any]) -> Any:
    kind = kind_of(answer)
    if kind not in ("set", "list", "column"):
        raise _unexpected("set", kind)
    items = items_of(answer)
    _check_kinds(items, compare["of"], lambda got: say("set_of", expected=_named(*compare["of"]), got=got))
    return sorted({json.dumps(_value(item)) for item in items})


def _table(answer: Any, compare: dict[str, Any]) -> Any:
    wanted = list(compare["columns"])
    frame = answer.to_frame() if isinstance(answer, pd.Series) else answer
    if not isinstance(frame, pd.DataFrame):
        raise _unexpected("table", kind_of(answer))
    if len(frame) * len(wanted) > MAX_VALUES:
        raise WrongKind(say("too_big"))
    if set(frame.index.names) & (set(wanted) - set(frame.columns)):  # a group-by leaves its keys there
        frame = frame.reset_index()
    names = list(frame.columns)
    missing = [name for name in wanted if name not in names]
    if missing:
        raise WrongKind(say("columns", columns=", ".join(wanted), missing=", ".join(missing)))
    columns = []
    for name, kinds in compare["columns"].items():
        if names.count(name) > 1:
            raise WrongKind(say("twice", column=name))
        items = frame[name].tolist()
        said = {"column": name, "expected": _named(*kinds)}
        _check_kinds(items, kinds, lambda got, said=said: say("column_of", got=got, **said))  # type: ignore[misc]
        columns.append([_value(item) for item in items])
    rows = [json.dumps(row) for row in zip(*columns, strict=True)]
    return rows if compare["ordered"] else sorted(rows)


def _check_kinds(items: list[Any], expected: list[str], message: Callable[[str], str]) -> None:
    for item in items:
        kind = scalar(item)[0]
        if not _fits(kind, expected):
            raise WrongKind(message(_named(kind_of(item) if kind == "other" else kind)))


def _function(answer: Any, compare: dict[str, Any]) -> Any:
    if kind_of(answer) != "function":
        raise _unexpected("function", kind_of(answer))
    forms = []
    for kind, form in call(answer, compare["inputs"]):
        if not _fits(kind, compare["returns"]):
            raise WrongKind(say("returns", expected=_named(*compare["returns"]), got=_named(kind)))
        forms.append(form)
    return forms


def call(function: Callable[..., Any], inputs: list[list[Any]]) -> list[tuple[str, Any]]:
    """Call a student's function on each list of inputs, for two seconds at most in all."""
    found: list[tuple[str, Any]] = []
    failed: list[WrongKind] = []

    def work() -> None:
        try:
            for arguments in inputs:
                found.append(plain(function(*map(_argument, arguments))))
        except WrongKind as wrong:
            failed.append(wrong)
        except BaseException as error:
            words = textwrap.shorten(f"{type(error).__name__}: {error}", 120)
            failed.append(WrongKind(say("raised", error=words)))

    worker = threading.Thread(target=work, daemon=True)
    with redirect_stdout(StringIO()):
        worker.start()
        worker.join(MAX_SECONDS)
    if worker.is_alive():  # a thread cannot be ended from outside, but Python can raise an exception in it
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(worker.ident or 0), ctypes.py_object(SystemExit)
        )
        raise WrongKind(say("slow", seconds=f"{MAX_SECONDS:g}"))
    if failed:
        raise failed[0]
    return found


def _argument(value: Any) -> Any:
    """Return one input of a student's function: a table of the course for {"table": name}, else a copy."""
    return load(value["table"]) if isinstance(value, dict) else copy.deepcopy(value)


_FORMS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "exact": _exact,
    "number": _number,
    "set": _set,
    "table": _table,
    "function": _function,
}


# --- what the build left for us --------------------------------------------------------------------------


def say(key: str, **values: Any) -> str:
    """Return a sentence of content/en/words.yaml, filled in; the key itself where the words are missing."""
    template = _words(_built() / "words.json").get(key)
    if template is None:
        return " ".join([key.replace("_", " "), *map(str, values.values())])
    return template.format(**values)


def _built() -> Path:
    """Return the folder of built words and tasks (the environment variable SAHEL_BUILT names another)."""
    named = os.environ.get("SAHEL_BUILT")
    return Path(named).expanduser() if named else Path(__file__).resolve().parent / "built"


@cache
def _words(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["check"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


@cache
def _read(path: Path, _modified: int) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))["tasks"])


def _tasks() -> dict[str, Any]:
    """Return all tasks by number."""
    found: dict[str, Any] = {}
    for path in sorted((_built() / "checks").glob("*.json")):
        found |= _read(path, path.stat().st_mtime_ns)
    return found


def _find(task: Any) -> dict[str, Any] | str:
    """Return what is stored for a task, or a sentence that says why there is nothing."""
    try:
        tasks = _tasks()
    except (OSError, ValueError, KeyError, TypeError):
        return say("damaged")
    if not isinstance(task, str | int | float):
        return say("no_number")
    if task in tasks:
        return dict(tasks[str(task)])
    near = get_close_matches(str(task)[:40], tasks, n=1, cutoff=0.4)
    return say("no_task", task=str(task)[:40], near=near[0]) if near else say("no_number")
