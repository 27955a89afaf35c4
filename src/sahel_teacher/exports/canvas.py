"""QTI 1.2 for Canvas: one ZIP a lesson, which Canvas imports as one practice quiz.

Layout, question types and metadata are those that Canvas itself exports (lib/cc/qti in canvas-lms); its importer
reads the ids of answers as numbers.
"""

import io
import zipfile
from collections.abc import Callable
from xml.etree.ElementTree import Element

from sahel.quizzes.bank import Item, say
from sahel.quizzes.marking import number_range, shuffled
from sahel.quizzes.twin import RENDERERS, foot
from sahel_teacher.exports.shared import (
    Export,
    as_xml,
    bullets,
    converted,
    middle_and_span,
    node,
    paragraphs,
    plain,
)

QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
PACKAGE = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
META = "http://canvas.instructure.com/xsd/cccv1p0"
META_TYPE = "associatedcontent/imscc_xmlv1p1/learning-application-resource"
TO_WRITE = "becomes a written answer worth 0 points: {why}"
REASONS = {
    "order": "becomes matching of each step with 1st, 2nd and so on: credit for each step in its own place, "
    "not for the longest run in order",
    "classify": "becomes a matching question",
    "mistakes": "a line put elsewhere always gets the one explanation of that line; those for single mistakes are lost",
    "wrong numbers": "what is said of single wrong numbers stands together, and is shown at any wrong number",
    "number": "the unit stands in the question's text and is not typed",
    "region": "becomes multiple answers by the names of the countries, without the map",
    "probability": TO_WRITE.format(why="Canvas cannot score a forecast"),
    "played": TO_WRITE.format(why="in Canvas one answer of a choice must be right"),
    "vote": "Canvas has no second vote: hide quiz results until the second one is over",
    "confidence": "Canvas does not ask how sure one is, and has no certainty-based marks",
    "hints": "Canvas has no hints, so they are left out",
}


def export(lessons: dict[str, list[Item]]) -> Export:
    """Return one ZIP a lesson, and what is lost."""
    files, losses = {}, []
    for lesson, items in lessons.items():
        made, lost = converted(items, BUILDERS, REASONS)
        files[f"lesson-{lesson}.zip"] = _package(
            f"fortress-niger-{lesson}", say("title", lesson=lesson), made
        )
        losses += lost
    return Export(files, losses)


