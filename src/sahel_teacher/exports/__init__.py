"""Export the quiz bank: `course.py export quizzes --to TARGET`. A new target is one module and one line here."""

from collections.abc import Callable
from pathlib import Path

from sahel.quizzes import bank
from sahel.quizzes.bank import Item
from sahel_teacher.exports import anki, canvas, moodle, paper
from sahel_teacher.exports.shared import Export, ExportTrouble, as_csv, in_words, write_all

__all__ = ["TARGETS", "ExportTrouble", "export_quizzes"]

TARGETS: dict[str, Callable[[dict[str, list[Item]]], Export]] = {
    "moodle": moodle.export,
    "anki": anki.export,
    "print": paper.export,
    "canvas": canvas.export,
}


def export_quizzes(target: str, lessons: list[str], folder: Path) -> list[str]:
    """Write the built quiz bank for another system, and beside it what that system cannot express.

    Args:
        target: a key of TARGETS.
        lessons: lesson numbers such as "02"; all where there is none.
        folder: where the files go; it is made where it does not exist.

    Returns:
        What to tell the teacher, line by line.

    Raises:
        QuizTrouble: there is no such lesson, or its questions cannot be read.
        ExportTrouble: the folder cannot be written, or a package is missing.
    """
    chosen = {lesson: bank.items(lesson) for lesson in sorted(set(lessons)) or bank.lessons()}
    made = TARGETS[target](chosen)
    listed = f"degraded-{target}.csv"
    write_all(folder, {**made.files, listed: as_csv(made.losses)})
    total = sum(map(len, chosen.values()))
    return [
        f"{total} questions of lesson {', '.join(chosen)}, in {folder}: {', '.join(made.files)}",
        f"What {target} cannot express ({listed} has it question by question):",
        *(f"  {line}" for line in in_words(made.losses, total)),
    ]
