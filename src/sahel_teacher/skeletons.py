"""Skeletons to begin from: an exercise set of a teacher's own, and a lesson of the course."""

import re
from datetime import date
from pathlib import Path

from sahel_teacher.errors import BuildError
from sahel_teacher.nb import write_text

SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
OWN_SET = re.compile(rf"[A-Z]\d-{SLUG}$")
OWN_NUMBER = "a capital letter and a digit, then small letters and hyphens, such as P1-my-questions"
LESSON = re.compile(rf"\d\d-{SLUG}$")


def new_set(root: Path, folder: Path, name: str, title: str | None = None) -> Path:
    """Write the skeleton of a set of one's own, with two example tasks; return its file.

    Args:
        root: the course's folder.
        folder: the teacher's folder; made where it is not there.
        name: number and slug, such as "P1-my-questions".
        title: the set's title; made from the slug where None.

    Raises:
        BuildError: the name is not as it should be, or a set has that number already.
    """
    if not OWN_SET.match(name):
        raise BuildError(f"{name} is no name for a set of your own: it needs {OWN_NUMBER}.")
    return _write(root, {"new-set.md": folder}, name, title)[0]


def new_lesson(root: Path, name: str, title: str | None = None) -> list[Path]:
    """Write the skeletons of a lesson, its quiz and its session plan; return the three files.

    Args:
        root: the course's folder.
        name: number and slug, such as "10-count-the-displaced".
        title: the lesson's title; made from the slug where None.

    Raises:
        BuildError: the name is not as it should be, or a lesson has that number already.
    """
    if not LESSON.match(name):
        raise BuildError(
            f"{name} is no name for a lesson: it needs two digits, then small letters and hyphens, "
            "such as 10-count-the-displaced."
        )
    content = root / "content" / "en"
    places = {
        "lesson.md": content / "lessons",
        "quiz.yaml": content / "quizzes",
        "plan.md": root / "teaching",
    }
    return _write(root, {f"new-lesson/{file}": folder for file, folder in places.items()}, name, title)


def _write(root: Path, places: dict[str, Path], name: str, title: str | None) -> list[Path]:
    """Fill in each skeleton and write it to its folder, unless something there has the number already."""
    number, _, slug = name.partition("-")
    targets = {file: folder / f"{name}{Path(file).suffix}" for file, folder in places.items()}
    there = [
        found for path in targets.values() for found in sorted(path.parent.glob(f"{number}-*{path.suffix}"))
    ]
    if there:
        raise BuildError(f"{there[0]} has the number {number} already: take another.")
    wanted = " ".join((title or slug.replace("-", " ").capitalize()).replace('"', "'").split())
    words = {"TITLE": wanted, "SLUG": slug, "TODAY": date.today().isoformat(), "NN": number}
    for file, path in targets.items():
        text = (root / "content" / "en" / file).read_text(encoding="utf-8")
        write_text(path, re.sub(r"\b(TITLE|SLUG|TODAY|NN)\b", lambda found: words[found[0]], text))
    return list(targets.values())
