"""Grade all cases of a kind, as whoever runs this, and print what came of each as JSON.

    python -m tests.grading.battery honest|hostile FOLDER

It goes through the command itself, so collecting, the file of marks and the reports are part of it.
"""

import csv
import json
import sys
from pathlib import Path

from sahel_teacher.__main__ import main
from sahel_teacher.grading import run as running
from tests.grading.made_up import ROOT, SETS, cases


def run(
    kind: str, folder: Path, isolation: str = "auto", only: list[str] | None = None
) -> dict[str, dict[str, str]]:
    """Return, for each case, status and note of each task as gradebook.csv has them."""
    handed_in, out = folder / "handed-in", folder / "out"
    handed_in.mkdir(parents=True)
    for name, (nb, _) in cases(kind, str(out)).items():
        if not only or name in only:
            (handed_in / f"{name}.ipynb").write_text(json.dumps(nb), encoding="utf-8")
    options = ["--sets", str(SETS), "--out", str(out), "--seed", "5", "--isolation", isolation]
    code = main(["grade", "99", str(handed_in), *options])
    assert code == 0, f"exit code {code}"
    with (out / "gradebook.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


if __name__ == "__main__":
    assert ROOT
    running.CELL_SECONDS = 4.0  # many of these cells hang, and nobody wants to wait for the real limit
    print("\n" + json.dumps(run(sys.argv[1], Path(sys.argv[2]))))
