"""The overview for the teacher: where the class failed, by task and by misconception. Counts only, no names."""

from collections import Counter
from html import escape
from typing import Any

from sahel_teacher.grading.marks import Marks
from sahel_teacher.grading.questions import QuestionSet

# Colour and hatch of each status, so that it can be read without seeing colours.
LOOK = {
    "passed": ("blue", ""),
    "graded": ("sky", "oo"),
    "failed": ("orange", "//"),
    "crashed": ("vermillion", "xx"),
    "timed out": ("purple", "\\\\"),
    "missing": ("grey", ".."),
    "pending": ("white", ""),
}
MOST_DRAWN = 12
CSS = (
    ".class-board .beside>.wide{flex-basis:36em;max-width:44em}"  # a table of nine columns is not cut off
    ".class-board th,.class-board td{padding:.25em .25em;font-size:.85rem}"
    ".class-board .told td:last-child,.class-board .told th:last-child{text-align:left}"
)


def overview(questions: QuestionSet, marks: Marks) -> str:
    """Return the overview of a set as a page of its own, with nothing to be fetched from elsewhere."""
    import matplotlib as mpl

    from sahel.figures import style
    from sahel_teacher.board_page import _PAGE, _STYLE

    students = marks.students()
    counting = [marks.counting(student["student"]) for student in students]
    with mpl.rc_context():
        style()
        mpl.rcParams["figure.constrained_layout.use"] = False
        body = _by_task(questions, counting) + _by_misconception(questions, counting) if students else ""
    title = f"Set {questions.number}, {questions.title}: overview"
    said = f"{len(students)} graded. Counts only: nobody is named here."
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_PAGE}{_STYLE}{CSS}</style></head><body><main><h1>{escape(title)}</h1><p>{said}</p>"
        f'<div class="class-board">{body}</div></main></body></html>\n'
    )


def by_task(questions: QuestionSet, counting: list[dict[str, Any]]) -> dict[str, Counter[str]]:
    """Return how many students have each status, by task.

    Args:
        questions: the set.
        counting: for each student, the marks that count, by task.
    """
    return {
        task: Counter(marks[task]["status"] for marks in counting if task in marks)
        for task in questions.questions
    }


def by_misconception(
    questions: QuestionSet, counting: list[dict[str, Any]]
) -> list[tuple[str, str, int, int]]:
    """Return the wrong answers that the set knows and somebody gave, the most frequent first.

    Returns:
        Task, the hint that names the misconception, how many met it, and of how many who answered.
    """
    found = []
    for task, question in questions.questions.items():
        those = [marks[task] for marks in counting if task in marks]
        answered = sum(mark["status"] != "missing" for mark in those)
        met = Counter(mark["misconception"] for mark in those)
        found += [(task, hint, met[n], answered) for n, (_, hint) in enumerate(question.wrong, 1) if met[n]]
    return sorted(found, key=lambda row: -row[2])


def _by_task(questions: QuestionSet, counting: list[dict[str, Any]]) -> str:
    from sahel_teacher.board_page import _beside, _grid

    found = by_task(questions, counting)
    rows = []
    for task, counts in found.items():
        earned = [
            marks[task]["points"] for marks in counting if task in marks and marks[task]["points"] is not None
        ]
        mean = f"{sum(earned) / len(earned):.1f}" if earned else "–"
        rows.append(
            [task, *(counts[status] for status in LOOK), f"{mean} / {questions.questions[task].points}"]
        )
    checked = {task: found[task] for task, question in questions.questions.items() if not question.written}
    worst = max(checked, key=lambda task: sum(checked[task].values()) - checked[task]["passed"], default="")
    lost = sum(checked[worst].values()) - checked[worst]["passed"] if worst else 0
    if lost:
        said = f"Most is lost at {worst}: {lost} of {sum(checked[worst].values())} have not passed it."
    else:
        said = "Every checked task was passed by all." if checked else "All tasks are read by a person."
    told = "; ".join(
        f"{task}: " + ", ".join(f"{counts[s]} {s}" for s in LOOK if counts[s])
        for task, counts in found.items()
    )
    meaning = (
        "Graded: written answers that a person has read. Pending: those that wait for a person. "
        "Points: the mean of the marks that there are."
    )
    grid = _grid("How many students", ["Task", *LOOK, "points"], rows)
    alt = f"Bars of what came of each task. {said} {told}."
    return f"<h2>Tasks</h2><p>{escape(f'{said} {meaning}')}</p>" + _beside(_bars(found), alt, grid)


