"""The warm process, and the walls around each of its children (Linux only).

The warm process loads pandas, matplotlib and the student's package, goes into a file tree of its own in which
nothing else exists, becomes nobody, and waits. For each job it forks a guard, the guard makes new namespaces and
forks the child, and only the child reads the job. What keeps student code in, each wall enough for most attacks:

- files: a read-only tree of bind mounts with Python, system libraries, fonts, `sahel` and the data of this very
  job; no /proc; one private folder in memory, of bounded size;
- user: nobody where the grader is root, else the teacher's own user in a user namespace; no capabilities, no new
  privileges;
- pid, net, ipc and uts namespaces: no other process, no network, nothing shared; the child is process 1, so
  nothing outlives it;
- system calls: no new processes, no sockets, no mounts, no tracing, nothing that holds memory out of sight;
- limits on memory, computing time, files and threads; the grader holds the clock and closes a pipe, on which
  the guard kills.

Python 3.11 has no os.unshare, so ctypes calls the C library. Linux 5.12 or newer on x86-64 or ARM 64.
Sources: namespaces(7), user_namespaces(7), pid_namespaces(7), mount_setattr(2), seccomp(2).
"""

import ctypes
import gc
import json
import os
import platform
import resource
import select
import signal
import socket
import struct
import sys
import sysconfig
from pathlib import Path
from typing import Any, NoReturn

NOBODY = 65534
MEMORY = 2**30  # bytes that a submission may take beyond what the warm process holds
SCRATCH = Path("/scratch")  # the child's private folder: home, temporary and working folder
SCRATCH_SIZE = "size=64m,nr_inodes=4096,mode=700"
FILE_SIZE = 64 * 2**20
CPU_SECONDS = 240
THREADS = 64
OPEN_FILES = 256
MOST_JOB = 32 * 2**20
SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/etc/localtime")
ALSO = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/usr/share/zoneinfo",
    "/dev/null",
    "/dev/zero",
    "/dev/urandom",
)

MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
NEW_NS, NEW_UTS, NEW_IPC = 0x20000, 0x4000000, 0x8000000
NEW_USER, NEW_PID, NEW_NET = 0x10000000, 0x20000000, 0x40000000
PR_DEATHSIG, PR_DUMPABLE, PR_SECCOMP, PR_CAPBSET_DROP, PR_NO_NEW_PRIVS = 1, 4, 22, 24, 38
MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, DETACH = 442, -100, 0x8000, 2

# System calls that no answer needs: (number on x86-64, number on ARM 64; None where there is none).
REFUSED: dict[str, tuple[int | None, int | None]] = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "pidfd_getfd": (438, 438), "unshare": (272, 97), "setns": (308, 268),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "mount_setattr": (442, 442), "socket": (41, 198), "shmget": (29, 194),
    "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180), "memfd_create": (319, 279),
    "memfd_secret": (447, 447), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "syslog": (103, 116),
}  # fmt: skip
MACHINES = {"x86_64": (0, 0xC000003E, 56), "aarch64": (1, 0xC00000B7, 220)}  # column, audit number, clone
CLONE3, CLONE_THREAD, EPERM, ENOSYS = 435, 0x10000, 1, 38

_most = {  # limits of each child; that on memory is added when the warm process knows its own size
    resource.RLIMIT_CPU: CPU_SECONDS,
    resource.RLIMIT_FSIZE: FILE_SIZE,
    resource.RLIMIT_NOFILE: OPEN_FILES,
    resource.RLIMIT_NPROC: THREADS,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_MEMLOCK: 0,
    resource.RLIMIT_MSGQUEUE: 0,
}
_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: Any) -> None:
    """Call a function of the C library. Raises OSError with its name where it fails."""
    whole = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    if getattr(_libc, name)(*whole) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _mount(source: str, target: Path, kind: str | None, flags: int, options: str | None = None) -> None:
    encoded = [os.fsencode(text) if text is not None else None for text in (source, target, kind)]
    _call("mount", *encoded, flags, os.fsencode(options) if options else None)


# --- the warm process ------------------------------------------------------------------------------------


