"""Hand jobs to processes that run student code, hold them to their time, and believe nothing unread.

A unit of work is plain data (it can be pickled), so any executor of `concurrent.futures` will do, and so will
that of a dask.distributed client on the same machine. Each thread that runs units keeps a warm process of its own.
"""

import json
import math
import os
import platform
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

import sahel

CELL_SECONDS = 10.0  # wall time for one cell; what a task asks for takes well below one second
ALL_SECONDS = 180.0  # wall time for one run of a whole notebook, starts after a crash included
START_SECONDS = 180.0  # until a process is ready; nothing of a student has run then
MOST_LINE = 2 * 2**20  # bytes in one message: an answer of 5,000 values fits
MOST_OUTPUT = 16 * 2**20  # bytes in all messages of a run
LINE_COST = 100  # bytes that a line takes here even where it is empty
MOST_FORM = 2**20
MOST_TEXT = 500
Isolation = Literal["auto", "none"]
Value = tuple[str, Any]  # kind and value, as `sahel_teacher.grading.child` sends them


class NotIsolated(Exception):
    """This system does not let student code be isolated: the message says why and what to do."""


class Broken(Exception):
    """A job could not be run, through no fault of the submission."""


@dataclass
class Outcome:
    """What came of a run: answers by task, errors and early ends by step."""

    values: dict[str, Value] = field(default_factory=dict)
    compare: dict[str, dict[str, Any]] = field(default_factory=dict)  # only of a worked version
    errors: dict[int, str] = field(default_factory=dict)
    stopped: dict[int, str] = field(default_factory=dict)  # step -> "timed out" or "crashed"


# --- what processes may see ------------------------------------------------------------------------------


class Stage:
    """A temporary folder with all that student code may read: `sahel` without what `check` knows, and data.

    lib/ holds the package and the words, data/ one folder for each set of tables ("0" is the course's), fonts/
    what matplotlib remembers, root/ nothing (there the warm process builds its tree). It holds no answer.
    """

    def __init__(self, data: Path):
        ours = f"sahel-stage-{platform.node()}-"
        _clear(ours)
        self.path = Path(tempfile.mkdtemp(prefix=f"{ours}{os.getpid()}-")).resolve()
        package = Path(sahel.__file__).parent
        skip = shutil.ignore_patterns("__pycache__", "built", "data")
        shutil.copytree(package, self.path / "lib" / "sahel", ignore=skip)
        built = self.path / "lib" / "sahel" / "built"
        built.mkdir()
        shutil.copyfile(package / "built" / "words.json", built / "words.json")
        for name in ("fonts", "root", "data"):
            (self.path / name).mkdir()
        shutil.copytree(data, self.path / "data" / "0")
        self.readable()

    def readable(self) -> None:
        """Let nobody read all of it: the folder around it stays closed to others."""
        for path in self.path.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)

    def close(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.path, ignore_errors=True)


def _clear(ours: str) -> None:
    """Delete the stages of graders on this computer that were killed; one whose process may live is left."""
    from psutil import pid_exists  # type: ignore[import-untyped]

    for path in Path(tempfile.gettempdir()).glob(f"{ours}*-*"):
        pid = path.name[len(ours) :].partition("-")[0]
        if pid.isdecimal() and not pid_exists(int(pid)):
            shutil.rmtree(path, ignore_errors=True)


def _environment(stage: Path, home: str) -> dict[str, str]:
    """Return the whole environment of a process that will run student code: nothing of the teacher's."""
    course = str(Path(__file__).resolve().parents[2])
    kept = {key: os.environ[key] for key in ("SYSTEMROOT", "TEMP", "LANG") if key in os.environ}
    return kept | {
        "PYTHONPATH": os.pathsep.join([str(stage / "lib"), course]),
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": str(stage / "fonts"),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "SAHEL_RESPONSES": str(Path(home) / "responses"),
        "HOME": home,
        "USERPROFILE": home,
        "TMPDIR": home,
    }


# --- processes -------------------------------------------------------------------------------------------


