"""The page for the teacher on an exercise set: tasks, hints, what people get wrong, rubrics and model answers."""

from sahel_teacher.sets import ExerciseSet, Task, Written


def teacher_page(made: ExerciseSet) -> str:
    """Return the page of a set as Markdown, all of it from the set's source."""
    front = made.front
    tasks = made.all_tasks
    total = sum(task.options["points"] for task in tasks)
    parts = [
        f"# Exercises {made.number}: {front['title']}",
        f"For the teacher. Built from `{made.source.name}` by `course.py build`: change that file, not this one. "
        f"{len(tasks)} tasks, {total} points, {made.minutes}.",
    ]
    if made.number.isdigit():
        parts.append(
            "**This set is for learning:** its worked answers are public, and so is this page. For marks that "
            "count, write a set of your own: `course.py new-set`."
        )
    rows = [
        f"| {task.number} | {_title(task)} | {task.options['points']} | {task.options['minutes']} "
        f"| {_graded(task)} |"
        for task in tasks
    ]
    head = "| task | what | points | minutes | graded |\n|---|---|---|---|---|\n"
    parts.append(head + "\n".join(rows))
    for task in tasks:
        body = _checked(task) if isinstance(task, Task) else _written(task)
        parts += [f"## {task.number} {_title(task)}", *body]
    return "\n\n".join(parts) + "\n"


def _title(task: Task | Written) -> str:
    return task.statement.partition("\n")[0].lstrip("# ").strip()


def _text(task: Task | Written) -> str:
    return task.statement.partition("\n")[2].strip()


def _graded(task: Task | Written) -> str:
    if isinstance(task, Written):
        return "by hand"
    return "on fresh data too" if task.recipe else "on the course's data only"


def _hints(task: Task | Written) -> list[str]:
    hints = [f"{n}. {hint}" for n, hint in enumerate(task.options["hints"], 1)]
    return ["**Hints, in order**", "\n".join(hints)] if hints else []


def _checked(task: Task) -> list[str]:
    parts = [_text(task), *_hints(task), "**Worked answer**", _code(task.worked)]
    if not task.recipe:
        parts.append(f"No fresh data for grading: {task.options['variants']['none']}")
    for n, (code, hint) in enumerate(task.wrong, 1):
        parts += [f"**Wrong answer {n}** and what `check` says to it", _code(code), f"> {hint}"]
    return parts


def _code(text: str) -> str:
    return f"```python\n{text.strip()}\n```"


def _written(task: Written) -> list[str]:
    parts = [_text(task), *_hints(task), "**Rubric**", task.rubric.strip()]
    for anchor in task.anchors:
        label = f"**Model answer of ours: {anchor.points} of {task.options['points']} points**"
        parts += [label, "\n".join(f"> {line}".rstrip() for line in anchor.text.strip().splitlines())]
    return parts