def main() -> None:
    """Serve jobs that come as three pipes each over the socket on standard input, until it closes.

    The one argument is the stage (see `sahel_teacher.grading.run.Stage`). The first answer is "ready", or
    why the walls cannot be built; each job is answered with one byte when nothing of it is left.
    """
    control = socket.socket(fileno=os.dup(0))
    _prepare(teacher="--teacher" in sys.argv)
    try:
        proc = _enter(Path(sys.argv[1]))
    except (OSError, KeyError) as error:
        control.sendall(f"{error}\n".encode())
        return
    control.sendall(b"ready\n")
    null = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    while True:
        _, handles, _, _ = socket.recv_fds(control, 1, 3)
        if len(handles) != 3:
            return
        guard = os.fork()
        if guard == 0:
            control.close()
            os.close(proc)
            _guard(*handles)
        for handle in handles:
            os.close(handle)
        os.waitpid(guard, 0)
        control.sendall(b".")


def _prepare(teacher: bool) -> None:
    """Load now what every child needs, and draw once, so that fonts are found."""
    from io import BytesIO

    from matplotlib import pyplot as plt

    from sahel_teacher.grading import child

    if teacher:
        import sahel_teacher.forms  # noqa: F401
    axes = plt.figure().add_subplot()
    axes.set_title("warm")
    plt.savefig(BytesIO(), format="png")
    plt.close("all")
    child.checks.scalar(1)
    gc.collect()
    gc.freeze()  # else each child would copy most of this memory at its first collection


def _enter(stage: Path) -> int:
    """Go into the file tree, and become nobody with a user namespace; return an open handle on /proc."""
    os.umask(0o022)
    proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    _most[resource.RLIMIT_AS] = pages * resource.getpagesize() + MEMORY
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    _filter()  # a machine that this module does not know fails here
    if os.geteuid() == 0:  # only root can reach root's files, and must do it before it is nobody
        _call("unshare", NEW_NS)
        _build_tree(stage)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        _call("prctl", PR_DUMPABLE, 1, 0, 0, 0)  # else its own /proc/self/uid_map would be root's
        _new_user(proc)
    else:
        _new_user(proc)
        _build_tree(stage)
    return proc


def _new_user(proc: int) -> None:
    """Go into a user namespace in which there is nobody but nobody."""
    user, group = os.geteuid(), os.getegid()
    _call("unshare", NEW_USER | NEW_NS)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{NOBODY} {user} 1"),
        ("gid_map", f"{NOBODY} {group} 1"),
    ):
        handle = os.open(f"self/{name}", os.O_WRONLY, dir_fd=proc)
        os.write(handle, text.encode("ascii"))
        os.close(handle)


def _build_tree(stage: Path) -> None:
    """Make a read-only root that holds Python, libraries, fonts and the stage, and nothing else; go there."""
    root = stage / "root"
    _mount("none", Path("/"), None, MS_REC | MS_PRIVATE)
    _mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755")
    for source in _needed(stage):
        target = root / source.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
            continue
        if source.is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.touch()
        _mount(str(source), target, None, MS_BIND | MS_REC)
    for name in ("old", "course", "data", "scratch"):
        (root / name).mkdir()
    _mount(str(stage / "data"), root / "data", None, MS_BIND)
    _call("pivot_root", os.fsencode(root), os.fsencode(root / "old"))
    os.chdir("/")
    _call("umount2", b"/old", DETACH)
    Path("/old").rmdir()
    attributes = struct.pack("QQQQ", 1 | MS_NOSUID, 0, 0, 0)  # read-only, and no set-user-id programs
    _call("syscall", MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, attributes, len(attributes))


