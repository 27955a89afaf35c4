"""The panel for grading written answers by hand: one task across all students, in a notebook.

`HandGrading` is what it knows and does, and can be used without a notebook; `panel_box` shows it. Marks go into
the one file that `course.py grade` keeps, each as soon as it is given, and it keeps the earlier ones too.
"""

import hashlib
import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from sahel_teacher.errors import BuildError
from sahel_teacher.grading.marks import Damaged, Marks
from sahel_teacher.grading.questions import NoSuchSet, find_set
from sahel_teacher.sets import Written, read_set

ROOT = Path(__file__).resolve().parents[3]
NOTHING = (
    "There is nothing to grade by hand in {folder}. First grade what the class handed in: "
    "course.py grade NN SUBMISSIONS"
)


@dataclass(frozen=True)
class Answer:
    """What a student wrote to a task, and the mark that a person gave for it.

    `points` is None where a person has yet to give some: there is no mark, or the answer has changed since;
    `earlier` then says what was given for the one before, and that counts until there is another.
    """

    student: str
    name: str
    file: str
    text: str
    points: float | None = None
    comment: str = ""
    earlier: str = ""


class HandGrading:
    """The written answers of one graded set."""

    def __init__(self, folder: Path, sets: Path | None = None, root: Path = ROOT):
        """Open what was graded.

        Args:
            folder: of one set's marks, such as grades/02.
            sets: a teacher's own folder of sets, if the set is one of those.
            root: the course's folder.

        Raises:
            Damaged: the marks cannot be read.
            NoSuchSet: the set of these marks cannot be found or read.
        """
        self.path = folder / "marks.sqlite"
        with Marks(self.path) as marks:
            runs = marks.runs()
        if not runs:
            raise NoSuchSet(f"Nothing was graded in {folder}.")
        self.number = str(json.loads(runs[-1]["settings"])["set"])
        try:
            source, data = find_set(root, self.number, sets)
        except NoSuchSet:  # one's own sets and the course's may be graded into the same folder
            source, data = find_set(root, self.number)
        try:
            self.tasks: dict[str, Written] = {task.number: task for task in read_set(source, data).written}
        except (BuildError, OSError) as error:
            raise NoSuchSet(f"The set cannot be read. {error}") from error

    def answers(self, task: str) -> list[Answer]:
        """Return what students wrote to a task in what they handed in last.

        The order is another one for each task and tells nothing of names, so that nobody always comes last.
        """
        with Marks(self.path) as marks:
            handed_in = marks.db.execute(
                "SELECT s.student, s.name, a.file, m.answer FROM latest JOIN students s USING (student) "
                "JOIN attempts a USING (attempt) JOIN marks m USING (attempt) WHERE m.task = ? AND m.answer != ''",
                (task,),
            )
            found = [Answer(*row, **_given(marks, row["student"], task)) for row in handed_in]
        return sorted(found, key=lambda one: hashlib.sha256(f"{task} {one.student}".encode()).digest())

    def left(self, task: str) -> int:
        """Return how many answers to a task still wait for a person."""
        return sum(one.points is None for one in self.answers(task))

    def give(self, task: str, student: str, points: float, comment: str, by: str) -> None:
        """Keep a mark, whole and at once; all earlier ones stay in the history.

        Raises:
            ValueError: the points are not from 0 to the task's, or it is not said who gives them.
        """
        most = self.tasks[task].options["points"]
        if not 0 <= points <= most:
            raise ValueError(f"points must be from 0 to {most}")
        with Marks(self.path) as marks:
            marks.give(student, task, points, comment.strip(), by.strip())


def _given(marks: Marks, student: str, task: str) -> dict[str, Any]:
    """Return what a person gave a student for a task: for the answer of now, or `earlier` for another one."""
    history = marks.history(student, task)
    last = next((mark for mark in reversed(history) if mark["given_by"] != "machine"), None)
    if last is None:
        return {}
    texts = {mark["mark"]: mark["answer"] for mark in history if mark["given_by"] == "machine"}
    seen = [text for number, text in texts.items() if number < last["mark"]]
    sql = "SELECT m.answer FROM marks m JOIN latest USING (attempt) WHERE m.student = ? AND m.task = ?"
    now = marks.db.execute(sql, (student, task)).fetchone()["answer"]
    if seen and seen[-1] == now:
        return {"points": last["points"], "comment": last["note"]}
    said = f"{last['points']:g} points" + (f", “{last['note']}”" if last["note"] else "")
    return {"earlier": said}


def graded_sets(folder: Path) -> list[Path]:
    """Return the folders that hold marks: this one, or those in it."""
    return sorted(path.parent for path in [*folder.glob("marks.sqlite"), *folder.glob("*/marks.sqlite")])


