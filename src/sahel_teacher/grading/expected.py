"""What is right: computed from the worked version behind the same walls as a submission, in a child of its own.

The set is run on the course's data, and where a task allows it on fresh data from a recorded seed. A seed whose
data gives the course's own answer is no use, for a constant typed in would be right: the next one is tried.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sahel_teacher.errors import BuildError
from sahel_teacher.grading.questions import NoSuchSet, Question, QuestionSet
from sahel_teacher.grading.run import (
    HOW_TO_ALLOW,
    Broken,
    Isolation,
    NotIsolated,
    Outcome,
    Plain,
    Stage,
    Started,
    Value,
    Warm,
    run_job,
)
from sahel_teacher.variants import make_variant

TRIES = 6


@dataclass
class Expected:
    """What is right, by task. Only the grader's own process holds one."""

    compare: dict[str, dict[str, Any]] = field(default_factory=dict)
    course: dict[str, Value] = field(default_factory=dict)
    fresh: dict[str, Value] = field(default_factory=dict)
    wrong: dict[str, list[tuple[Value, str]]] = field(
        default_factory=dict
    )  # on the course's data, with hints
    data: dict[str, str] = field(default_factory=dict)  # task -> the stage's data folder of its variant
    seeds: dict[str, int] = field(default_factory=dict)


def compute(questions: QuestionSet, stage: Stage, seed: int, isolation: Isolation) -> Expected:
    """Compute what is right, and put the fresh data on the stage.

    Args:
        questions: the set.
        stage: gets a folder of data for each task that allows a variant.
        seed: where the search for variants begins; what was taken stands in the result.
        isolation: as for submissions: a system that cannot run the worked version must not grade.

    Raises:
        NoSuchSet: the worked version does not run or gives nothing to compare; the message names the task.
    """
    warm = Warm(stage.path, teacher=True) if isolation == "auto" else None
    try:
        start: Callable[[dict[str, Any]], Started]
        start = warm.start if warm else lambda job: Plain(stage.path, job)
        made = Expected()
        _on_course(questions, start, made)
        _on_fresh(questions, stage, seed, start, made)
        return made
    except Broken as error:
        raise NotIsolated(HOW_TO_ALLOW.format(why=error)) from error
    finally:
        if warm:
            warm.close()


def _on_course(questions: QuestionSet, start: Callable[[dict[str, Any]], Started], made: Expected) -> None:
    tasks: dict[str, dict[str, Any]] = {}
    codes: list[tuple[str, str]] = []
    checked = [question for question in questions.questions.values() if not question.written]
    for question in checked:
        tasks[question.number] = {"result": question.result, "declared": question.compare}
        codes.append((question.number, _code(question, question.worked)))
    outcome = _run(codes, tasks, ["0"] * len(codes), start)
    made.course, made.compare = outcome.values, outcome.compare
    for question in checked:
        fault = _fault(question.number, checked.index(question), outcome)
        if fault:
            raise NoSuchSet(f"Task {question.number}: the worked answer cannot be used: {fault}.")
    tasks, codes = {}, []
    for question in checked:
        for n, (code, _) in enumerate(question.wrong):
            tasks[f"{question.number}/{n}"] = {
                "result": question.result,
                "compare": made.compare[question.number],
            }
            codes.append((f"{question.number}/{n}", _code(question, code)))
    values = _run(codes, tasks, ["0"] * len(codes), start).values
    for question in checked:
        those = [(values.get(f"{question.number}/{n}"), hint) for n, (_, hint) in enumerate(question.wrong)]
        made.wrong[question.number] = [(value, hint) for value, hint in those if value is not None]


def _on_fresh(
    questions: QuestionSet,
    stage: Stage,
    seed: int,
    start: Callable[[dict[str, Any]], Started],
    made: Expected,
) -> None:
    still = [question for question in questions.questions.values() if question.recipe]
    for turn in range(TRIES):
        for place, question in enumerate(still):
            name = f"{turn}-{place}"
            try:
                make_variant(questions.data, question.recipe, seed + turn, stage.path / "data" / name)
            except BuildError as error:
                raise NoSuchSet(f"Task {question.number}: no fresh data can be made: {error}.") from error
            made.data[question.number], made.seeds[question.number] = name, seed + turn
        if not still:
            return
        stage.readable()
        tasks = {q.number: {"result": q.result, "compare": made.compare[q.number]} for q in still}
        codes = [(q.number, _code(q, q.worked)) for q in still]
        values = _run(codes, tasks, [made.data[q.number] for q in still], start).values
        for question in list(still):
            value = values.get(question.number, ("none", None))
            if value[0] in ("form", "number") and value != made.course[question.number]:
                made.fresh[question.number] = value
                still.remove(question)
    if still:
        names = ", ".join(question.number for question in still)
        raise NoSuchSet(f"Task {names}: {TRIES} variants gave no answer, or the course's own.")


def _code(question: Question, code: str) -> str:
    return "\n".join((question.setup, question.given, code))


def _run(
    codes: list[tuple[str, str]],
    tasks: dict[str, dict[str, Any]],
    data: list[str],
    start: Callable[[dict[str, Any]], Started],
) -> Outcome:
    """Run each code in a namespace of its own, on the data at the same place, and look at its result."""
    steps: list[dict[str, Any]] = []
    for place, (task, code) in enumerate(codes):
        steps.append({"fresh": True, "data": place, "code": code, "read": task})
    return run_job(start, {"data": data, "tasks": tasks, "skip": [], "steps": steps})


def _fault(task: str, step: int, outcome: Outcome) -> str:
    """Say why a worked answer gives nothing to compare; an empty text where it does."""
    if step in outcome.stopped or step in outcome.errors:
        return outcome.stopped.get(step) or outcome.errors[step]
    kind, value = outcome.values.get(task, ("none", None))
    fault = outcome.compare.get(task, {}).get("fault")
    return str(fault or ("" if kind in ("form", "number") else value or "it gives no result"))
