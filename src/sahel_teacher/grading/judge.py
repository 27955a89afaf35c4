"""What each task earns: answers are compared here, in the grader's own process, and nowhere else."""

from dataclasses import dataclass
from typing import Any

from sahel import checks
from sahel_teacher.forms import forms
from sahel_teacher.grading.answers import Plan
from sahel_teacher.grading.expected import Expected
from sahel_teacher.grading.questions import Question, QuestionSet
from sahel_teacher.grading.run import Outcome, Value


@dataclass(frozen=True)
class Mark:
    """What a task earned.

    `status` is passed, failed, crashed, timed out, missing or pending (then `points` is None); `note` and
    `hint` may be shown to the student: they tell nothing of what is right or of fresh data; `misconception`
    is the number of the wrong answer that was met, from 1; `answer` the text of a written task.
    """

    task: str
    status: str
    points: float | None
    note: str = ""
    hint: str = ""
    misconception: int = 0
    answer: str = ""


def make_job(
    plan: Plan, questions: QuestionSet, expected: Expected, fresh: bool = False, skip: tuple[int, ...] = ()
) -> dict[str, Any]:
    """Make the job that runs a plan; nothing of what is right goes into it.

    Args:
        plan: what to run.
        questions: the set.
        expected: how answers are compared, and where fresh data lies.
        fresh: give each task its fresh data, where it has any.
        skip: steps that must not run.
    """
    names = ["0", *sorted(set(expected.data.values()))] if fresh else ["0"]
    steps = [dict(step) for step in plan.steps]
    for number, task in plan.given.items():
        steps[number]["data"] = names.index(expected.data.get(task, "0")) if fresh else 0
    steps[0]["data"] = 0
    tasks = {
        task: {"result": questions.questions[task].result, "compare": expected.compare[task]}
        for task in plan.read
    }
    return {"data": names, "tasks": tasks, "skip": list(skip), "steps": steps}


def right(value: Value, expected: Value, question: Question, compare: dict[str, Any]) -> bool:
    """Say whether an answer is the expected one; a number within the tolerance, by the rule that `check` uses."""
    if value[0] != "number" or expected[0] != "number":
        return value[0] in ("form", "number") and value == expected
    accepted = forms(expected[1], compare, float(question.compare.get("tolerance", 0)), question.number)
    return checks.canonical(float(value[1]), compare) in accepted


def wants_fresh(plan: Plan, questions: QuestionSet, expected: Expected, course: Outcome) -> bool:
    """Say whether a run on fresh data can still change anything: where a task that allows it is right so far."""
    return any(
        right(course.values.get(task, ("none", None)), expected.course[task], questions.questions[task],
              expected.compare[task])
        for task in expected.fresh
        if task in plan.read
    )  # fmt: skip


def judge(
    plan: Plan, questions: QuestionSet, expected: Expected, course: Outcome, fresh: Outcome | None
) -> list[Mark]:
    """Return the mark of every task, in the order of the set."""
    made = []
    for task, question in questions.questions.items():
        if task in plan.written:
            made.append(Mark(task, "pending", None, plan.notes.get(task, ""), answer=plan.written[task]))
        elif task not in plan.read:
            made.append(Mark(task, "missing", 0, plan.notes.get(task, "")))
        else:
            made.append(_judge_one(plan, question, expected, course, fresh))
    return made


def _judge_one(
    plan: Plan, question: Question, expected: Expected, course: Outcome, fresh: Outcome | None
) -> Mark:
    task, compare = question.number, expected.compare[question.number]
    note = plan.notes.get(task, "")
    value = course.values.get(task, ("none", None))
    status, why, hint, misconception = "failed", "", "", 0
    if right(value, expected.course[task], question, compare):
        there = (fresh or Outcome()).values.get(task, ("none", None))
        if task not in expected.fresh or right(there, expected.fresh[task], question, compare):
            return Mark(task, "passed", question.points, note)
        why = checks.say("graded_only_course")
    elif plan.answer[task] in course.stopped or plan.read[task] in course.stopped:
        step = plan.answer[task] if plan.answer[task] in course.stopped else plan.read[task]
        status, why = course.stopped[step], course.errors.get(step, "")
    elif value[0] == "none":
        why = course.errors.get(plan.answer[task], "")
        status = "crashed" if why else "failed"
        why = why or checks.say("graded_no_result", result=question.result)
    elif value[0] == "kind":
        why = str(value[1])
    else:
        met = enumerate(expected.wrong[task], 1)
        misconception, hint = next(
            ((n, text) for n, (wrong, text) in met if right(value, wrong, question, compare)), (0, "")
        )
    return Mark(task, status, 0, " ".join(filter(None, (note, why))), hint, misconception)
