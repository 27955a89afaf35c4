"""Moodle XML: one file a lesson, whose first element names a category of the question bank.

Element names and allowed values are those of Moodle's own importer: question/format/xml/format.php, the list of
grades in question/engine/bank.php, and question/type/ordering/questiontype.php (in Moodle since 4.4).
"""

from collections.abc import Callable
from html import escape
from xml.etree.ElementTree import Element

from sahel.quizzes.bank import Item, say
from sahel.quizzes.twin import RENDERERS, answer_lines, foot
from sahel_teacher.exports.shared import (
    CannotExpress,
    Export,
    as_xml,
    bullets,
    converted,
    middle_and_span,
    node,
    paragraphs,
)

# Moodle takes the grade 1/n of an answer only for these n; any other stops its import.
SHARES = {*range(1, 11), 20}
LONGEST_CHOICE = 255  # characters that Moodle's database keeps of a choice in a matching question
ORDERING = {
    "layouttype": "VERTICAL",
    "selecttype": "ALL",
    "selectcount": "0",
    "gradingtype": "LONGEST_ORDERED_SUBSET",
    "showgrading": "SHOW",
    "numberingstyle": "none",
}
TO_WRITE = "becomes a written answer worth 0 marks, so that no total waits for grading: {why}"
PAIRS = "the reasons for each line stand together in the general feedback, not beside the line"
REASONS = {
    "order": "of n steps with k in order Moodle gives k/n of the marks, our widget (k-1)/(n-1); the reasons for "
    "each step stand together in the general feedback; Moodle before 4.4 needs the ordering plugin",
    "match": PAIRS,
    "classify": f"becomes a matching question; {PAIRS}",
    "number": "the unit stands in the question's text and is not typed",
    "region": "becomes multiple choice by the names of the countries, without the map",
    "probability": TO_WRITE.format(why="Moodle cannot score a forecast"),
    "played": TO_WRITE.format(why="in Moodle one option of a choice must be right"),
    "vote": "Moodle has no second vote and can show feedback after the first: hide feedback until the quiz closes",
    "confidence": "how sure one is, is a setting of the whole quiz in Moodle: Question behaviour, with CBM",
    "hints": "Moodle shows hints only with the question behaviour Interactive with multiple tries",
}


def export(lessons: dict[str, list[Item]]) -> Export:
    """Return one XML file a lesson, and what is lost."""
    files, losses = {}, []
    for lesson, items in lessons.items():
        made, lost = converted(items, BUILDERS, REASONS)
        name = node("category", node("text", f"$course$/top/Fortress Niger/Lesson {lesson}"))
        files[f"lesson-{lesson}.xml"] = as_xml(node("quiz", node("question", name, type="category"), *made))
        losses += lost
    return Export(files, losses)


def _question(
    item: Item, moodle_type: str, text: str, feedback: str, *own: Element, grade: str = "1"
) -> Element:
    """Return a question: what all types have, and what its own type has."""
    short = item["stem"] if len(item["stem"]) <= 70 else item["stem"][:69].rstrip() + "…"
    tags = (f"lesson {item['id'][:2]}", item["type"], item["thinking"], f"outcome {item['outcome']}")
    return node(
        "question",
        node("name", node("text", f"{item['id']} {short}")),
        _html("questiontext", text),
        _html("generalfeedback", feedback),
        node("defaultgrade", grade),
        node("penalty", "0"),  # hints and further tries cost nothing, as in the widget
        node("hidden", "0"),
        node("idnumber", item["id"]),
        *own,
        *(_html("hint", paragraphs(hint)) for hint in item["hints"]),
        node("tags", *(node("tag", node("text", tag)) for tag in tags)),
        type=moodle_type,
    )


def _html(tag: str, html: str, *inside: Element, **attributes: str) -> Element:
    return node(tag, node("text", html), *inside, format="html", **attributes)


def _feedback(text: str) -> Element:
    return _html("feedback", paragraphs(text))


def _choice(item: Item) -> Element:
    """Choices of one or several: right ones share the grade, wrong ones take as much away, as our own rule does."""
    single = item["type"] == "single"
    right = sum(option["right"] for option in item["options"])
    if right not in SHARES:
        raise CannotExpress(f"{right} answers are right, and Moodle knows no grade of 1/{right}")
    share = f"{100 / right:.5f}".rstrip("0").rstrip(".")
    wrong = "0" if single else f"-{share}"
    answers = [
        _html(
            "answer",
            escape(o["text"], quote=False),
            _feedback(o["feedback"]),
            fraction=share if o["right"] else wrong,
        )
        for o in item["options"]
    ]
    how = [
        node("single", str(single).lower()),
        node("shuffleanswers", "false"),
        node("answernumbering", "abc"),
    ]
    return _question(item, "multichoice", paragraphs(item["stem"]), paragraphs(*foot(item)), *how, *answers)


def _order(item: Item) -> Element:
    text = paragraphs(item["stem"], say("put_in_order"))
    how = [node(tag, word) for tag, word in ORDERING.items()]
    # The order in the file is the right one; Moodle shuffles.
    slots = [_html("answer", escape(s["text"], quote=False), fraction="0") for s in item["slots"]]
    return _question(item, "ordering", text, bullets(answer_lines(item)), *how, *slots)


def _pairs(item: Item) -> Element:
    """Lines with their choices; a choice without a line goes with an empty one: Moodle offers it and asks nothing."""
    if max(map(len, item["choices"])) > LONGEST_CHOICE:
        raise CannotExpress(f"Moodle keeps {LONGEST_CHOICE} characters of a choice, and one here is longer")
    used = {pair["goes"] for pair in item["pairs"]}
    lines = [(escape(pair["text"], quote=False), pair["goes"]) for pair in item["pairs"]]
    lines += [("", choice) for choice in item["choices"] if choice not in used]
    # Moodle keeps a choice as plain text, so it is not escaped as HTML.
    parts = [_html("subquestion", text, node("answer", node("text", choice))) for text, choice in lines]
    feedback = bullets(answer_lines(item))
    return _question(
        item, "matching", paragraphs(item["stem"]), feedback, node("shuffleanswers", "true"), *parts
    )


def _number(item: Item) -> Element:
    """Numbers with their tolerances, then a star for any other."""
    entries = [(*middle_and_span(e), "100" if e["right"] else "0", e["feedback"]) for e in item["numbers"]]
    answers = [
        node("answer", node("text", middle), _feedback(said), node("tolerance", span), fraction=fraction)
        for middle, span, fraction, said in [*entries, ("*", "0", "0", item["otherwise"])]
    ]
    text = paragraphs(item["stem"], say("give_number"), say("number_in", unit=item["unit"]))
    return _question(item, "numerical", text, paragraphs(*foot(item)), *answers)


def _written(item: Item) -> Element:
    """Return a question without a right answer as an essay for 0 marks, so that no total waits for it."""
    shown = RENDERERS[item["type"]](item)
    text = paragraphs(item["stem"]) + bullets(shown.lines) + paragraphs(shown.task)
    settings = {
        "responseformat": "plain",
        "responserequired": "1",
        "responsefieldlines": "5",
        "attachments": "0",
    }
    how = [node(tag, word) for tag, word in settings.items()]
    return _question(item, "essay", text, bullets([*shown.answer, *foot(item)]), *how, grade="0")


BUILDERS: dict[str, Callable[[Item], Element]] = {
    **dict.fromkeys(("single", "multiple", "region"), _choice),
    **dict.fromkeys(("match", "classify"), _pairs),
    **dict.fromkeys(("probability", "played"), _written),
    "order": _order,
    "number": _number,
}
