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

from sahel.data import data_folder, load

MAX_VALUES = 5_000  # more values than any task asks for, few enough to be read at once
MAX_TEXT = 10_000  # characters in one value
MAX_SECONDS = 2.0  # for all calls of a student's function
SCRYPT_N = 2**12  # about 15 ms a try and 4 MB
_KINDS: tuple[tuple[Any, str], ...] = (
    (pd.DataFrame, "table"),
    (pd.Series | pd.Index, "column"),
    (set | frozenset, "set"),
    # unique() of a column of text gives an array of pandas' own
    (list | tuple | np.ndarray | pd.api.extensions.ExtensionArray, "list"),
    (dict, "dict"),
)
_NUMBERS = {"whole", "number"}
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

    Raises:
        AssertionError: the answer is not right and nbgrader runs the notebook: only so do points count there.
    """
    found = _find(task)
    if isinstance(found, str):
        verdict = Verdict("not yet", found)
    elif "only" in found:  # a written task, or one that is handed out without its digests
        verdict = Verdict("not yet", say(found["only"], task=task))
    else:
        verdict = judge(str(task), found, answer)
    text = _wrap(verdict.text)
    if verdict.outcome != "right" and os.environ.get("NBGRADER_EXECUTION"):  # "autograde" or "validate"
        raise AssertionError(text)
    print(text)


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
    elif type(number) is not int or not 1 <= number <= len(found["hints"]):
        text = say("no_such_hint", task=task, total=len(found["hints"]))
    else:
        text = say("hint", n=number, total=len(found["hints"]), text=found["hints"][number - 1])
        if number < len(found["hints"]):
            text += "\n" + say("next_hint", task=task, n=number + 1)
    print(_wrap(text))


def _wrap(text: str) -> str:
    """Break long lines: a notebook does not break what is printed."""
    lines = [textwrap.fill(line, 96, break_on_hyphens=False) for line in text.splitlines()]
    return "\n".join(lines)


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
    except ImportError:  # from _scrypt: nothing can be said of the answer
        return Verdict("not yet", say("no_scrypt"))
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
    made = _scrypt(form.encode("utf-8"), salt.encode("utf-8"))
    return made[:16].hex(), made[16:]


def _scrypt(secret: bytes, salt: bytes) -> bytes:
    if hasattr(hashlib, "scrypt"):
        return hashlib.scrypt(secret, salt=salt, n=SCRYPT_N, r=8, p=1, dklen=48)
    # Python in a browser comes without OpenSSL; the site of the course brings this package instead.
    from Crypto.Protocol.KDF import scrypt

    return bytes(scrypt(secret, salt, 48, N=SCRYPT_N, r=8, p=1))


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
    form = _COMPARE[compare["kind"]](answer, compare)
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
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool | np.bool_):
        return "bool", bool(value)
    if isinstance(value, int | np.integer) and abs(int(value)) < 2**63:
        return "whole", int(value)
    if isinstance(value, float | np.floating):
        return _float(float(value))
    if isinstance(value, np.datetime64 | np.timedelta64 | date | timedelta):
        return _moment(value)
    return ("missing", None) if value is None or value is pd.NA else ("other", None)


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
    if math.isinf(value):
        return "infinite", f"{value}"
    near = float(f"{value:.9g}") if abs(value) < 10**9 else value  # 56.00000000000001 - 50 is six
    return ("whole", int(near)) if near == int(near) and abs(near) < 2**53 else ("number", f"{value:.9g}")


def plain(value: Any) -> tuple[str, Any]:
    """Return kind and canonical form of a single value, or of a flat list in its order."""
    kind = "list" if kind_of(value) == "column" else kind_of(value)
    if kind == "list":
        return kind, _forms(items_of(value))
    return kind, scalar(value)[1]


def items_of(value: Any) -> list[Any]:
    """Return what a list, set or column holds as a Python list."""
    if len(value) > MAX_VALUES:
        raise WrongKind(say("too_big"))
    return value.tolist() if hasattr(value, "tolist") else list(value)


def _forms(items: list[Any], expected: list[str] | None = None, message: str = "", **names: str) -> list[Any]:
    """Return the canonical form of each value in a list, a set or a column, if its kind is expected."""
    forms = []
    for item in items:
        kind, form = scalar(item)
        if kind == "other" or (expected is not None and not _fits(kind, expected)):
            got = _named(kind_of(item) if kind == "other" else kind)
            if not expected:
                raise WrongKind(say("inside", got=got))
            raise WrongKind(say(message, expected=_named(*expected), got=got, **names))
        forms.append(form)
    return forms


def _fits(got: str, expected: list[str]) -> bool:
    """Say whether a kind is one of those expected; a missing value or a fraction is wrong, but not in kind."""
    return got in (*expected, "missing") or (got in _NUMBERS and bool(_NUMBERS & set(expected)))


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
    if kind not in _NUMBERS:
        raise _unexpected("number", kind)
    return math.floor(float(answer) / compare["width"])


def _set(answer: Any, compare: dict[str, Any]) -> Any:
    kind = kind_of(answer)
    if kind not in ("set", "list", "column"):
        raise _unexpected("set", kind)
    return sorted({json.dumps(form) for form in _forms(items_of(answer), compare["of"], "set_of")})


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
        columns.append(_forms(frame[name].tolist(), kinds, "column_of", column=name))
    rows = [json.dumps(row) for row in zip(*columns, strict=True)]
    return rows if compare["ordered"] else sorted(rows)


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
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for arguments in inputs:
                found.append(plain(function(*map(_argument, arguments))))
        except BaseException as error:
            failed.append(error)

    worker = threading.Thread(target=work, daemon=True)
    with redirect_stdout(StringIO()):
        try:
            worker.start()
        except RuntimeError:  # Python in a browser has no threads: there the calls take what they take
            work()
        else:
            worker.join(MAX_SECONDS)
    if worker.is_alive():  # a thread cannot be ended from outside, but Python can raise an exception in it
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(worker.ident or 0), ctypes.py_object(SystemExit)
        )
        raise WrongKind(say("slow", seconds=f"{MAX_SECONDS:g}"))
    for error in failed:
        if isinstance(error, WrongKind):
            raise error
        words = textwrap.shorten(f"{type(error).__name__}: {error}", 120)
        raise WrongKind(say("raised", error=words)) from error
    return found


def _argument(value: Any) -> Any:
    """Return one input of a student's function: a table of the course for {"table": name}, else a copy."""
    return (
        _read_once(value["table"], data_folder()).copy() if isinstance(value, dict) else copy.deepcopy(value)
    )


@cache
def _read_once(name: str, _folder: Path) -> pd.DataFrame:
    """Return a table, read from the file once for each folder of data: a function may be called on it often."""
    return load(name)


_COMPARE: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
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
    if type(task) not in (str, float):  # 02.1 without quotation marks is the number 2.1
        return say("no_number")
    if task in tasks:
        return dict(tasks[task])
    near = get_close_matches(str(task)[:40], tasks, n=1)
    advice = say("near", near=near[0]) if near else say("no_number")
    return say("no_task", task=str(task)[:40]) + " " + advice
