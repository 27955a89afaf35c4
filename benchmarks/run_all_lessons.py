"""How long do all lessons take to run, against as many kernels that only import pandas and matplotlib?

    python3 course.py run benchmarks.run_all_lessons

Each set runs two at a time; the two sets take turns on the same machine. The course promises a ratio of at most 1.5.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from sahel_teacher.build import AT_ONCE, dressed, lesson_sources
from sahel_teacher.nb import execute, new_notebook

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 3


def seconds(notebooks: list[NotebookNode]) -> float:
    """Run notebooks two at a time and return the seconds that all of them took."""
    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda nb: execute(nb, ROOT / "notebooks"), notebooks))
    return time.perf_counter() - started


def main() -> None:
    """Measure, and print the best of each and their ratio."""
    lessons = [dressed(ROOT, source) for source in lesson_sources(ROOT)]
    bare = new_notebook([new_code_cell("import matplotlib.pyplot as plt\nimport pandas as pd")], {})
    times: dict[str, list[float]] = {"bare": [], "lessons": []}
    for _ in range(ROUNDS):
        times["bare"].append(seconds([bare] * len(lessons)))
        times["lessons"].append(seconds(lessons))
    best = {name: min(values) for name, values in times.items()}
    print(f"{len(lessons)} bare kernels {best['bare']:.1f} s, {len(lessons)} lessons {best['lessons']:.1f} s")
    print(f"ratio {best['lessons'] / best['bare']:.2f} (promised: at most 1.5; best of {ROUNDS})")


if __name__ == "__main__":
    main()