class Started(Protocol):
    """A process that runs one job: a stream of its messages, and a way to end it with all it started."""

    messages: BinaryIO

    def end(self) -> None:
        """Kill what is left of it and wait until nothing is."""


class Warm:
    """The warm process of one thread, and how jobs are given to it (Linux)."""

    def __init__(self, stage: Path, teacher: bool = False):
        """Start it. Raises NotIsolated where it cannot put walls around its children."""
        if sys.platform != "linux":
            raise NotIsolated(HOW_TO_ALLOW.format(why=f"that needs Linux, and this is {sys.platform}"))
        ours, theirs = socket.socketpair()
        options = ["--teacher"] if teacher else []
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "sahel_teacher.grading.sandbox", str(stage), *options],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=_environment(stage, "/scratch"),
                cwd="/",
                start_new_session=True,
            )
        self.control = ours
        ours.settimeout(START_SECONDS)
        answer = self._receive()
        if answer != "ready":
            self.close()
            said = self.process.stderr.read().decode("utf-8", "replace")[-400:] if self.process.stderr else ""
            raise NotIsolated(HOW_TO_ALLOW.format(why=answer or said or "the warm process does not start"))

    def _receive(self) -> str:
        try:
            return self.control.recv(4096).decode("utf-8", "replace").strip()
        except OSError:
            return ""

    def start(self, job: dict[str, Any]) -> "Started":
        """Give a job to a new child."""
        return _Child(self, json.dumps(job).encode("ascii"))

    def close(self) -> None:
        """End the process."""
        self.control.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class _Child:
    def __init__(self, warm: Warm, job: bytes):
        self.warm = warm
        (job_out, job_in), (out, into), (life, self.life) = os.pipe(), os.pipe(), os.pipe()
        try:
            socket.send_fds(warm.control, [b"j"], [job_out, into, life])
        finally:
            for handle in (job_out, into, life):
                os.close(handle)
        self.messages: BinaryIO = os.fdopen(out, "rb")
        # A pipe holds 64 kB: a child that dies before it has read would block whoever writes.
        threading.Thread(target=_write, args=(job_in, job), daemon=True).start()

    def end(self) -> None:
        os.close(self.life)  # the guard sees that and kills
        if self.warm._receive() != ".":
            raise Broken("the warm process has died")


def _write(handle: int, content: bytes) -> None:
    try:
        with os.fdopen(handle, "wb") as pipe:
            pipe.write(content)
    except OSError:
        pass


class Plain:
    """One job in a process of its own without walls: Windows, macOS, and where a teacher says so."""

    def __init__(self, stage: Path, job: dict[str, Any]):
        self.home = Path(tempfile.mkdtemp(prefix="run-", dir=stage))
        job = job | {"data": [str(stage / "data" / name) for name in job["data"]]}
        options = ["teacher"] if any("declared" in task for task in job["tasks"].values()) else []
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "sahel_teacher.grading.child", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(stage, str(self.home)),
            cwd=self.home,
            start_new_session=True,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.messages: BinaryIO = self.process.stdout  # type: ignore[assignment]
        _write(os.dup(self.process.stdin.fileno()), json.dumps(job).encode("ascii"))
        self.process.stdin.close()

    def end(self) -> None:
        """Kill it, and on POSIX systems all that it started and that did not leave its group."""
        if os.name == "nt":
            self.process.kill()
        else:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


_own = threading.local()
_started: list[Warm] = []


def _starter(stage: Path, isolation: Isolation) -> Callable[[dict[str, Any]], Started]:
    """Return what starts a job: this thread's warm process, or a plain process each time."""
    if isolation == "none":
        return lambda job: Plain(stage, job)
    warm: Warm | None = getattr(_own, "warm", None)
    if warm is None or _own.stage != stage or warm.process.poll() is not None:
        _forget()
        warm, _own.stage = Warm(stage), stage
        _own.warm = warm
        _started.append(warm)
    return warm.start