def _needed(stage: Path) -> list[Path]:
    """Return what must be visible: libraries and packages, fonts, and the student's package."""
    paths = sysconfig.get_paths()
    named = {paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    named |= {*SYSTEM, *ALSO, f"{sys.base_prefix}/lib"}
    there = sorted(path for path in map(Path, named) if path.exists() or path.is_symlink())
    inside = [path for path in there if not any(other in path.parents for other in there)]
    return [*inside, stage / "lib", stage / "fonts"]


# --- one job ---------------------------------------------------------------------------------------------


def _guard(job: int, out: int, life: int) -> NoReturn:
    """Make namespaces, fork the child into them, and kill it when the grader closes its end of `life`."""
    try:
        _call("prctl", PR_DEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        _call("unshare", NEW_NS | NEW_PID | NEW_NET | NEW_IPC | NEW_UTS)
        child = os.fork()
        if child == 0:
            _inside(job, out)
        os.close(job)
        watched = select.poll()
        pidfd = os.pidfd_open(child)
        watched.register(pidfd, select.POLLIN)
        watched.register(life, select.POLLHUP)
        if pidfd not in [handle for handle, _ in watched.poll()]:
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.write(out, b'\n{"ended": %d}\n' % status)
    except BaseException as error:
        _give_up(out, error)
    os._exit(0)


def _inside(job: int, out: int) -> NoReturn:
    """Be the child: read the job, close every door, run."""
    from sahel_teacher.grading import child

    try:
        with os.fdopen(job, "rb") as pipe:
            read = json.loads(pipe.read(MOST_JOB))
        os.dup2(out, 3)
        os.closerange(4, 65536)
        os.setsid()
        _mount("tmpfs", SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV, SCRATCH_SIZE)
        read["data"] = _show_data(read["data"])
        os.chdir(SCRATCH)
        _drop()
        sys.stdin, sys.stdout, sys.stderr = child.quiet()
        send = child.sender(3)
        send({"ready": 1})
    except BaseException as error:
        _give_up(3, error)
    try:
        child.run_job(read, send, limited=True)
    finally:
        os._exit(0)


def _show_data(names: list[str]) -> list[str]:
    """Show the data of this job and hide all other; return where it lies now."""
    _mount("tmpfs", Path("/course"), "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=755")
    shown = []
    for place, name in enumerate(names):
        target = Path("/course") / str(place)
        target.mkdir()
        _mount(f"/data/{name}", target, None, MS_BIND)
        shown.append(str(target))
    _mount("tmpfs", Path("/data"), "tmpfs", MS_NOSUID | MS_NODEV, "size=4k,mode=000")
    read_only = struct.pack("QQQQ", 1 | MS_NOSUID, 0, 0, 0)
    for path in (b"/course", b"/data"):
        _call("syscall", MOUNT_SETATTR, AT_FDCWD, path, AT_RECURSIVE, read_only, len(read_only))
    return shown


def _drop() -> None:
    """Set limits and give up every right, for good."""
    for limit, value in _most.items():
        resource.setrlimit(limit, (value, value))
    for capability in range(64):
        _libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0)
    _call("prctl", PR_NO_NEW_PRIVS, 1, 0, 0, 0)
    _call("capset", struct.pack("Ii", 0x20080522, 0), bytes(24))
    # Once more: changing credentials had taken this back.
    _call("prctl", PR_DEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    program = _filter()
    held = ctypes.create_string_buffer(program, len(program))
    _call("prctl", PR_SECCOMP, 2, struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held)), 0, 0)


def _filter() -> bytes:
    """Return the seccomp program. Raises KeyError with a sentence on a machine it does not know.

    A new thread is allowed and a new process is not; clone3, whose flags a filter cannot see, says that it
    does not exist, and the C library then uses clone.
    """
    if platform.machine() not in MACHINES:
        raise KeyError(f"grading in isolation knows x86-64 and ARM 64, not {platform.machine()}")
    column, audit, clone = MACHINES[platform.machine()]
    refused = sorted(number for numbers in REFUSED.values() if (number := numbers[column]) is not None)
    load, equal, bits, at_least, give = 0x20, 0x15, 0x45, 0x35, 0x06  # BPF operations
    allow, kill, refuse = 0x7FFF0000, 0x80000000, 0x50000
    lines = [(load, 0, 0, 4), (equal, 1, 0, audit), (give, 0, 0, kill)]
    lines += [(load, 0, 0, 0), (at_least, 0, 1, 0x40000000), (give, 0, 0, kill)]
    for number in refused:
        lines += [(equal, 0, 1, number), (give, 0, 0, refuse | EPERM)]
    lines += [(equal, 0, 1, CLONE3), (give, 0, 0, refuse | ENOSYS)]
    lines += [(equal, 1, 0, clone), (give, 0, 0, allow), (load, 0, 0, 16)]
    lines += [(bits, 1, 0, CLONE_THREAD), (give, 0, 0, refuse | EPERM), (give, 0, 0, allow)]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def _give_up(out: int, error: BaseException) -> NoReturn:
    """Say that the walls could not be built, which is no fault of the submission."""
    line = json.dumps({"fault": f"{type(error).__name__}: {error}"}).encode("ascii")
    try:
        os.write(out, b"\n" + line + b"\n")
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
