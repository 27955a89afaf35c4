"""Does the course hold on a JupyterHub, with a whole class at once, and what does it cost?

    python3 course.py run benchmarks.hub                      30 students, all at once
    python3 course.py run benchmarks.hub --over 90            the same, arriving within 90 seconds
    python3 course.py run benchmarks.hub --students 3 --environment FOLDER

It sets up a real JupyterHub as docs/hub.md says and lets students in who are made up: s01, s02 and so on. Each logs in
through the form, gets a server, follows the nbgitpuller link to a copy of a release, opens lesson 02, runs every cell,
and answers the whole quiz by the messages that its widget sends. The last of them is a Chromium: from the form to an
answered question in JupyterLab. Afterwards every answer must lie in its own student's folder and nowhere else.

Everything is on this computer only (127.0.0.1), in a temporary folder, and is stopped at the end. The servers run as
one user of the system, so nothing is learned here about how accounts are kept apart. The first call needs the network;
`--environment` names a folder that keeps what was installed. It needs git, npm and Chromium. Linux only: memory is read
from /proc.

Found on 22 November 2026, on two cores that had nothing else to do:

                                              30 at once          30 within 90 s
    memory a student, server and kernel       230 MB (most 239)   230 MB (most 239)
    of which the kernel                       108 MB              108 MB
    hub and proxy                             108 and 65 MB       107 and 64 MB
    processor time a student                  7.5 s               7.2 s
    login form to server, median (slowest)    58 s (75)           17 s (26)
    to the first result of lesson 02          89 s (115)          30 s (41)
    until lesson 02 has run                   116 s (127)         36 s (48)
    in Chromium, to the first result          101 s               28 s
    failures                                  0                   0

On the same computer under a load of more than 20 memory and processor time were the same, and the seconds two to four
times as long. With JupyterHub's own 30 seconds for a server to answer, in place of PATIENCE, 29 of 30 at once got no
server under that load.
"""

import argparse
import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests
import websocket
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
FOLDER = "fortress-niger"
LESSON = f"{FOLDER}/notebooks/02-the-coup-timeline.ipynb"
QUIZ = "02"
# What docs/hub.md tells an administrator to do; a test holds the two together.
PACKAGES = ("jupyterhub", "nbgitpuller")
PTH = "import sys, os; sys.path.append(os.path.expanduser('~/fortress-niger/src'))"
PATIENCE = "c.Spawner.http_timeout = 180"
QUIET = ("labextension", "disable", "@jupyterlab/apputils-extension:announcements")
CONFIG = """\
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{ports[1]}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {password!r}
c.Authenticator.allowed_users = set({students!r})
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r} + "/{{username}}"
c.Spawner.args = ["--allow-root"]
{patience}
"""
WAIT = 300  # seconds after which a step has failed


# --- what an administrator does --------------------------------------------------------------------------


def environment(folder: Path) -> None:
    """Install a JupyterHub with the course's pinned packages, and the proxy, where they are not yet."""
    python = str(folder / "hub" / "bin" / "python")
    proxy = folder / "proxy"
    if not Path(python).exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "hub"], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "-r", str(ROOT / "requirements.txt"), *PACKAGES]
        subprocess.run(install, check=True)
        subprocess.run([python, "-m", "jupyter", *QUIET], check=True)
        where = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
            capture_output=True,
            text=True,
            check=True,
        )
        (Path(where.stdout.strip()) / "fortress-niger.pth").write_text(PTH + "\n", encoding="utf-8")
    if not (proxy / "node_modules").exists():
        proxy.mkdir(parents=True, exist_ok=True)
        npm = ["npm", "install", "--silent", "--no-fund", "--no-audit", "configurable-http-proxy"]
        subprocess.run(npm, cwd=proxy, check=True)


def publish(folder: Path) -> str:
    """Put what a release hands out into a git repository; return its address."""
    from sahel_teacher.release import bundle

    for name, content in bundle(ROOT).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    who = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-q", "-m", "A release"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder.as_uri()


