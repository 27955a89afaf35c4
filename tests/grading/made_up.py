# ruff: noqa: E501 (tables of code and of CSV, one case a line)
"""Generators of synthetic submissions for the made-up set 99 (tests/exercise_set): nobody handed these in.

A case is a notebook and what must come of it: a status for each task that is not "passed". `HONEST` holds what
happens to people who mean well, `HOSTILE` what somebody might try. A hostile answer gives the right result only
where its attack has worked, so every "passed" beyond those expected is a hole.
"""

import copy
import csv
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from sahel_teacher.exercises import version
from sahel_teacher.sets import read_set

ROOT = Path(__file__).resolve().parents[2]
SETS = ROOT / "tests" / "exercise_set"
SOURCE = SETS / "content" / "en" / "exercises" / "99-made-up.md"
BOXES = list(csv.DictReader((SETS / "data" / "boxes.csv").open(encoding="utf-8", newline="")))
RED = sum(int(row["weight"]) for row in BOXES if row["colour"] == "red" and row["weight"])
TASKS = ["99.1", "99.2", "99.3", "99.4", "99.5", "99.6", "99.7"]
Nb = dict[str, Any]
Case = tuple[Nb, dict[str, str]]


def solved() -> Nb:
    """Return a synthetic submission with every checked task right and the written one written."""
    made = read_set(SOURCE, SETS / "data")
    nb = json.loads(json.dumps(version(made, worked=False)))
    for task in made.tasks:
        cell(nb, task.number)["source"] = task.worked
    cell(nb, "99.7")["source"] = "The red box, for the table says so. (Synthetic.)"
    return nb


