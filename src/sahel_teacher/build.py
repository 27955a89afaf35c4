"""Build what is committed beside its sources: checksums, codebook, quizzes, lessons, exercises, solutions."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from tqdm import tqdm

from sahel_teacher.bank import build_quizzes
from sahel_teacher.exercises import build_exercises
from sahel_teacher.nb import (
    BuildError,
    clean,
    execute,
    new_notebook,
    read_source,
    write_if_changed,
    write_text,
)
from sahel_teacher.outcomes import build_outcomes
from sahel_teacher.pins import environment
from sahel_teacher.rereading import flag_items
from sahel_teacher.tables import seal

FRONT_MATTER = (
    "lesson",
    "title",
    "question",
    "do",
    "outcomes",
    "need",
    "minutes",
    "data",
    "verbs",
    "reviewed",
)
AT_ONCE = 2  # kernels side by side: a lesson is small, and so is the machine that builds it


def build(
    root: Path, only: list[str] | None = None, check: bool = False, reread: tuple[str, ...] = ()
) -> list[str]:
    """Build everything, or the lessons and exercise sets named; return one line per file that changed.

    Args:
        root: the course's folder.
        only: lesson numbers such as ["02"]; all where empty.
        check: change nothing, and say what is not as its sources give (drift). Nothing is run.
        reread: quiz items that somebody has read against the rows they rest on.

    Raises:
        BuildError: a source cannot be read, a cell fails, or there is no such lesson.
    """
    changed = [*seal(root, check), *build_environment(root, check), *build_quizzes(root, check)]
    changed += flag_items(root, check, reread)
    changed += build_lessons(root, only, check)
    changed += build_exercises(root, check, only)
    return changed if only else [*changed, *build_teaching(root, check), *build_outcomes(root, check)]


def build_environment(root: Path, check: bool = False) -> list[str]:
    """Build environment.yml from the pins; return one line if it changed."""
    path = root / "environment.yml"
    text = environment(root)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return []
    if check:
        return ["environment.yml is not what the pins give: run course.py build"]
    write_text(path, text)
    return ["environment.yml written"]


def lesson_sources(root: Path, only: list[str] | None = None) -> list[Path]:
    """Return the lessons' source files in order, or those whose number is in `only`.

    Raises:
        BuildError: a number that no lesson or exercise set has.
    """
    content = root / "content" / "en"
    known = {path.name[:2] for kind in ("lessons", "exercises") for path in (content / kind).glob("??-*.md")}
    unknown = sorted(set(only or ()) - known)
    if unknown:
        raise BuildError(f"There is no lesson {', '.join(unknown)}. There are: {', '.join(sorted(known))}.")
    return [
        path for path in sorted((content / "lessons").glob("??-*.md")) if not only or path.name[:2] in only
    ]


def build_lessons(root: Path, only: list[str] | None = None, check: bool = False) -> list[str]:
    """Build lessons, two at a time; return one line per notebook that changed or should not be there."""
    sources = lesson_sources(root, only)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = pool.map(lambda source: build_lesson(root, source, check), sources)
        done = list(tqdm(jobs, total=len(sources), desc="lessons", unit="lesson", disable=check or None))
    changed = [line for lines in done for line in lines]
    names = {source.stem for source in lesson_sources(root)}
    stale = [path for path in sorted((root / "notebooks").glob("*.ipynb")) if path.stem not in names]
    return changed + [f"notebooks/{path.name} has no source in content/: delete it" for path in stale]


def dressed(root: Path, source: Path) -> NotebookNode:
    """Return a lesson as a notebook with the header and the way to its neighbours, both from front matter."""
    nb = read_source(source)
    front = nb.metadata.get("course", {})
    missing = [key for key in FRONT_MATTER if not front.get(key)]
    if missing or not nb.cells[0].source.startswith("# "):
        what = (
            f"its front matter lacks {', '.join(missing)}"
            if missing
            else "its first cell is no title (# ...)"
        )
        raise BuildError(f"{source.name}: {what}.")
    header = new_markdown_cell(lesson_header(front))
    footer = new_markdown_cell(lesson_footer(root, source))
    return new_notebook([nb.cells[0], header, *nb.cells[1:], footer], front)


def lesson_header(front: dict[str, Any]) -> str:
    """Return the text below a lesson's title: question, what you will do, learn and need, time, data, date."""
    lists = {
        "What you will do": front["do"],
        "What you will be able to do afterwards": list(front["outcomes"].values()),
        "What you need": front["need"],
    }
    parts = [f"**The question: {front['question']}**"]
    parts += [f"**{title}**\n\n" + "\n".join(f"- {line}" for line in lines) for title, lines in lists.items()]
    tables = ", ".join(f"`{name}`" for name in front["data"])
    parts.append(
        f"**Time:** about {front['minutes']} minutes. **Tables:** {tables}. **Reviewed:** {front['reviewed']}."
    )
    return "\n\n".join(parts)


def lesson_footer(root: Path, source: Path) -> str:
    """Return links to the lesson before, the exercises and the lesson after, as far as there are any."""
    lessons = lesson_sources(root)
    here = lessons.index(source)
    around = {"Before": lessons[here - 1 : here], "Next": lessons[here + 1 : here + 2]}
    links = [
        f"{word}: [{_title(path)}]({path.stem}.ipynb)" for word, paths in around.items() for path in paths
    ]
    for path in sorted((root / "content" / "en" / "exercises").glob(f"{source.name[:2]}-*.md")):
        links.insert(
            len(links) - bool(around["Next"]), f"Exercises: [{_title(path)}](../exercises/{path.stem}.ipynb)"
        )
    return "---\n\n" + " | ".join(links)


def _title(source: Path) -> str:
    """Return the number and title of a lesson or exercise set."""
    title = next(line for line in source.read_text(encoding="utf-8").splitlines() if line.startswith("# "))
    return f"{source.name[:2]} {title[2:].strip()}"


def build_lesson(root: Path, source: Path, check: bool = False) -> list[str]:
    """Build one lesson: read its source, run it, keep what can be saved; return what changed."""
    target = root / "notebooks" / f"{source.stem}.ipynb"
    nb = dressed(root, source)
    if not check:
        target.parent.mkdir(exist_ok=True)
        nb = clean(execute(nb, target.parent, source.name), source.name)
    return write_if_changed(target, nb, check)


def build_teaching(root: Path, check: bool = False) -> list[str]:
    """Build the notebooks for teachers from content/en/teaching; return one line per notebook that changed."""
    changed = []
    for source in sorted((root / "content" / "en" / "teaching").glob("*.md")):
        nb = read_source(source)
        if not check:
            nb = clean(execute(nb, root / "teaching", source.name), source.name)
        changed += write_if_changed(root / "teaching" / f"{source.stem}.ipynb", nb, check)
    return changed
