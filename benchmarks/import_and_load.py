"""How much dearer is `from sahel import load; load("events")` than pandas alone reading the same file?

    python3 course.py run benchmarks.import_and_load

Both run in fresh processes, by turns, on the same machine; the medians and their ratio are printed.
The course promises a ratio of at most 1.15.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "data" / "events.csv"
PROGRAMS = {
    "pandas": f"import pandas as pd; pd.read_csv({str(DATA)!r})",
    "sahel": "from sahel import load; load('events')",
}
ROUNDS = 15


def seconds(program: str) -> float:
    """Run one program in a fresh Python and return the seconds that it took."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - started


def main() -> None:
    """Measure, and print medians and ratio."""
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(ROUNDS):
        for name, program in PROGRAMS.items():
            times[name].append(seconds(program))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, value in medians.items():
        print(f"{name:7} {value:.3f} s (median of {ROUNDS})")
    print(f"ratio   {medians['sahel'] / medians['pandas']:.2f} (promised: at most 1.15)")


if __name__ == "__main__":
    main()
