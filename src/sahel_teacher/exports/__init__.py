"""Export the quiz bank, or the whole course as a reader to print: `course.py export quizzes`, `export reader`.

A new target for the quizzes is one module and one line here.
"""

from collections.abc import Callable
from pathlib import Path

from sahel.quizzes import bank
from sahel.quizzes.bank import Item
from sahel_teacher.exports import anki, canvas, moodle, paper
from sahel_teacher.exports.shared import Export, ExportTrouble, as_csv, in_words, write_all

__all__ = ["TARGETS", "ExportTrouble", "export_quizzes", "export_reader"]

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


def export_reader(
    root: Path, lessons: list[str], folder: Path, with_answers: bool, as_pdf: bool
) -> list[str]:
    """Write the course as one HTML file to print, and as PDF where that is asked for.

    Args:
        root: the course's folder.
        lessons: lesson numbers such as "02"; all where there is none.
        folder: where the files go; it is made where it does not exist.
        with_answers: a copy for teachers, with worked answers.
        as_pdf: print it to PDF too, with a browser that is on the computer.

    Returns:
        What to tell the teacher, line by line.

    Raises:
        ExportTrouble: there is no such lesson, the folder cannot be written, or no PDF can be made (the HTML is
            written all the same).
    """
    from sahel_teacher.exports import pdf
    from sahel_teacher.exports.reader import reader

    name = f"fortress-niger-reader{'-with-answers' if with_answers else ''}"
    html = reader(root, lessons, with_answers)
    page = folder / f"{name}.html"
    write_all(folder, {page.name: html.encode()})
    if not as_pdf:
        return [f"{page} written. Open it in a browser to read or to print it."]
    try:
        write_all(folder, {f"{name}.pdf": pdf.as_pdf(html)})
    except pdf.NoPdf as error:
        raise ExportTrouble(
            f"{page} is written, the PDF is not: {error}. Open it in any browser, choose Print, then Save as PDF."
        ) from error
    return [f"{page} and {name}.pdf written."]