# --- in a notebook ---------------------------------------------------------------------------------------


def panel(grades: str = "", sets: str = "") -> None:
    """Show the panel (for a notebook).

    Args:
        grades: the folder that `course.py grade` wrote to, or the one around it; else the course's grades/.
        sets: your own folder of sets, if the set is one of yours.
    """
    from IPython.display import display

    said = "Run this cell: the answers to grade appear here, one at a time, with the rubric beside them."
    folder = Path(grades).expanduser() if grades else ROOT / "grades"
    box = panel_box(folder, Path(sets).expanduser() if sets else None)
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    twin = {"text/html": f"<p><em>{said}</em></p>", "text/plain": said}
    display({"application/vnd.jupyter.widget-view+json": view, **twin}, raw=True)


def panel_box(folder: Path, sets: Path | None = None, root: Path = ROOT) -> Any:
    """Return the widgets of `panel` in one, or a sentence where there is nothing to grade."""
    import ipywidgets as widgets

    found, said = {}, []
    for path in graded_sets(folder):
        try:
            opened = HandGrading(path, sets, root)
            if any(opened.answers(task) for task in opened.tasks):
                found[f"{opened.number} ({path.name})" if path.name != opened.number else opened.number] = (
                    opened
                )
        except (Damaged, NoSuchSet) as error:
            said.append(str(error))
    if found:
        return Panel(found, said).box
    return widgets.HTML(_paragraphs([*said, NOTHING.format(folder=folder)]))


class Panel:
    """The widgets: what is chosen in one changes the others, and every mark is saved where it is given."""

    def __init__(self, sets: dict[str, HandGrading], said: list[str]):
        import ipywidgets as widgets

        self.sets = sets
        self.place, self.shown = (
            0,
            False,
        )  # `shown`: what stands in the fields is a student's, not half changed
        self.drafts: dict[tuple[str, str, str], str] = {}  # comments without points
        wide = widgets.Layout(width="100%")
        half = widgets.Layout(flex="1 1 24em", min_width="0", padding="0 1em 0 0")
        self.set = widgets.Dropdown(description="Set", options=list(sets))
        self.task = widgets.Dropdown(description="Task")
        self.names = widgets.Checkbox(description="Show names", value=False, indent=False)
        self.by = widgets.Text(description="Graded by", value="teacher", continuous_update=False)
        self.state, self.answer, self.guide = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.points = widgets.ToggleButtons(description="Points", style={"button_width": "3.5em"})
        self.comment = widgets.Textarea(
            description="Comment",
            placeholder="The student reads this.",
            rows=4,
            layout=wide,
            continuous_update=False,
        )
        self.back = widgets.Button(description="Previous", icon="arrow-left")
        self.next = widgets.Button(description="Next", icon="arrow-right", button_style="primary")
        whole = widgets.Layout(width="auto", flex="none")  # its words are not cut off
        self.skip = widgets.Button(description="Next without a mark", layout=whole)
        self.said = widgets.HTML(_paragraphs(said))
        left = [
            self.answer,
            self.points,
            self.comment,
            widgets.HBox([self.back, self.next, self.skip], layout=widgets.Layout(flex_flow="row wrap")),
            self.said,
        ]
        columns = [widgets.VBox(left, layout=half), widgets.VBox([self.guide], layout=half)]
        top = widgets.HBox(
            [self.set, self.task, self.by, self.names], layout=widgets.Layout(flex_flow="row wrap")
        )
        body = widgets.HBox(columns, layout=widgets.Layout(flex_flow="row wrap"))
        self.box = widgets.VBox([top, self.state, body])
        self.set.observe(lambda _: self.open_set(), "value")
        self.task.observe(lambda _: self.open_task(), "value")
        self.names.observe(lambda _: self.show(), "value")
        self.points.observe(lambda _: self.keep(), "value")
        self.comment.observe(lambda _: self.keep(), "value")
        self.back.on_click(lambda _: self.go(-1))
        self.next.on_click(lambda _: self.go_on())
        self.skip.on_click(lambda _: self.go(1))
        self.open_set()

    @property
    def grading(self) -> HandGrading:
        """The set that is open."""
        return self.sets[self.set.value]

    def open_set(self) -> None:
        """Offer the tasks of the chosen set; this opens the first."""
        self.task.options = list(self.grading.tasks)
        self.task.value = self.task.options[0]
        self.open_task()

    def open_task(self) -> None:
        """Show the task, and the first answer to it that waits."""
        if self.task.value not in self.grading.tasks:  # while the options change
            return
        self.guide.value = guide(self.grading.tasks[self.task.value])
        self.answers = self.grading.answers(self.task.value)
        self.place = next((n for n, one in enumerate(self.answers) if one.points is None), 0)
        self.show()

    def show(self) -> None:
        """Show the answer at this place, with its mark."""
        self.shown = False
        most = self.grading.tasks[self.task.value].options["points"]
        one = self.answers[self.place] if self.answers else None
        given = {one.points} if one and one.points is not None else set()
        self.points.options = [(f"{n:g}", n) for n in sorted({float(n) for n in range(most + 1)} | given)]
        self.points.value = one.points if one else None
        key = (self.set.value, self.task.value, one.student if one else "")
        self.comment.value = self.drafts.get(key, one.comment if one else "")
        for widget in (self.points, self.comment, self.back, self.next, self.skip):
            widget.disabled = one is None
        self.answer.value = (
            _answer(one, self.names.value) if one else _paragraphs(["Nobody wrote to this task."])
        )
        self.tell()
        self.shown = one is not None

    def tell(self) -> None:
        """Say where we are and what is left."""
        here = sum(one.points is None for one in self.answers)
        tasks = [task for task in self.grading.tasks if task != self.task.value]
        others = sum(self.grading.left(task) for task in tasks)
        where = f"Answer {self.place + 1} of {len(self.answers)}. " if self.answers else ""
        said = f"{where}Left in this task: {here}. Left in the other tasks of the set: {others}."
        if not here + others:
            said += f" All is graded. To write the gradebook anew, call course.py grade {self.grading.number} again."
        self.state.value = f'<p role="status"><strong>{escape(said)}</strong></p>'

    def keep(self) -> bool:
        """Save the mark in the fields if it says something new; return whether nothing is left unsaved."""
        if not self.shown:
            return True
        one = self.answers[self.place]
        points, comment = self.points.value, self.comment.value.strip()
        draft = (self.set.value, self.task.value, one.student)
        if points is None:
            if comment:
                self.drafts[draft] = comment
                self.say("The comment is not saved: choose the points too.")
            else:
                self.drafts.pop(draft, None)
            return not comment
        if (points, comment) == (one.points, one.comment):
            return True
        try:
            self.grading.give(self.task.value, one.student, points, comment, self.by.value)
        except (ValueError, Damaged, OSError) as error:
            self.say(f"Not saved: {error}.")
            return False
        self.drafts.pop(draft, None)
        self.answers[self.place] = Answer(one.student, one.name, one.file, one.text, points, comment)
        most = self.grading.tasks[self.task.value].options["points"]
        self.say(f"Saved: {points:g} of {most} points" + (", and the comment." if comment else "."))
        self.tell()
        return True

    def go_on(self) -> None:
        """Go to the next answer if this one has a mark."""
        if self.points.value is None:
            self.say("Choose the points first, or press “Next without a mark”.")
        elif self.keep():
            self.go(1)

    def go(self, step: int) -> None:
        """Go to another answer, from the last one to the first."""
        if self.keep():
            self.say("")
        self.place = (self.place + step) % len(self.answers)
        self.show()

    def say(self, sentence: str) -> None:
        """Say something below the buttons."""
        self.said.value = _paragraphs([sentence] if sentence else [])