def free_ports(count: int) -> list[int]:
    """Return ports on which nothing listens."""
    with contextlib.ExitStack() as held:
        found = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]


@contextlib.contextmanager
def running_hub(
    programs: Path, folder: Path, students: list[str], password: str
) -> Iterator[tuple[str, int]]:
    """Run a JupyterHub; give its address and process id. Everything that it started is stopped at the end."""
    ports = free_ports(3)
    proxy = str(programs / "proxy" / "node_modules" / ".bin" / "configurable-http-proxy")
    text = CONFIG.format(ports=ports, proxy=proxy, password=password, students=students,
                         homes=str(folder / "home"), patience=PATIENCE)  # fmt: skip
    (folder / "jupyterhub_config.py").write_text(text, encoding="utf-8")
    (folder / "home").mkdir()
    env = dict(os.environ, PATH=f"{programs / 'hub' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    env |= {"HOME": str(folder / "home"), "PYTHONSAFEPATH": "1"}
    for name in ("PYTHONPATH", "SAHEL_RESPONSES", "SAHEL_DATA", "SAHEL_BUILT"):
        env.pop(name, None)
    with (folder / "hub.log").open("w", encoding="utf-8") as log:
        hub = subprocess.Popen(
            [programs / "hub" / "bin" / "jupyterhub"], cwd=folder, env=env, stdout=log, stderr=log
        )
    try:
        address = f"http://127.0.0.1:{ports[0]}"
        for _ in range(4 * 60):
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{address}/hub/health", timeout=2).ok:
                    break
            time.sleep(0.25)
        else:
            raise SystemExit(f"JupyterHub did not start:\n{(folder / 'hub.log').read_text('utf-8')[-2000:]}")
        yield address, hub.pid
    finally:
        hub.terminate()  # it stops the servers and the proxy itself; on a busy computer that takes a while
        with contextlib.suppress(subprocess.TimeoutExpired):
            hub.wait(90)
        for pid in [pid for pids in processes(folder / "home").values() for pid in pids]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # ours: their home is in our folder
        hub.wait()


# --- what students do ------------------------------------------------------------------------------------


class Failure(Exception):
    """Something that a student would have seen go wrong."""


class Student:
    """One student's way from the login form to an answered quiz, with the seconds that each step took."""

    def __init__(self, hub: str, name: str, password: str, repository: str) -> None:
        self.hub, self.name, self.password, self.repository = hub, name, password, repository
        self.server = f"{hub}/user/{name}"
        self.seconds: dict[str, float] = {}
        self.answered: list[str] = []
        self.web = requests.Session()
        self.channel: websocket.WebSocket | None = None

    def walk(self, after: float) -> str:
        """Go the whole way, `after` so many seconds; return what went wrong, or an empty string."""
        time.sleep(after)
        self.started = time.monotonic()
        try:
            self.log_in()
            self.fetch_course()
            cells = self.open_lesson()
            self.run(cells)
        except (Failure, OSError, ValueError, KeyError, websocket.WebSocketException) as trouble:
            return f"{self.name}: {type(trouble).__name__}: {trouble}"
        return ""

    def took(self, step: str) -> None:
        """Note when a step was done, in seconds from the sending of the login form."""
        self.seconds.setdefault(step, time.monotonic() - self.started)

    def ask(self, method: str, address: str, **more: Any) -> requests.Response:
        """Send one request with the cross-site token of its path, as the pages do."""
        path = urllib.parse.urlsplit(address).path
        tokens = [
            c for c in self.web.cookies if c.name == "_xsrf" and path.startswith(c.path.rstrip("/") + "/")
        ]
        headers = {"X-XSRFToken": str(tokens[-1].value)} if tokens else {}
        response = self.web.request(method, address, headers=headers, timeout=WAIT, **more)
        if not response.ok:
            raise Failure(f"{method} {path}: {response.status_code} {response.text[:200]}")
        return response

    def events(self, address: str, **query: str) -> Iterator[dict[str, Any]]:
        """Yield what a server reports on the way, as its waiting page reads it."""
        with self.ask("GET", address, params=query, stream=True) as response:
            for line in response.iter_lines():
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])

    def log_in(self) -> None:
        """Fill in the form; wait for a server of one's own."""
        page = self.ask("GET", f"{self.hub}/hub/login")
        found = re.search(r'name="_xsrf"\s+value="([^"]+)"', page.text)
        form = {"username": self.name, "password": self.password, "_xsrf": found.group(1) if found else ""}
        self.started = time.monotonic()
        page = self.ask("POST", f"{self.hub}/hub/login", data=form)
        if "/spawn-pending/" in page.url:
            for event in self.events(f"{self.hub}/hub/api/users/{self.name}/server/progress"):
                if event.get("failed"):
                    raise Failure(f"no server: {event}")
        if not self.ask("GET", f"{self.server}/lab").url.startswith(self.server):
            raise Failure("the server did not let its own student in")
        self.took("server ready")

    def fetch_course(self) -> None:
        """Get the course as the page behind an nbgitpuller link does."""
        query = {"repo": self.repository, "branch": "main", "targetpath": FOLDER}
        last = list(self.events(f"{self.server}/git-pull/api", **query))[-1]
        if last["phase"] != "finished":
            raise Failure(f"no course: {last}")

    def open_lesson(self) -> list[dict[str, Any]]:
        """Read the lesson and start its kernel, as JupyterLab does; return the code cells."""
        lesson = self.ask("GET", f"{self.server}/api/contents/{LESSON}?content=1").json()["content"]
        wanted = {"path": LESSON, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
        kernel = self.ask("POST", f"{self.server}/api/sessions", json=wanted).json()["kernel"]["id"]
        address = f"{self.server.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels"
        cookies = "; ".join(
            f"{c.name}={c.value}" for c in self.web.cookies if c.path.startswith(f"/user/{self.name}")
        )
        self.channel = websocket.create_connection(address, cookie=cookies, timeout=WAIT)
        return [cell for cell in lesson["cells"] if cell["cell_type"] == "code"]

    def run(self, cells: list[dict[str, Any]]) -> None:
        """Run all cells in order, then answer each question of the quiz."""
        for cell in cells:
            content = {"code": "".join(cell["source"]), "silent": False, "store_history": True,
                       "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}  # fmt: skip
            for kind, said in self.send("execute_request", content):
                if kind in ("stream", "display_data", "execute_result"):
                    self.took("first result")
                if kind == "error":
                    raise Failure(f"a cell failed: {said['evalue']}")
                if kind == "comm_open" and "questions" in said["data"]["state"]:
                    quiz = said["comm_id"], said["data"]["state"]["questions"]
        self.took("lesson run")
        for question in quiz[1]:
            # How many hints were seen is kept as it is sent: here it says whose answer this is.
            answer = {"item": question["id"], "choice": a_choice(question), "hints": int(self.name[1:]),
                      "confidence": 1}  # fmt: skip
            custom = {"comm_id": quiz[0], "data": {"method": "custom", "content": answer}}
            states = [said["data"].get("state", {}) for kind, said in self.send("comm_msg", custom)
                      if kind == "comm_msg"]  # fmt: skip
            if not any(question["id"] in state.get("outcomes", {}) for state in states):
                raise Failure(f"no feedback to {question['id']}: {states}")
            self.answered.append(question["id"])
        self.took("quiz answered")

    def send(self, kind: str, content: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """Send one message to the kernel; return all that it says until it is idle again."""
        assert self.channel
        header = {"msg_id": secrets.token_hex(16), "msg_type": kind, "username": self.name, "version": "5.3",
                  "session": self.name, "date": ""}  # fmt: skip
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content,
                   "channel": "shell", "buffers": []}  # fmt: skip
        self.channel.send(json.dumps(message))
        said = []
        while True:
            heard = json.loads(self.channel.recv())
            if heard["parent_header"].get("msg_id") == header["msg_id"]:
                said.append((heard["header"]["msg_type"], heard["content"]))
                if said[-1] == ("status", {"execution_state": "idle"}):
                    return said


class InBrowser(Student):
    """The same way through JupyterLab in a Chromium, to the first answered question."""

    def walk(self, after: float) -> str:
        """Go the way with mouse and keyboard; return what went wrong, or an empty string."""
        from playwright.sync_api import Error, sync_playwright
        from tests.browser.conftest import CHROMIUM, FLAGS, run_all_cells

        if CHROMIUM is None:
            return f"{self.name}: no Chromium on this computer: not tried in a browser"
        time.sleep(after)
        query = {
            "repo": self.repository,
            "branch": "main",
            "targetpath": FOLDER,
            "urlpath": f"lab/tree/{LESSON}",
        }
        link = f"{self.hub}/hub/user-redirect/git-pull?{urllib.parse.urlencode(query)}"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            try:
                page = browser.new_page(viewport={"width": 1200, "height": 1600})
                page.set_default_timeout(WAIT * 1000)
                page.goto(link)
                page.get_by_label("Username").fill(self.name)
                page.get_by_label("Password").fill(self.password)
                self.started = time.monotonic()
                page.get_by_role("button", name="Sign in").click()
                page.locator(".jp-Notebook h1").first.wait_for()
                self.took("server ready")  # and the course fetched, and JupyterLab drawn
                run_all_cells(page)
                page.locator(".jp-InputPrompt", has_text="[1]").first.wait_for()
                self.took("first result")
                form = page.locator(f'.sahel-quiz form[data-item="{QUIZ}.1"]').first
                form.get_by_role("radio").first.check()
                form.get_by_role("button", name="Check answer").click()
                form.locator(".sq-verdict").wait_for()
                self.answered.append(f"{QUIZ}.1")
                self.took("quiz answered")
            except Error as trouble:
                return f"{self.name}: {trouble.message}"
            finally:
                browser.close()
        return ""


def a_choice(question: dict[str, Any]) -> Any:
    """Return some answer that a question of this type takes."""
    return {
        "order": lambda: list(range(len(question.get("slots", [])))),
        "match": lambda: [0] * len(question.get("pairs", [])),
        "classify": lambda: [0] * len(question.get("pairs", [])),
        "number": lambda: 1,
        "probability": lambda: 50,
    }.get(question["type"], lambda: [0])()


# --- what is looked at afterwards ------------------------------------------------------------------------


def wrongly_kept(folder: Path, students: list[Student]) -> list[str]:
    """Return a line for each answer that is missing, or lies where it should not."""
    wrong, known = [], set()
    for student in students:
        path = folder / "home" / student.name / FOLDER / "responses" / f"{QUIZ}.json"
        kept = json.loads(path.read_text("utf-8")) if path.exists() else {"items": {}, "pseudonym": None}
        if sorted(kept["items"]) != sorted(student.answered):
            wrong.append(f"{student.name}: kept {sorted(kept['items'])}, answered {student.answered}")
        marks = {attempt["hints"] for attempts in kept["items"].values() for attempt in attempts}
        if marks - {0 if isinstance(student, InBrowser) else int(student.name[1:])}:
            wrong.append(f"{student.name}: somebody else's answer is in the file")
        if kept["pseudonym"] and kept["pseudonym"] in known:
            wrong.append(f"{student.name}: has the pseudonym of somebody else")
        known.add(kept["pseudonym"])
    files = len(list(folder.rglob(f"responses/{QUIZ}.json")))
    return wrong + ([f"{files} files of answers"] if files != len(students) else [])


def processes(homes: Path) -> dict[str, list[int]]:
    """Return process ids by the home that they were started with: a student's name, or "" for hub and proxy."""
    found: dict[str, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            variables = (place / "environ").read_bytes().decode("utf-8", "replace").split("\0")
            home = next((Path(v[5:]) for v in variables if v.startswith("HOME=")), None)
            if home and homes in (home, home.parent):
                found.setdefault("" if home == homes else home.name, []).append(int(place.name))
    return found


def megabytes(pid: int) -> float:
    """Return a process's share of memory (PSS: what several use is divided among them)."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        return int(re.search(r"^Pss:\s+(\d+)", lines, re.MULTILINE)[1]) / 1024  # type: ignore[index]
    return 0.0


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process and of those that it has started and that have ended."""
    with contextlib.suppress(OSError):
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return sum(map(int, after_name[11:15])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def is_kernel(pid: int) -> bool:
    """Say whether a process is a kernel."""
    return b"ipykernel" in Path(f"/proc/{pid}/cmdline").read_bytes()


def costs(homes: Path, hub: int) -> str:
    """Return two lines: what a student, the hub and the proxy hold in memory, and their processor time."""
    each = processes(homes)
    proxy = [pid for pid in each.pop("") if pid != hub]
    kernels = [megabytes(pid) for pids in each.values() for pid in pids if is_kernel(pid)]
    totals = [sum(map(megabytes, pids)) for pids in each.values()]
    if not kernels:
        return "No student got as far as a kernel: no memory was measured."
    seconds = [sum(map(processor_seconds, pids)) for pids in each.values()]
    return (
        f"memory: {statistics.mean(totals):.0f} MB a student (most {max(totals):.0f}), of which the kernel "
        f"{statistics.mean(kernels):.0f}; {sum(totals):.0f} MB all {len(totals)}; hub {megabytes(hub):.0f} MB, "
        f"proxy {sum(map(megabytes, proxy)):.0f} MB\n"
        f"processor time: {statistics.mean(seconds):.1f} s a student, hub {processor_seconds(hub):.1f} s, "
        f"proxy {sum(map(processor_seconds, proxy)):.1f} s; {os.cpu_count()} cores, load at the end "
        f"{os.getloadavg()[0]:.0f} with all else on this computer"
    )


def report(students: list[Student]) -> None:
    """Print the seconds from the login form to each step."""
    for step in ("server ready", "first result", "lesson run", "quiz answered"):
        times = sorted(
            s.seconds[step] for s in students if step in s.seconds and not isinstance(s, InBrowser)
        )
        if times:
            print(
                f"{step:14} median {statistics.median(times):5.1f} s, slowest {times[-1]:5.1f} s ({len(times)})"
            )
    for student in students:
        if isinstance(student, InBrowser):
            steps = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in student.seconds.items())
            print(f"in Chromium    {steps}")


def main() -> int:
    """Measure, print what was found; return 1 where anything failed."""
    parser = argparse.ArgumentParser(prog="benchmarks.hub")
    parser.add_argument("--students", type=int, default=30, choices=range(1, 100), metavar="NUMBER")
    parser.add_argument("--over", type=float, default=0, metavar="SECONDS", help="in which they arrive")
    parser.add_argument("--environment", type=Path, metavar="FOLDER", help="keeps what was installed")
    options = parser.parse_args()
    if shutil.which("npm") is None or not Path("/proc/self/smaps_rollup").exists():
        print("This needs Linux, and npm for the proxy: nothing was measured.")
        return 1
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="sahel-hub-") as name:
        folder, password = Path(name), secrets.token_hex(8)
        programs = (options.environment or folder / "environment").resolve()
        environment(programs)
        repository = publish(folder / "release")
        names = [f"s{number:02}" for number in range(1, options.students + 1)]
        with running_hub(programs, folder, names, password) as (hub, pid):
            kinds = [*[Student] * (len(names) - 1), InBrowser]
            students = [
                kind(hub, name, password, repository) for kind, name in zip(kinds, names, strict=True)
            ]
            gap = options.over / len(names)
            pool = ThreadPoolExecutor(len(names))
            walks = [pool.submit(student.walk, gap * place) for place, student in enumerate(students)]
            try:
                failures = [walk.result() for walk in tqdm(walks, unit="student")]
            finally:
                pool.shutdown(wait=False, cancel_futures=True)  # where stopped: the hub's end ends the walks
            print(costs(folder / "home", pid))
            failures = [line for line in failures if line] + wrongly_kept(folder, students)
        report(students)
    print("\n".join([*failures, f"{len(failures)} failures among {len(names)} students"]))
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("Stopped, with all that was started.")
