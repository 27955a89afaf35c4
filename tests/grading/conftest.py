"""What tests of grading share: running them as the user at hand, and, where that is root, as nobody too."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINUX = sys.platform == "linux"
USERS = ["as_we_are", "as_nobody"] if LINUX and os.geteuid() == 0 else ["as_we_are"]
# Root's own Python may lie where nobody may look: there, and nowhere else, it is shown to nobody.
SHOW = """
mount --make-rprivate / && mkdir -p "$1" && mount --bind "$2" "$1" && mount -t tmpfs -o mode=755 none "$3" &&
mkdir -p "$2" && mount --bind "$1" "$2" && shift 3 &&
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
"""


def as_nobody(command: list[str], folder: Path) -> list[str]:
    """Return the command that runs a command as nobody, who may write to the folder."""
    shutil.chown(folder, 65534, 65534)
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and parent != Path("/") and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o011)
    base = Path(sys.base_prefix).resolve()
    closed = [p for p in base.parents if not p.stat().st_mode & 0o001]
    if not closed:
        return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    keep = folder.parent / f"{folder.name}-python"
    return ["unshare", "-m", "sh", "-c", SHOW, "sh", str(keep), str(base), str(closed[0]), *command]


def run_battery(kind: str, user: str, folder: Path) -> dict[str, dict[str, str]]:
    """Run a battery in a process of its own; return what gradebook.csv says, by case."""
    command = [sys.executable, "-m", "tests.grading.battery", kind, str(folder / "battery")]
    if user == "as_nobody":
        command = as_nobody(command, folder)
    env = dict(os.environ, A_SECRET_OF_THE_TEACHER="canary", HOME=str(folder), PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="session", params=USERS)
def user(request):
    return request.param