def _bars(found: dict[str, Counter[str]]) -> Any:
    """Draw one bar a task, cut into its statuses."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    from sahel.figures import COLOURS

    height = 1.0 + 0.36 * len(found)
    figure = Figure(figsize=(5.6, height))
    axes = figure.add_axes((0.1, 0.45 / height, 0.87, 1 - 1.0 / height))
    ends = [0] * len(found)
    for status, (colour, hatch) in LOOK.items():
        part = [counts[status] for counts in found.values()]
        if any(part):
            look: dict[str, Any] = {
                "facecolor": COLOURS.get(colour, colour),
                "hatch": hatch,
                "edgecolor": "black",
                "linewidth": 0.6,
            }
            axes.barh(range(len(found)), part, 0.66, ends, label=status, **look)
            ends = [end + more for end, more in zip(ends, part, strict=True)]
    axes.set_yticks(range(len(found)), list(found))
    axes.tick_params(left=False)
    axes.grid(visible=False, axis="y")
    axes.invert_yaxis()
    axes.set_xlim(0, max([1, *ends]))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("students")
    figure.legend(loc="upper center", ncols=4, columnspacing=1.2)
    return figure


def _by_misconception(questions: QuestionSet, counting: list[dict[str, Any]]) -> str:
    from sahel_teacher.board_page import _beside, _grid

    found = by_misconception(questions, counting)
    if not found:
        return "<h2>Misconceptions</h2><p>Nobody gave a wrong answer that the set knows.</p>"
    labels = [f"{task}\u00a0{letter}" for (task, *_), letter in zip(found, _letters(found), strict=True)]
    said = f"Met most often: {labels[0]}, by {found[0][2]} of the {found[0][3]} who answered."
    told = "; ".join(f"{label}: {row[2]}" for label, row in zip(labels, found, strict=True))
    rows = [[label, n, of, text] for label, (_, text, n, of) in zip(labels, found, strict=True)]
    grid = _grid(
        "Wrong answers that the set knows", ["Where", "met by", "of", "what students are told"], rows
    )
    drawn = f"The {MOST_DRAWN} met most often are drawn." if len(found) > MOST_DRAWN else ""
    figure = _counts(labels[:MOST_DRAWN], [row[2] for row in found[:MOST_DRAWN]])
    text = f"<h2>Misconceptions</h2><p>{escape(f'{said} {drawn}')}</p>"
    return f'{text}<div class="told">{_beside(figure, f"Bars. {said} {told}.", grid)}</div>'


def _letters(found: list[tuple[str, str, int, int]]) -> list[str]:
    """Return a, b, c for the misconceptions of each task, in the order in which they stand."""
    seen: Counter[str] = Counter()
    made = []
    for task, *_ in found:
        made.append(chr(97 + seen[task]))
        seen[task] += 1
    return made


def _counts(labels: list[str], counts: list[int]) -> Any:
    """Draw how many met each misconception."""
    from matplotlib.figure import Figure

    from sahel.figures import COLOURS

    height = 0.3 + 0.3 * len(labels)
    figure = Figure(figsize=(5.6, height))
    axes = figure.add_axes((0.13, 0.1 / height, 0.8, 1 - 0.3 / height))
    bars = axes.barh(
        range(len(labels)), counts, 0.66, facecolor=COLOURS["orange"], edgecolor="black", hatch="//"
    )
    axes.bar_label(bars, padding=3)
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(left=False)
    axes.grid(visible=False)
    axes.invert_yaxis()
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    return figure