def _forget() -> None:
    """End this thread's warm process, if it has one."""
    warm: Warm | None = getattr(_own, "warm", None)
    if warm:
        warm.close()
        if warm in _started:
            _started.remove(warm)
    _own.warm = None


def close_all() -> None:
    """End every warm process that this process has started."""
    while _started:
        _started.pop().close()


# --- one job from start to end ---------------------------------------------------------------------------


def run_job(start: Callable[[dict[str, Any]], Started], job: dict[str, Any], limited: bool = True) -> Outcome:
    """Run a job; where a step kills the process or takes too long, start again without it.

    Args:
        start: what starts a process for a job.
        job: as described in `sahel_teacher.grading.child`.
        limited: a worked version (False) must not stop anywhere.

    Raises:
        Broken: a process could not be started or did not get ready.
    """
    outcome, skip = Outcome(), set(job["skip"])
    over = time.monotonic() + ALL_SECONDS
    at = 0
    while time.monotonic() < over:
        stopped, why = _attempt(start, job | {"skip": sorted(skip)}, outcome, over)
        if stopped is None:
            return outcome
        at = stopped
        outcome.stopped[at] = why
        skip.add(at)
        if not limited:
            return outcome
    never = {*range(at, len(job["steps"]))} - {*outcome.stopped, *job["skip"]}  # what stands before has run
    outcome.stopped |= dict.fromkeys(never, "timed out")
    return outcome


def _attempt(
    start: Callable[[dict[str, Any]], Started], job: dict[str, Any], outcome: Outcome, over: float
) -> tuple[int | None, str]:
    """Run a job once; return the step at which it ended early, and how, or None."""
    process = start(job)
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process.messages, lines), daemon=True)
    reader.start()
    at, ready = -1, False
    until = time.monotonic() + START_SECONDS
    try:
        while True:
            left = min(until, over if ready else until) - time.monotonic()
            if left <= 0:  # lines that never stop coming are no reason to wait
                raise queue.Empty
            line = lines.get(timeout=left)
            message = understand(line)
            if not line or "ended" in message:
                if not ready:
                    raise Broken("the process that runs cells has died before it began")
                return max(at, 0), "crashed"
            if not ready:
                if "fault" in message:
                    raise Broken(str(message["fault"])[:MOST_TEXT])
                ready = "ready" in message
                until = time.monotonic() + CELL_SECONDS
            elif "start" in message and _later(message["start"], at, job):
                at, until = message["start"], time.monotonic() + CELL_SECONDS
            elif "done" in message:
                return None, ""
            else:
                _note(message, job, outcome)
    except queue.Empty:
        if not ready:
            raise Broken("the process that runs cells does not get ready") from None
        return max(at, 0), "timed out"
    finally:
        process.end()


def _later(step: int, at: int, job: dict[str, Any]) -> bool:
    return at < step < len(job["steps"]) and step not in job["skip"]


def _read(stream: BinaryIO, lines: "queue.SimpleQueue[bytes]") -> None:
    """Put lines into a queue until the stream ends or has brought too much; then an empty one."""
    total = 0
    try:
        while total < MOST_OUTPUT:
            line = stream.readline(MOST_LINE)
            total += len(line) + LINE_COST
            lines.put(line)
            if not line:
                return
    except (OSError, ValueError):
        pass
    finally:
        stream.close()  # whoever writes on gets an error
    lines.put(b"")


def understand(line: bytes) -> dict[str, Any]:
    """Return a message that is exactly as the child sends them; an empty one for anything else."""
    try:
        found = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError, _Refused):
        return {}
    if not isinstance(found, dict) or len(found) != 1:
        return {}
    ((key, content),) = found.items()
    check = _MESSAGES.get(key)
    return found if check and check(content) else {}


class _Refused(Exception):
    pass


def _refuse(_name: str) -> None:
    raise _Refused


def _whole(content: Any) -> bool:
    return type(content) is int and abs(content) < 10_000


def _text(content: Any, most: int = MOST_TEXT) -> bool:
    return isinstance(content, str) and len(content) <= most