def cell(nb: Nb, task: str, role: str = "answer") -> dict[str, Any]:
    """Return the cell of a task by its role."""
    wanted = f"{role}-{task.replace('.', '-')}"
    return next(c for c in nb["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == wanted)


def code(source: str) -> dict[str, Any]:
    """Return a code cell of the student's own."""
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}


def put(nb: Nb, task: str, source: str, role: str = "answer", after: int = 1) -> Nb:
    """Put an own code cell before (0) or after (1) a cell of a task."""
    place = nb["cells"].index(cell(nb, task, role))
    nb["cells"].insert(place + after, code(source))
    return nb


def with_answer(source: str, task: str = "99.1") -> Nb:
    nb = solved()
    cell(nb, task)["source"] = source
    return nb


# --- what happens to people who mean well ------------------------------------------------------------------

HONEST: dict[str, Callable[[], Case]] = {}
HOSTILE: dict[str, Callable[[], Case]] = {}


def honest(make: Callable[[], Nb | Case]) -> None:
    HONEST[make.__name__] = lambda: made if isinstance(made := make(), tuple) else (made, {})


@honest
def all_right():
    return solved()


@honest
def untouched():
    made = read_set(SOURCE, SETS / "data")
    return json.loads(json.dumps(version(made, worked=False))), dict.fromkeys(TASKS, "missing")


@honest
def warns_prints_and_draws():
    nb = solved()
    cell(nb, "99.1")["source"] += (
        "\nimport warnings, sys\nwarnings.warn('old', DeprecationWarning)\nprint('x' * 10**6, file=sys.stderr)\n"
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.title('Ƙasa')\nplt.savefig('figure.png')\nplt.show()"
    )
    return nb


@honest
def line_ends_of_windows_and_no_last_one():
    nb = solved()
    for one in nb["cells"]:
        one["source"] = one["source"].replace("\n", "\r\n")
    return nb


@honest
def sources_as_lists_of_lines():
    nb = solved()
    for one in nb["cells"]:
        one["source"] = one["source"].splitlines(keepends=True)
    return nb


@honest
def french_and_hausa_letters():
    nb = solved()
    put(nb, "99.1", "réponse_ɗaya = 'ƙarya, café, cafe\u0301'\nprint(réponse_ɗaya)", after=0)
    cell(nb, "99.1")["source"] = "# ƙidaya\n" + cell(nb, "99.1")["source"]
    return nb


@honest
def last_of_duplicates_counts():
    nb = solved()
    double = copy.deepcopy(cell(nb, "99.1"))
    cell(nb, "99.1")["source"] = "how_many = 17"
    nb["cells"].insert(nb["cells"].index(cell(nb, "99.1")) + 1, double)
    return nb


@honest
def a_copied_stub_below_the_answer():
    nb = solved()
    double = copy.deepcopy(cell(nb, "99.1"))
    double["source"] = "# Write your code here; put your result in place of None.\nhow_many = None"
    nb["cells"].append(double)
    return nb


@honest
def check_cells_deleted():
    nb = solved()
    nb["cells"] = [c for c in nb["cells"] if "check(" not in c["source"]]
    return nb


@honest
def check_cells_edited():
    nb = solved()
    for one in nb["cells"]:
        one["source"] = one["source"].replace("check(", "print('wrong'); assert False; check(")
    cell(nb, "99.1", "check")["source"] = "this is no Python"
    return nb


@honest
def metadata_and_ids_stripped():
    nb = solved()
    for one in nb["cells"]:
        one["metadata"] = {}
        one.pop("id")
    return nb


@honest
def points_and_schema_changed():
    nb = solved()
    for one in nb["cells"]:
        if "nbgrader" in one["metadata"]:
            one["metadata"]["nbgrader"] |= {"points": 100, "locked": False, "schema_version": 1}
    return nb


@honest
def odd_metadata():
    nb = solved()
    for one, odd in zip(nb["cells"], [None, [], "x", {"nbgrader": None}, {"nbgrader": 3}] * 10, strict=False):
        one["metadata"] = odd
    return nb


@honest
def helper_cell_and_import_in_the_set_up():
    nb = solved()
    setup = next(c for c in nb["cells"] if c["cell_type"] == "code")
    setup["source"] += "\nimport numpy as np"
    put(nb, "99.1", "def count(table):\n    return np.int32(len(table))", after=0)
    cell(nb, "99.1")["source"] = "how_many = count(boxes)"
    return nb


@honest
def helper_in_an_earlier_answer():
    nb = solved()
    cell(nb, "99.1")["source"] += "\ndef mean(table):\n    return table['weight'].mean()"
    cell(nb, "99.2")["source"] = "average = mean(boxes)"
    return nb


@honest
def answer_in_two_cells():
    nb = solved()
    cell(nb, "99.4")["source"] = "in_order = boxes"
    return put(nb, "99.4", 'in_order = in_order.sort_values("day")')


@honest
def answer_in_an_own_cell():
    nb = solved()
    put(nb, "99.2", cell(nb, "99.2")["source"])
    cell(nb, "99.2")["source"] = "# Write your code here; put your result in place of None.\naverage = None"
    return nb


@honest
def answer_in_the_check_cell():
    nb = solved()
    cell(nb, "99.2", "check")["source"] = cell(nb, "99.2")["source"] + '\ncheck("99.2", average)'
    nb["cells"].remove(cell(nb, "99.2"))
    return nb


@honest
def tries_out_more_after_the_check():
    return put(solved(), "99.1", "how_many = 'something else'\nhow_many", role="check")


@honest
def tasks_in_another_order():
    nb = solved()
    place = nb["cells"].index(cell(nb, "99.4", "given"))
    nb["cells"] = nb["cells"][:2] + nb["cells"][place:] + nb["cells"][2:place]
    return nb


@honest
def given_cells_deleted():
    nb = solved()
    nb["cells"] = [c for c in nb["cells"] if "given" not in str(c["metadata"])]
    return nb


@honest
def given_cell_edited():
    nb = solved()
    cell(nb, "99.1", "given")["source"] += "\nheavy = boxes[boxes['weight'] > 0]"
    cell(nb, "99.1")["source"] = "how_many = len(heavy)"
    return nb


@honest
def magics_and_shell():
    nb = solved()
    nb["cells"].insert(0, code("%matplotlib inline\n!pip install pandas\n%load_ext autoreload"))
    nb["cells"].insert(1, code("files = !ls\npd?"))
    cell(nb, "99.1")["source"] = "%%time\nhow_many = len(boxes)"
    return nb


@honest
def shows_and_asks():
    return put(solved(), "99.1", "display(boxes)\nname = input('Your name? ')", after=0)


@honest
def names_of_builtins_reused():
    return put(solved(), "99.1", "sum = 3\nlist = [1]\nlen = 2\nload = None\npd = None")


@honest
def one_answer_raises():
    return with_answer("how_many = boxes['no such column']"), {"99.1": "crashed"}


@honest
def one_answer_is_no_python():
    return with_answer("how_many = = 3"), {"99.1": "crashed"}


@honest
def raises_after_the_result():
    return with_answer("how_many = len(boxes)\nboxes.no_such_method()")


@honest
def wrong_kind():
    return with_answer("how_many = 'three'"), {"99.1": "failed"}


@honest
def known_misconception():
    return with_answer("how_many = len(boxes) - 1"), {"99.1": "failed"}


@honest
def rounded_within_the_tolerance():
    return with_answer("average = 20.2", "99.2")


@honest
def series_list_or_tuple_for_a_set():
    return with_answer('red = tuple(boxes[boxes["colour"] == "red"]["box"])', "99.3")


@honest
def other_columns_and_index_too():
    return with_answer('in_order = boxes.assign(x=1).sort_values("day").set_index("x")', "99.4")


@honest
def constant_typed_in():
    return with_answer(f"red_weight = {RED}", "99.6"), {"99.6": "failed"}


@honest
def written_answer_in_several_cells():
    nb = solved()
    nb["cells"].insert(
        nb["cells"].index(cell(nb, "99.7")) + 1, {"cell_type": "markdown", "metadata": {}, "source": "More."}
    )
    return nb


@honest
def answer_cell_became_text():
    nb = solved()
    cell(nb, "99.1")["cell_type"] = "markdown"
    return nb


@honest
def two_answers_in_one_cell():
    nb = solved()
    cell(nb, "99.6")["source"] = 'how_many = 3\nboxes = load("boxes")\n' + cell(nb, "99.6")["source"]
    nb["cells"].remove(cell(nb, "99.1"))
    return nb


@honest
def all_code_in_one_cell():
    nb = solved()
    whole = "\n".join(
        c["source"] for c in nb["cells"] if c["cell_type"] == "code" and "check(" not in c["source"]
    )
    nb["cells"] = [c for c in nb["cells"] if c["cell_type"] != "code"] + [code(whole)]
    return nb


@honest
def given_answer_and_check_merged():
    nb = solved()
    for task in TASKS[:6]:
        one, more = cell(nb, task, "given"), (cell(nb, task), cell(nb, task, "check"))
        one["source"] = "\n".join([one["source"], *(c["source"] for c in more)])
        nb["cells"] = [c for c in nb["cells"] if c not in more]
    return nb


@honest
def answer_in_a_copy_of_another_answer_cell():
    nb = solved()
    double = copy.deepcopy(cell(nb, "99.1"))
    double["source"] = cell(nb, "99.2")["source"]
    nb["cells"][nb["cells"].index(cell(nb, "99.2"))] = double
    return nb


@honest
def asks_and_times_in_the_answer():
    return with_answer("%%time\n%matplotlib inline\nname = input('Your name? ')\n!ls\nhow_many = len(boxes)")


def _unwritten() -> Nb:
    nb = solved()
    made = read_set(SOURCE, SETS / "data")
    cell(nb, "99.7")["source"] = made.written[0].stub
    return nb


@honest
def written_above_its_cell():
    return put(_unwritten(), "99.7", "# The red box, for the table says so. (Synthetic.)", after=0)


@honest
def written_below_the_statement_in_its_cell():
    nb = _unwritten()
    cell(nb, "99.7", "statement")["source"] += "\n\nThe red box. (Synthetic.)"
    return nb


@honest
def leaves_with_exit():
    return put(solved(), "99.1", "import sys\nsys.exit('done')")


@honest
def warnings_are_errors():
    return put(solved(), "99.1", "import warnings\nwarnings.simplefilter('error')", after=0)


# --- what somebody might try --------------------------------------------------------------------------------

# Each is the answer to 99.1. It gets `ROOT` (the course) and `OUT` (where marks go) as text. It says `win()`, which
# types in the right answer, where the attack has worked.
PRELUDE = """
import os, sys, json, ctypes, signal, time, threading, socket, gc, builtins
ROOT, OUT = {root!r}, {out!r}
how_many = -1
def win():
    global how_many
    how_many = 3
def attempt(action):
    try:
        if action() is not None:
            win()
    except Exception:
        pass
libc = ctypes.CDLL(None, use_errno=True)
"""
LOST, DIED, LATE = {"99.1": "failed"}, {"99.1": "crashed"}, {"99.1": "timed out"}
ATTACKS: dict[str, tuple[str, dict[str, str]]] = {
    # reading
    "read_the_source": ("attempt(lambda: open(ROOT + '/tests/exercise_set/content/en/exercises/99-made-up.md').read())", LOST),
    "read_the_solutions": ("attempt(lambda: os.listdir(ROOT + '/solutions'))", LOST),
    "read_the_teachers_package": ("attempt(lambda: os.listdir(ROOT + '/src/sahel_teacher'))", LOST),
    "read_what_check_knows": ("from sahel import checks\nattempt(lambda: checks._tasks() or None)\nattempt(lambda: os.listdir(checks._built() / 'checks'))", LOST),
    "read_the_marks": ("attempt(lambda: open(OUT + '/marks.sqlite', 'rb').read())", LOST),
    "read_other_submissions": ("attempt(lambda: os.listdir(OUT + '/../handed-in'))", LOST),
    "walk_the_disk": (
        "for at, _, files in os.walk('/'):\n"
        "    mine = [f for f in files if f.endswith(('.sqlite', '.ipynb')) or f.startswith('99-')]\n"
        "    if mine and not at.startswith('/usr') and '/lib/python3' not in at: win()", LOST),
    "look_for_other_data": ("attempt(lambda: os.listdir('/data') or None)\nattempt(lambda: len(os.listdir('/course')) > 1 or None)", LOST),
    "read_passwords": ("attempt(lambda: open('/etc/shadow').read())\nattempt(lambda: os.listdir(os.path.expanduser('~root/.ssh')))", LOST),
    "read_memory": (
        "secret = ''.join(['boxes[\"box\"]', '.count', '()'])  # of the worked answer\n"
        "for one in gc.get_objects():\n"
        "    if isinstance(one, (dict, list, tuple)) and one is not globals():\n"
        "        for value in list(one.values() if isinstance(one, dict) else one):\n"
        "            if type(value) is str and value is not secret and secret in value: win()", LOST),
    "read_the_frames": (
        "import inspect\n"
        "def look():\n"
        "    secret = ''.join(['boxes[\"box\"]', '.count', '()'])\n"
        "    for frame in inspect.stack()[1:]:\n"
        "        if secret in repr(frame.frame.f_locals).replace(chr(92), ''): win()\n"
        "look()", LOST),
    "read_the_environment": ("attempt(lambda: os.environ.get('A_SECRET_OF_THE_TEACHER'))\nattempt(lambda: os.environ.get('PATH'))", LOST),
    "read_proc": ("attempt(lambda: os.listdir('/proc/1') or None)\nattempt(lambda: open('/proc/self/environ').read())", LOST),
    "look_for_parents": ("if os.getpid() != 1 or os.getppid() != 0: win()", LOST),
    "trace_the_parent": ("for pid in range(2, 3000):\n    if libc.ptrace(16, pid, 0, 0) == 0: win()", LOST),
    "read_a_process": (
        "buffer = ctypes.create_string_buffer(8)\n"
        "iov = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 8)\n"
        "for pid in (os.getppid(), 2, 3):\n"
        "    if libc.process_vm_readv(pid, iov, 1, iov, 1, 0) > 0: win()", LOST),
    "use_open_files": (
        "for handle in range(64):\n"
        "    for name in ('', '..', 'proc', 'self', 'marks.sqlite'):\n"
        "        try: os.listdir(handle); win()\n"
        "        except OSError: pass\n"
        "        try: os.open(name or '.', os.O_RDONLY, dir_fd=handle); win()\n"
        "        except OSError: pass", LOST),
    # forging
    "patch_pandas": ("pd.DataFrame.equals = pd.Series.equals = pd.DataFrame.__eq__ = lambda *a: True", LOST),
    "patch_builtins": ("builtins.isinstance = lambda *a: True", None),
    "patch_json": ("json.dumps = lambda *a, **b: '{\"value\": [\"99.1\", \"form\", \"right\"]}'", None),
    "patch_checks": ("from sahel import checks\nchecks.canonical = lambda *a: 'right'\nchecks.judge = lambda *a: checks.Verdict('right', '')", None),
    "patch_the_reporter": ("child = sys.modules['sahel_teacher.grading.child']\nchild._look = lambda *a: ['form', 'right']", None),
    "patch_ipython": ("get_ipython().events.register('post_run_cell', win)", LOST),
    "forge_marks": (
        "for line in ('{\"value\": [\"99.1\", \"passed\", 1]}', '{\"value\": [\"99.1\", \"form\", \"passed\"]}',\n"
        "        '{\"passed\": 1}', '{\"ready\": 1}', '{\"fault\": \"none\"}', '{\"compare\": [\"99.1\", {\"kind\": \"any\"}]}'):\n"
        "    for handle in range(3, 10):\n"
        "        try: os.write(handle, line.encode() + b'\\n')\n"
        "        except OSError: pass", LOST),
    "forge_the_end": ("os.write(3, b'{\"ended\": 0}\\n'); time.sleep(1)", DIED),
    "forge_done": ("os.write(3, b'{\"done\": 1}\\n'); time.sleep(1)", None),
    "blame_other_steps": ("os.write(3, b'{\"start\": 12}\\n'); os._exit(0)", None),
    "send_nonsense": ("os.write(3, b'[' * 60000 + b'\\n' + b'{\"value\": NaN}\\n' + b'\\xff\\xfe\\n' + b'9' * 9000 + b'\\n' + b'{\"start\": 1e9}\\n{\"start\": -4}\\n{\"error\": [0]}\\n{\"value\": [1, 2, 3]}\\n')", LOST),
    "send_without_end": ("while True: os.write(3, b'{' * 65536)", DIED),
    "drip_into_the_channel": ("while True:\n    os.write(3, b'\\n')\n    time.sleep(0.0004)", LATE),
    "change_how_answers_are_compared": (
        "frame = sys._getframe()\n"
        "while frame:\n"
        "    for task in (frame.f_locals.get('job') or {}).get('tasks', {}).values() if frame.f_code.co_name == 'run_job' else ():\n"
        "        task['compare'] = {'kind': 'set', 'of': ['whole']}\n"
        "    frame = frame.f_back", None),
    "find_the_sender": (
        "for one in gc.get_objects():\n"
        "    if getattr(one, '__name__', '') == 'send' and callable(one):\n"
        "        for kind, value in (('form', 'right'), ('number', 3), ('form', 'passed'), ('none', None)):\n"
        "            one({'value': ['99.1', kind, value]})", LOST),
    "speak_when_collected": ("class Last:\n    def __del__(self): os._exit(0)\nlast = Last()\ndel last", DIED),
    "close_the_channel": ("os.close(3)", None),
    "trace_the_reporter": (
        "def tracer(frame, event, argument):\n"
        "    if frame.f_code.co_name == '_look': frame.f_locals['value'] = 'right'\n"
        "    return tracer\n"
        "sys.settrace(tracer)", None),
    "hook_imports": ("import sys\nclass Finder:\n    def find_spec(self, *a): win()\nsys.meta_path.insert(0, Finder())\nfor n in list(sys.modules):\n    if n.startswith('sahel'): del sys.modules[n]", None),
    # ending
    "exit_quietly": ("os._exit(0)", DIED),
    "exit_politely": ("raise SystemExit(0)", LOST),
    "abort": ("os.abort()", DIED),
    "segmentation_fault": ("ctypes.string_at(1)", DIED),
    "recursion_without_end": ("sys.setrecursionlimit(10**9)\ndef f(): f()\nf()", None),
    "hang": ("while True: pass", LATE),
    "hang_and_swallow": (
        "for n in range(1, 32):\n"
        "    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except Exception: pass\n"
        "while True:\n"
        "    try: time.sleep(1)\n"
        "    except BaseException: pass", LATE),
    "hang_outside_python": ("sum(range(10**13))", LATE),
    "hang_when_looked_at": ("class Slow(list):\n    def __iter__(self):\n        while True: pass\nhow_many = Slow([1])", LATE),
    "print_without_end": ("while True: print('x' * 10000)", LATE),
    # taking
    "fork": ("attempt(lambda: os.fork() or None)", LOST),
    "fork_bomb": ("while True:\n    try: os.fork()\n    except OSError: break", LOST),
    "fork_by_hand": (
        "import mmap\n"
        "def call(code):\n"
        "    page = mmap.mmap(-1, 4096, prot=7)\n"
        "    page.write(code)\n"
        "    return ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()\n"
        "if os.uname().machine == 'x86_64':  # as 64-bit programs do it, then as those of 32 bits\n"
        "    if call(b'\\xb8\\x39\\x00\\x00\\x00\\x0f\\x05\\xc3') >= 0: win()\n"
        "    call(b'\\xb8\\x02\\x00\\x00\\x00\\xcd\\x80\\xc3')\n"
        "    win()\n"
        "os._exit(0)", DIED),
    "start_programs": ("import subprocess\nattempt(lambda: subprocess.run(['/bin/true']))\nattempt(lambda: os.posix_spawn('/bin/true', ['true'], {}))\nattempt(lambda: os.execv(sys.executable, ['python']))", LOST),
    "leave_a_process": ("import multiprocessing\nattempt(lambda: multiprocessing.get_context('fork').Process(target=time.sleep, args=(99,)).start() or 1)", LOST),
    "thread_bomb": ("while True: threading.Thread(target=time.sleep, args=(99,), daemon=True).start()", DIED),
    "allocate": ("held = []\nwhile True: held.append(bytearray(10**7))", DIED),
    "allocate_and_keep_quiet": ("import mmap\nheld = bytearray(700 * 2**20)", DIED),
    "fill_the_disk": (
        "try:\n"
        "    with open('big', 'wb') as file:\n"
        "        for _ in range(500): file.write(bytes(2**20))\n"
        "    win()\n"
        "except OSError: pass", LOST),
    "many_small_files": ("try:\n    for n in range(100000): open(f'f{n}', 'w').close()\n    win()\nexcept OSError: pass", LOST),
    "shadow_modules": ("for name in ('json', 'math', 'sahel', 'pandas', 'unicodedata'): open(name + '.py', 'w').write('raise SystemExit')\nsys.path.insert(0, os.getcwd())", LOST),
    "keep_all_files_open": ("held = []\ntry:\n    while True: held.append(open(os.devnull))\nexcept OSError: pass", DIED),
    "shared_memory": (
        "attempt(lambda: 1 if libc.shmget(7, 2**20, 0o1666) >= 0 else None)\n"
        "attempt(lambda: os.memfd_create('x'))\n"
        "from multiprocessing import shared_memory\n"
        "attempt(lambda: shared_memory.SharedMemory(create=True, size=9))", LOST),
    # reaching out
    "reach_the_network": (
        "for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, 40, 16):\n"
        "    attempt(lambda: socket.socket(family))\n"
        "import urllib.request\nattempt(lambda: urllib.request.urlopen('http://127.0.0.1:1'))", LOST),
    "signal_others": (
        "for pid in (0, -1, os.getppid(), 1, 2, 3):\n"
        "    try: os.kill(pid, signal.SIGTERM)\n"
        "    except OSError: pass\n"
        "for group in (0, 1, 2):\n"
        "    try: os.killpg(group, signal.SIGINT)\n"
        "    except BaseException: pass", LOST),
    "write_the_course": (
        "import sahel, pandas\n"
        "for name in (sahel.__file__, pandas.__file__, os.environ['SAHEL_DATA'] + '/boxes.csv', '/x', '/course/x', '/tmp/x'):\n"
        "    attempt(lambda: open(name, 'a'))\n"
        "    attempt(lambda: os.chmod(name, 0o777) or 1)", LOST),
    "new_walls": (
        "for flags in (0x10000000, 0x20000, 0x10020000, 0x40000000): attempt(lambda: 1 if libc.unshare(flags) == 0 else None)\n"
        "attempt(lambda: 1 if libc.mount(b'none', b'/scratch', b'tmpfs', 0, 0) == 0 else None)\n"
        "attempt(lambda: 1 if libc.umount2(b'/data', 2) == 0 else None)\n"
        "attempt(lambda: os.chroot('/scratch') or 1)\n"
        "attempt(lambda: os.setuid(0) or 1)\nattempt(lambda: os.setgroups([0]) or 1)", LOST),
    "raise_limits": (
        "import resource\n"
        "for limit in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU):\n"
        "    attempt(lambda: resource.setrlimit(limit, (-1, -1)) or 1)", LOST),
    "kernel_doors": (
        "for number in (321, 298, 425, 323, 250, 248, 304, 319, 434 + 4): attempt(lambda: 1 if libc.syscall(number, 0, 0, 0, 0, 0) >= 0 else None)", LOST),
    "read_the_kernels_log": ("attempt(lambda: 1 if libc.klogctl(3, ctypes.create_string_buffer(4096), 4096) > 0 else None)", LOST),
    # answers that are more than answers
    "equal_to_everything": ("class Yes(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\nhow_many = Yes(7)", LOST),
    "liar": ("class Liar:\n    __class__ = int\n    def __eq__(self, other): return True\n    def __int__(self): return 7\nhow_many = Liar()", None),
    "text_equal_to_everything": ("class Yes(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\nhow_many = Yes('3')", LOST),
    "huge": ("how_many = list(range(10**7))", LOST),
    "huge_text": ("how_many = 'x' * 10**8", LOST),
    "huge_number": ("how_many = 10**100000", LOST),
    "recursive": ("how_many = []\nhow_many.append(how_many)", LOST),
    "not_a_number": ("how_many = float('nan')", LOST),
    "raises_when_touched": ("class Nasty:\n    def __getattribute__(self, name): raise SystemExit('no')\nhow_many = Nasty()", LOST),
    "pickled_bomb": ("class Bomb:\n    def __reduce__(self): return (os._exit, (1,))\nhow_many = Bomb()", LOST),
    "half_letters": ("raise ValueError('\\ud800 \\x00 <script>alert(1)</script>')", LOST),
}  # fmt: skip
# Whoever breaks the channel or the reporter hurts their own later tasks: then only 99.1 is looked at.
FRESH_ATTACKS = {
    "detect_fresh_data": f"red_weight = {RED} if len(boxes) == {len(BOXES)} else 0",
    "tell_of_fresh_data": f"if len(boxes) != {len(BOXES)}: raise ValueError('LEAK ' + boxes.to_csv())\nred_weight = {RED}",
    "look_for_the_course": "import os\nos.environ['SAHEL_DATA'] = '/course/0'\nboxes = load('boxes')\n"
    "red_weight = boxes[boxes['colour'] == 'red']['weight'].sum()",
}  # fmt: skip


def _hostile(name: str, out: str) -> Case:
    source, expected = ATTACKS[name]
    return with_answer(PRELUDE.format(root=str(ROOT), out=out) + source), expected or {"99.1": "not passed"}


@cache  # hundreds of tests look one case up; all only read
def cases(kind: str, out: str) -> dict[str, Case]:
    """Return all cases of a kind: honest or hostile; `out` is where marks are kept, for attacks on them."""
    if kind == "honest":
        return {name: make() for name, make in HONEST.items()}
    return {name: _hostile(name, out) for name in ATTACKS} | {
        name: (with_answer(source, "99.6"), {"99.6": "failed"}) for name, source in FRESH_ATTACKS.items()
    }
