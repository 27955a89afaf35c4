"""Run the cells of one submission: the part of grading that stands in the same process as student code.

It holds no answer and decides nothing. A job comes in as JSON and lines of JSON go out:

- {"start": n}: step n begins, so that the grader knows where the process died or hung;
- {"error": [n, text]}: the code of step n raised;
- {"value": [task, kind, value]}: an answer. Kind is "form" (the text that `sahel.checks.canonical` makes),
  "number" (the number itself: the grader applies the tolerance), "kind" (why it cannot be compared) or "none";
- {"compare": [task, spec]}: how answers are compared, only for a worked version;
- {"done": 1}.

A job: `data` (folders), `tasks` ({task: {result, compare or declared}}), `skip` (steps that must not run) and
`steps`, each with `code` and, as need be, `fresh` (a new namespace), `data` (which folder `load` reads from
now on) and `read` (the task whose answer is looked at).
"""

import builtins
import gc
import json
import math
import mmap
import os
import sys
import threading
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
from IPython.core.inputtransformer2 import TransformerManager

from sahel import checks

SPARE_MEMORY = 512 * 2**20  # what a cell must leave for those after it, if memory is limited at all
SPARE_FILES = 32
TOO_MUCH = "uses too much memory, or leaves too many files or threads open, for the cells after it to run"
MOST_ERROR = 300
Send = Callable[[dict[str, Any]], None]
PREPARED = (pd, checks)  # what the warm process loads, so that no child has to


class _Shell:
    """Stands for IPython: magics and shell commands do nothing, code under %%time and the like runs."""

    def __init__(self, space: dict[str, Any]):
        self.space = space

    def run_cell_magic(self, name: str, _line: str, body: str) -> None:
        if name in ("time", "timeit", "capture"):
            exec(_compiled(body), self.space)

    def run_line_magic(self, name: str, line: str) -> None:
        if name in ("time", "timeit"):
            exec(_compiled(line), self.space)

    def getoutput(self, *_arguments: Any, **_options: Any) -> list[str]:
        return []

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_arguments, **_options: None


def sender(handle: int) -> Send:
    """Return a function that writes a message as one line to an open file."""

    def send(message: dict[str, Any]) -> None:
        line = json.dumps(message).encode("ascii") + b"\n"
        while line:
            line = line[os.write(handle, line) :]

    return send


def run_job(job: dict[str, Any], send: Send, limited: bool) -> None:
    """Run all steps of a job; each may fail without harm to the next.

    Args:
        job: see the top of this module.
        send: gets each message.
        limited: memory is limited, so a cell that leaves too little of it is given up.
    """
    space: dict[str, Any] = {}
    for n, step in enumerate(job["steps"]):
        if step.get("fresh"):
            space = _fresh()
        if n in job["skip"]:
            continue
        send({"start": n})
        if step.get("data") is not None:
            os.environ["SAHEL_DATA"] = job["data"][step["data"]]
            _unshadow(space)
        error = _run(step.get("code", ""), space)
        if limited and step.get("code") and (error == TOO_MUCH or not _room()):
            send({"error": [n, TOO_MUCH]})
            os._exit(0)  # without "done": the grader starts again and leaves this step out
        if error:
            send({"error": [n, error]})
        if step.get("read"):
            task = job["tasks"][step["read"]]
            if "declared" in task:
                _describe(space, step["read"], task, send)
            send({"value": [step["read"], *_look(space, task)]})
    send({"done": 1})


def _fresh() -> dict[str, Any]:
    """Return the namespace of a new __main__, as a notebook has it."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    space = vars(module)
    shell = _Shell(space)
    space |= {"get_ipython": lambda: shell, "display": lambda *_things, **_options: None}
    space["input"] = lambda *_prompt: ""
    return space


def _unshadow(space: dict[str, Any]) -> None:
    """Take away what hides a built-in function by mistake, such as `sum = 3` in an earlier task."""
    for name in [name for name in space if callable(getattr(builtins, name, None))]:
        if not callable(space[name]):
            del space[name]


def _run(code: str, space: dict[str, Any]) -> str:
    """Run code as a cell; return what it raised, in words, or an empty text."""
    try:
        exec(_compiled(code), space)
    except MemoryError:
        gc.collect()
        return TOO_MUCH
    except BaseException as error:
        return _words(error)
    finally:
        plt.close("all")
    return ""


def _compiled(code: str) -> types.CodeType:
    """Compile a cell; only what is not plain Python is read as IPython reads it, which takes longer."""
    try:
        return compile(code, "cell", "exec")
    except SyntaxError:
        return compile(TransformerManager().transform_cell(code), "cell", "exec")


def _words(error: BaseException) -> str:
    """Say what was raised and in which line of the cell; survives any exception."""
    try:
        line, trace = "", error.__traceback__
        while trace:
            if trace.tb_frame.f_code.co_filename == "cell":
                line = f" (line {trace.tb_lineno} of the cell)"
            trace = trace.tb_next
        return f"{type(error).__name__}: {error}"[:MOST_ERROR] + line
    except BaseException:
        return "an error that cannot be shown"


def _room() -> bool:
    """Say whether the next cells can still have memory, files and a thread."""
    try:
        mmap.mmap(-1, SPARE_MEMORY).close()
        opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(SPARE_FILES)]
        for handle in opened:
            os.close(handle)
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
    except BaseException:
        return False
    return True


def _look(space: dict[str, Any], task: dict[str, Any]) -> list[Any]:
    """Return kind and value of an answer, in a form that can be sent; survives any object."""
    try:
        value = space.get(task["result"])
        if value is None:
            return ["none", None]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            form = checks.canonical(value, task["compare"])
            if task["compare"]["kind"] == "number":
                number = float(value)
                return ["number", number if math.isfinite(number) else 0.0]
        return ["form", form]
    except checks.WrongKind as wrong:
        return ["kind", str(wrong)[:MOST_ERROR]]
    except BaseException:
        return ["kind", checks.say("unreadable")[:MOST_ERROR]]


def _describe(space: dict[str, Any], key: str, task: dict[str, Any], send: Send) -> None:
    """Find how answers are compared from a worked one, for this and all later looks at the task."""
    from sahel_teacher.forms import describe

    try:
        task["compare"] = describe(space.get(task["result"]), task.pop("declared"), f"task {key}")
        send({"compare": [key, task["compare"]]})
    except Exception as error:
        task["compare"] = {"kind": "none"}
        send({"compare": [key, {"fault": str(error)[:MOST_ERROR]}]})


def main() -> None:
    """Run one job without walls: it comes on standard input, and messages go to what was standard output."""
    out = os.dup(1)
    if "teacher" in sys.argv:
        import sahel_teacher.forms  # noqa: F401
    job = json.loads(sys.stdin.buffer.read())
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    sys.stdin, sys.stdout, sys.stderr = quiet()
    os.chdir(Path(os.environ["HOME"]))
    send = sender(out)
    send({"ready": 1})
    run_job(job, send, limited=False)
    os._exit(0)


def quiet() -> tuple[Any, Any, Any]:
    """Return an empty input and two outputs that keep nothing."""
    null = Path(os.devnull)
    out, error = (null.open("w", encoding="utf-8", errors="replace") for _ in range(2))
    return null.open(encoding="utf-8"), out, error


if __name__ == "__main__":
    main()
