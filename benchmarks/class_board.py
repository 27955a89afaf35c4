"""How long does the class board take for 500 codes, against pandas counting the same answers?

    python3 course.py run benchmarks.class_board [NN]

The codes are made up at random, for lesson 04 or the one named. Both sides run by turns in one process; once, in
a process of its own, the whole command is timed with its imports. The course promises under two seconds.
"""

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from sahel.quizzes import marking
from sahel.quizzes.codes import Form, Kept, Sheet, answer_numbers
from sahel_teacher.board import all_forms, board_html, gather_text

STUDENTS = 500
ROUNDS = 5


def made_up(form: Form, dice: random.Random) -> Sheet:
    """Return the answers of one made-up student."""
    kept = {}
    for item in form.items:
        numbers = answer_numbers(item)
        second = None if item["type"] == "probability" else dice.randrange(numbers)
        sure = dice.randint(1, 3) if marking.has_right_answer(item) else 0
        kept[item["id"]] = Kept(dice.randrange(numbers), second, sure)
    return Sheet(form.lesson, dice.choice(list(form.roles) or [""]), kept)


def counted(table: pd.DataFrame) -> list[pd.Series]:
    """Count first and second answers to each question, as one would by hand."""
    return [group[vote].value_counts() for _, group in table.groupby("item") for vote in ("first", "second")]


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return how long some work takes by the clock, and of the processor's time (the same on a quiet machine)."""
    started, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - used


def main() -> None:
    """Measure, and print medians and ratio."""
    forms = all_forms()
    form = forms[sys.argv[1] if len(sys.argv) > 1 else "04"]
    dice = random.Random(4)
    sheets = [made_up(form, dice) for _ in range(STUDENTS)]
    text = "\n".join(form.write(sheet) for sheet in sheets)
    rows = [(item, kept.first, kept.second) for sheet in sheets for item, kept in sheet.kept.items()]
    table = pd.DataFrame(rows, columns=["item", "first", "second"])
    work: dict[str, Callable[[], object]] = {
        "pandas, counting only": lambda: counted(table),
        "board, reading only": lambda: gather_text(text, forms),
        "board, read and drawn": lambda: board_html(gather_text(text, forms), forms),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, do in work.items():
            times[name].append(seconds(do))
    medians = {
        name: [statistics.median(v) for v in zip(*values, strict=True)] for name, values in times.items()
    }
    print(
        f"{STUDENTS} made-up codes of lesson {form.lesson}, {len(form.items)} questions; medians of {ROUNDS}"
    )
    for name, (clock, processor) in medians.items():
        print(f"{name:22} {clock:.3f} s by the clock, {processor:.3f} s of the processor")
    drawn, counting = medians["board, read and drawn"][1], medians["pandas, counting only"][1]
    print(f"ratio to counting      {drawn / counting:.0f}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "codes.txt"
        path.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "sahel_teacher", "board", str(path), "--out", folder]
        whole, _ = seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    print(f"the whole command      {whole:.3f} s")
    print("promised: read and drawn in under 2 s")


if __name__ == "__main__":
    main()
