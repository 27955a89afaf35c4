"""How much dearer is the first `course.py lab` than installing the same packages by hand?

    python3 benchmarks/first_setup.py [pip|uv]

Makes two environments in a temporary folder, one with venv and the installer alone, one with the front
door's own set-up, by turns, and prints the medians and their ratio. The course promises at most 1.1.
It needs the network (and uv on PATH for `uv`); the installer's own cache serves both sides alike.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 3
SET_UP = "import course; course.ensure('student'); course.hand_out()"


def by_hand(folder: Path, uv: str | None) -> None:
    """Install the pins into a new environment with nothing but the installer."""
    venv = folder / "bare"
    python = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    pins = str(ROOT / "requirements.txt")
    if uv:
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(venv)], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", str(python), "-r", pins], check=True)
    else:
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "-q", "-r", pins], check=True, stderr=subprocess.DEVNULL
        )


def by_front_door(folder: Path, _uv: str | None) -> None:
    """Set up a copy of the course as its front door does, and hand out the notebooks."""
    clone = folder / "clone"
    clone.mkdir()
    for name in ("course.py", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, clone / name)
    for name in ("notebooks", "exercises", "data"):
        shutil.copytree(ROOT / name, clone / name)
    subprocess.run([sys.executable, "-c", SET_UP], cwd=clone, check=True, stdout=subprocess.DEVNULL)


def seconds(way: object, uv: str | None) -> float:
    """Run one way in a temporary folder and return the seconds that it took."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        way(Path(folder), uv)  # type: ignore[operator]
        return time.perf_counter() - started


def main() -> None:
    """Measure, and print medians and ratio."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else "pip"
    uv = shutil.which("uv") if wanted == "uv" else None
    if bool(uv) != bool(shutil.which("uv")):
        sys.exit(
            f"The front door would use {'uv' if shutil.which('uv') else 'pip'} here: measure that instead."
        )
    times: dict[str, list[float]] = {"by hand": [], "course.py": []}
    for _ in range(ROUNDS):
        times["by hand"].append(seconds(by_hand, uv))
        times["course.py"].append(seconds(by_front_door, uv))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, value in medians.items():
        print(f"{name:10} {value:.1f} s (median of {ROUNDS}, {wanted})")
    print(f"ratio      {medians['course.py'] / medians['by hand']:.2f} (promised: at most 1.1)")


if __name__ == "__main__":
    main()
