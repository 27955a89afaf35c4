"""Write what a made-up class of 30 hands in: synthetic through and through, about nobody.

    python -m tests.grading.made_up_class FOLDER [NN]

A recorded seed decides who is right, who gives a wrong answer that the set knows, whose code stops and who hands in
nothing. Written answers are the set's own model answers. The folder gets moodle.zip and canvas.zip, named as these
platforms name files, and the gradebooks that a teacher would export: moodle-worksheet.csv, canvas-gradebook.csv.
Students 01 to 15 are in Moodle, 16 to 30 in Canvas.
"""

import json
import random
import sys
import zipfile
from pathlib import Path
from typing import Any

from sahel_teacher.exercises import version
from sahel_teacher.grading.questions import find_set
from sahel_teacher.sets import ExerciseSet, Written, read_set
from tests.grading.made_up import ROOT, cell

SEED = 26
CLASS = [f"Made Up {n:02}" for n in range(1, 31)]
HANGS, BROKEN, ABSENT, LATE = "Made Up 04", "Made Up 09", "Made Up 13", "Made Up 22"


def main(folder: Path, number: str = "02", sets: Path | None = None) -> None:
    """Write the class's files into a folder."""
    made = read_set(*find_set(ROOT, number, sets))
    folder.mkdir(parents=True, exist_ok=True)
    handed_in = {name: notebook(made, name) for name in CLASS if name != ABSENT}
    file = f"{made.source.stem}.ipynb"
    with zipfile.ZipFile(folder / "moodle.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for n, name in enumerate(CLASS[:15], 1):
            if name in handed_in:
                archive.writestr(f"{name}_{4000 + n}_assignsubmission_file/{file}", handed_in[name])
    with zipfile.ZipFile(folder / "canvas.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for n, name in enumerate(CLASS[15:], 16):
            late = "LATE_" if name == LATE else ""
            archive.writestr(
                f"{name.replace(' ', '').lower()}_{late}{7000 + n}_{90000 + n}_{file}", handed_in[name]
            )
    title = f"Set {number}"
    rows = ["Identifier,Full name,Email address,Status,Grade,Feedback comments"]
    rows += [f"Participant {4000 + n},{name},,,," for n, name in enumerate(CLASS[:15], 1)]
    (folder / "moodle-worksheet.csv").write_text("\n".join(rows) + "\n", encoding="utf-8", newline="\n")
    most = sum(task.options["points"] for task in made.all_tasks)
    rows = [f"Student,ID,SIS User ID,SIS Login ID,Section,{title} (5001)", f"    Points Possible,,,,,{most}"]
    rows += [f"{name},{7000 + n},,,A made-up class," for n, name in enumerate(CLASS[15:], 16)]
    (folder / "canvas-gradebook.csv").write_text("\n".join(rows) + "\n", encoding="utf-8", newline="\n")


def notebook(made: ExerciseSet, name: str) -> bytes:
    """Return what one made-up student hands in."""
    chance = random.Random(f"{SEED} {name}")
    able = chance.uniform(0.4, 1)
    nb: dict[str, Any] = json.loads(json.dumps(version(made, worked=False)))
    for place, task in enumerate(made.all_tasks):
        luck = chance.random()
        right = luck < able * (1 - 0.05 * place)  # later tasks are harder
        if isinstance(task, Written):
            level = "full" if right else chance.choice(["part", "little"])
            text = next(anchor.text for anchor in task.anchors if anchor.level == level).partition("\n\nWhy")[
                0
            ]
            answer = f"{text}\n\n(A model answer of the set: nobody wrote this.)"
        elif right:
            answer = task.worked
        else:
            known = [wrong for wrong, _ in task.wrong]
            answer = chance.choice([*known[:1] * 4, *known[:2] * 2, *known, "this is not Python"])
        if luck < 0.95 or right:  # else the task stays as it was
            cell(nb, task.number)["source"] = answer
    if name == HANGS:
        cell(nb, made.tasks[0].number)["source"] = "while True:\n    pass"
    content = json.dumps(nb, ensure_ascii=False, indent=1).encode("utf-8")
    return content[: len(content) // 2] if name == BROKEN else content


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])