def _package(ident: str, title: str, questions: list[Element]) -> bytes:
    """Return the ZIP of one quiz, the same bytes whenever it is made."""
    section = node("section", *questions, ident="root_section")
    points = sum(
        question.findtext(".//*[fieldlabel='points_possible']/fieldentry") == "1" for question in questions
    )
    settings = {
        "title": title,
        "quiz_type": "practice_quiz",
        "allowed_attempts": "-1",
        "points_possible": str(points),
    }
    quiz, meta = f"{ident}/{ident}.xml", f"{ident}/assessment_meta.xml"
    needs_meta = node("dependency", identifierref=f"{ident}-meta")
    resources = node(
        "resources",
        node("resource", node("file", href=quiz), needs_meta, identifier=ident, type="imsqti_xmlv1p2"),
        node("resource", node("file", href=meta), identifier=f"{ident}-meta", type=META_TYPE, href=meta),
    )
    about = node("metadata", node("schema", "IMS Content"), node("schemaversion", "1.1.3"))
    files = {
        "imsmanifest.xml": node(
            "manifest", about, node("organizations"), resources, identifier=f"{ident}-all", xmlns=PACKAGE
        ),
        meta: node(
            "quiz", *(node(tag, text) for tag, text in settings.items()), identifier=ident, xmlns=META
        ),
        quiz: node("questestinterop", node("assessment", section, ident=ident, title=title), xmlns=QTI),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, root in files.items():
            file.writestr(zipfile.ZipInfo(name), as_xml(root), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _question(
    item: Item, canvas_type: str, shown: list[Element], marking: list[Element], feedback: dict[str, str]
) -> Element:
    """Return a question: what is shown, how it is marked, and what is said after an answer, by name."""
    general = paragraphs(*foot(item))
    if general:
        marking, feedback = (
            [_when(node("other"), _say("general_fb")), *marking],
            {"general_fb": general, **feedback},
        )
    points = "0" if canvas_type == "essay_question" else "1"
    fields = {"question_type": canvas_type, "points_possible": points}
    labelled = (
        node("qtimetadatafield", node("fieldlabel", a), node("fieldentry", b)) for a, b in fields.items()
    )
    score = node("decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal")
    return node(
        "item",
        node("itemmetadata", node("qtimetadata", *labelled)),
        node("presentation", *shown),
        node("resprocessing", node("outcomes", score), *marking),
        *(
            node("itemfeedback", node("flow_mat", _text(html, "text/html")), ident=name)
            for name, html in feedback.items()
        ),
        ident=f"fortress-niger-{item['id'].replace('.', '-')}",
        title=item["id"],
    )


def _html(*lines: str) -> Element:
    """Return what is asked, in paragraphs."""
    return _text(paragraphs(*lines), "text/html")


def _text(text: str, kind: str = "text/plain") -> Element:
    return node("material", node("mattext", text, texttype=kind))


def _labels(choices: dict[str, str]) -> Element:
    return node(
        "render_choice",
        *(node("response_label", _text(text), ident=ident) for ident, text in choices.items()),
    )


def _is(ident: str, part: str = "response1") -> Element:
    return node("varequal", ident, respident=part)


def _when(test: Element, *then: Element, go_on: bool = True) -> Element:
    return node("respcondition", node("conditionvar", test), *then, **{"continue": "Yes" if go_on else "No"})


def _say(name: str) -> Element:
    return node("displayfeedback", feedbacktype="Response", linkrefid=name)


def _score(points: str = "100", action: str = "Set") -> Element:
    return node("setvar", points, varname="SCORE", action=action)


def _choice(item: Item) -> Element:
    """Choices of one or several, with feedback on each."""
    single = item["type"] == "single"
    options = {str(1001 + n): option for n, option in enumerate(item["options"])}
    marking = [_when(_is(ident), _say(f"{ident}_fb")) for ident in options]
    tests = [_is(ident) if o["right"] else node("not", _is(ident)) for ident, o in options.items()]
    right = next(test for test in tests if test.tag == "varequal") if single else node("and", *tests)
    choices = _labels({ident: option["text"] for ident, option in options.items()})
    part = node("response_lid", choices, ident="response1", rcardinality="Single" if single else "Multiple")
    return _question(
        item,
        "multiple_choice_question" if single else "multiple_answers_question",
        [_html(item["stem"], say("choose_one" if single else "choose_all")), part],
        [*marking, _when(right, _score(), go_on=False)],
        {f"{ident}_fb": paragraphs(option["feedback"]) for ident, option in options.items()},
    )


def _matching(item: Item, lines: list[tuple[str, str, str]], choices: list[str]) -> Element:
    """Lines (text, where it goes, why), each with a list of the choices."""
    labels = {str(2001 + n): choice for n, choice in enumerate(choices)}
    ids = {choice: ident for ident, choice in labels.items()}
    parts, marking, feedback = [], [], {}
    for number, (line, goes, why) in enumerate(lines, 1001):
        part = f"response_{number}"
        right = _is(ids[goes], part)
        parts.append(node("response_lid", _text(line), _labels(labels), ident=part))
        marking.append(_when(right, _score(f"{100 / len(lines):.2f}", "Add")))
        marking.append(_when(node("not", right), _say(f"{number}_fb")))
        feedback[f"{number}_fb"] = paragraphs(why)
    shown = [_html(item["stem"], say("match_each")), *parts]
    return _question(item, "matching_question", shown, marking, feedback)


def _pairs(item: Item) -> Element:
    return _matching(item, [(p["text"], p["goes"], p["feedback"]) for p in item["pairs"]], item["choices"])


def _order(item: Item) -> Element:
    """Steps shuffled as in the widget, each to be matched with its place."""
    places, slots = say("nth").split(), item["slots"]
    lines = [(slots[n]["text"], places[n], slots[n]["feedback"]) for n in shuffled(item)]
    return _matching(item, lines, places[: len(slots)])


def _number(item: Item) -> Element:
    right = next(entry for entry in item["numbers"] if entry["right"])
    low, high = (plain(edge) for edge in number_range(right))
    edges = node("vargte", low, respident="response1"), node("varlte", high, respident="response1")
    fits = node("or", _is(middle_and_span(right)[0]), node("and", *edges))
    field = node("render_fib", node("response_label", ident="answer1"), fibtype="Decimal")
    said = zip(RENDERERS["number"](item).answer, item["numbers"], strict=True)
    mistakes = bullets([line for line, entry in said if not entry["right"]])
    asked = _html(item["stem"], say("give_number"), say("number_in", unit=item["unit"]))
    return _question(
        item,
        "numerical_question",
        [asked, node("response_str", field, ident="response1", rcardinality="Single")],
        [
            _when(fits, _score(), _say("correct_fb"), go_on=False),
            _when(node("other"), _say("general_incorrect_fb")),
        ],
        {
            "correct_fb": paragraphs(right["feedback"]),
            "general_incorrect_fb": paragraphs(item["otherwise"]) + mistakes,
        },
    )


def _written(item: Item) -> Element:
    """Return a question without a right answer as an essay for 0 points."""
    shown = RENDERERS[item["type"]](item)
    text = paragraphs(item["stem"]) + bullets(shown.lines) + paragraphs(shown.task)
    field = node("render_fib", node("response_label", ident="answer1", rshuffle="No"))
    part = node("response_str", field, ident="response1", rcardinality="Single")
    said = {"correct_fb": bullets(shown.answer)} if shown.answer else {}
    marking = _when(node("other"), *map(_say, said), go_on=False)
    return _question(item, "essay_question", [_text(text, "text/html"), part], [marking], said)


BUILDERS: dict[str, Callable[[Item], Element]] = {
    **dict.fromkeys(("single", "multiple", "region"), _choice),
    **dict.fromkeys(("match", "classify"), _pairs),
    **dict.fromkeys(("probability", "played"), _written),
    "order": _order,
    "number": _number,
}