def guide(task: Written) -> str:
    """Return what guides the grader as HTML: task (folded), rubric, model answers (folded)."""
    import mistune

    render = mistune.create_markdown(plugins=["table"])
    parts = [_folded("The task", str(render(task.statement))), f"<h4>Rubric</h4>{render(task.rubric)}"]
    parts += [
        _folded(f"Model answer, {anchor.level}: {anchor.points} points", str(render(anchor.text)))
        for anchor in task.anchors
    ]
    style = "<style>.rubric td,.rubric th{border:1px solid #999;padding:.2em .5em;text-align:left}</style>"
    return f'{style}<div class="rubric" style="line-height:1.5">{"".join(parts)}</div>'


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{body}</details>"


def _answer(one: Answer, named: bool) -> str:
    """Return an answer as text: whatever is in it, nothing of it is markup."""
    who = f"<p>{escape(one.name)}, {escape(one.file)}</p>" if named else ""
    look = "white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.5;max-height:28em;overflow:auto"
    box = f'<div role="region" aria-label="Answer" tabindex="0" style="{look};border:1px solid #999;padding:.6em">'
    again = ""
    if one.earlier:
        said = (
            f"The answer has changed since it was graded: {one.earlier}. That counts until you choose again."
        )
        again = _paragraphs([said])
    return f"{who}{again}{box}<bdi>{escape(one.text)}</bdi></div>"


def _paragraphs(sentences: list[str]) -> str:
    return "".join(f'<p role="status">{escape(sentence)}</p>' for sentence in sentences)