def _value(content: Any) -> bool:
    if not (isinstance(content, list) and len(content) == 3 and _text(content[0]) and _text(content[1])):
        return False
    value = content[2]
    return {
        "form": lambda: _text(value, MOST_FORM),
        "number": lambda: type(value) in (int, float) and abs(value) < 1e100 and math.isfinite(value),
        "kind": lambda: _text(value),
        "none": lambda: value is None,
    }.get(content[1], lambda: False)()


def _pair(content: Any) -> bool:
    return isinstance(content, list) and len(content) == 2


_MESSAGES: dict[str, Callable[[Any], bool]] = {
    "ready": _whole,
    "start": lambda content: _whole(content) and content >= 0,
    "done": _whole,
    "ended": _whole,
    "fault": _text,
    "error": lambda content: _pair(content) and _whole(content[0]) and _text(content[1]),
    "value": _value,
    "compare": lambda content: _pair(content) and _text(content[0]) and isinstance(content[1], dict),
}


def _note(message: dict[str, Any], job: dict[str, Any], outcome: Outcome) -> None:
    if "value" in message and message["value"][0] in job["tasks"]:
        task, kind, value = message["value"]
        outcome.values[task] = (kind, value)
    elif "error" in message and 0 <= message["error"][0] < len(job["steps"]):
        outcome.errors[message["error"][0]] = message["error"][1]
    elif "compare" in message and "declared" in job["tasks"].get(message["compare"][0], {}):
        outcome.compare[message["compare"][0]] = message["compare"][1]


# --- many jobs -------------------------------------------------------------------------------------------


def warm_up(unit: dict[str, Any]) -> None:
    """Start this thread's warm process ahead of the first unit; a fault is left for the unit to say."""
    with suppress(Broken, NotIsolated, OSError):
        _starter(Path(unit["stage"]), unit["isolation"])


def run_unit(unit: dict[str, Any]) -> dict[str, Any]:
    """Run one unit of work: plain data in (`stage`, `isolation`, `job`), plain data out.

    The result is an Outcome as a dict, or {"broken": why} where the submission could not be run.
    """
    why = ""
    for _ in range(2):
        try:
            start = _starter(Path(unit["stage"]), unit["isolation"])
            return asdict(run_job(start, unit["job"]))
        except (Broken, NotIsolated, OSError) as error:
            why = str(error)
            _forget()
    return {"broken": why}


def grade_all(
    units: Iterable[tuple[Any, dict[str, Any]]], executor: Executor, ahead: int
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Run units on an executor and yield (key, result) as they are done, with at most `ahead` waiting.

    Args:
        units: key and unit of work; read one at a time, so that five thousand need no more memory than ten.
        executor: threads here, or any other of `concurrent.futures`.
        ahead: how many units may be handed out at once.

    Raises:
        CancelledError: the executor has given up all work.
    """
    waiting: dict[Future[dict[str, Any]], Any] = {}
    coming = iter(units)
    more = True
    while more or waiting:
        while more and len(waiting) < ahead:
            try:
                key, unit = next(coming)
            except StopIteration:
                more = False
                break
            waiting[executor.submit(run_unit, unit)] = key
        done, _ = wait(waiting, return_when=FIRST_COMPLETED) if waiting else (set(), None)
        for future in done:
            try:
                result = future.result()
            except CancelledError:
                raise
            except Exception as error:  # such as a cluster whose workers died of it, one after another
                result = {"broken": f"{type(error).__name__}: {error}"[:MOST_TEXT]}
            yield waiting.pop(future), result


HOW_TO_ALLOW = """\
Student code cannot be isolated here: {why}.
Nothing was graded. What can help:
- Ubuntu 24.04 and later: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0
- in a container: rootless Podman, or Docker with --security-opt seccomp=unconfined --cap-add SYS_ADMIN
- any Linux of 5.12 or later on a machine or virtual machine of your own
To grade without isolation, on a computer on which nothing can be stolen or broken, add: --isolation none
Every result is then marked "not isolated"."""
