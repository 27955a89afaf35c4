"""What every lesson promises: its shape, its sources, its skills, and how it looks when nobody runs it."""

import ast
import itertools
import re
from html import unescape
from html.parser import HTMLParser

import nbformat
import pytest

from sahel import load
from sahel_teacher.build import FRONT_MATTER, lesson_sources
from sahel_teacher.nb import ADDRESS, WIDGET_VIEW, read_source

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SECTIONS = ["## Key points", "## What this adds to the Fortress question", "## Sources and readings"]
IDS = {
    "C": ("claims", "claim_id", 3),
    "F": ("record_facts", "fact_id", 3),
    "E": ("events", "event_id", 3),
    "K": ("claim_checks", "check_id", 3),
}
ID = re.compile(r"\b([CFEK]\d{3}|Q\d{2}|P\d{2})\b")
A_DAY = re.compile(
    r"\b\d{1,2} (January|February|March|April|May|June|July|August|September|October|November|December) \d{4}"
)
MACHINE = re.compile(r"/work/|/root/|/home/|/Users/|[A-Z]:\\\\Users|/tmp/|site-packages")
# Python and matplotlib words that carry no skill of their own: nobody needs to be taught them one by one.
BEYOND_THE_LADDER = {"__version__"}


def all_sources():
    from pathlib import Path

    return lesson_sources(Path(__file__).resolve().parents[1])


@pytest.fixture(params=all_sources(), ids=lambda path: path.stem)
def source(request):
    return request.param


@pytest.fixture
def lesson(source):
    return read_source(source)


@pytest.fixture
def saved(source, root):
    return nbformat.read(root / "notebooks" / f"{source.stem}.ipynb", as_version=4)


def prose(nb):
    return [cell.source for cell in nb.cells if cell.cell_type == "markdown"]


def code(nb):
    return [cell for cell in nb.cells if cell.cell_type == "code"]


# --- shape -----------------------------------------------------------------------------------------------


def test_front_matter_says_what_a_class_needs_to_know(lesson, source):
    front = lesson.metadata["course"]
    assert all(front.get(key) for key in FRONT_MATTER)
    assert front["lesson"] == source.name[:2]
    assert 1 <= len(front["outcomes"]) <= 3
    assert all(key.startswith(f"{front['lesson']}-") for key in front["outcomes"])
    assert 45 <= front["minutes"] <= 60
    assert set(front["data"]) <= set(load.tables()["name"])


def test_one_title_headings_in_order_and_the_closing_sections(lesson):
    headings = [line for text in prose(lesson) for line in text.splitlines() if re.match(r"#+ ", line)]
    levels = [len(line.split()[0]) for line in headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert [line for line in headings if line in SECTIONS] == SECTIONS


def test_there_is_something_to_do_and_something_to_predict(lesson):
    text = "\n".join(prose(lesson))
    assert len(re.findall(r"\*\*Your turn", text)) >= 3
    assert re.search(r"predict|first guess", text, re.IGNORECASE)
    assert any(re.search(r"\bquiz\(", cell.source) for cell in code(lesson))


def test_a_lesson_is_neither_a_book_nor_a_stub(lesson):
    words = sum(len(text.split()) for text in prose(lesson))
    assert 900 <= words <= 2600, f"the lesson has {words} words: 900 to 2600"
    assert 8 <= len(code(lesson)) <= 24
    lengths = sorted(len(cell.source.splitlines()) for cell in code(lesson))
    assert lengths[len(lengths) // 2] <= 6, "half of the cells should be about four lines or fewer"
    assert lengths[-1] <= 22, "a longer cell is a program, not a step"


# --- sources ---------------------------------------------------------------------------------------------


def test_every_id_in_a_lesson_leads_to_a_row(lesson):
    known = {row_id for table, key, _ in IDS.values() for row_id in load(table)[key]}
    known |= set(load("forecast_questions")["question_id"]) | set(load("partnerships")["partnership_id"])
    named = {found for cell in lesson.cells for found in ID.findall(cell.source)}
    assert named, "a lesson cites"
    assert named <= known, named - known


def test_every_day_named_in_prose_has_its_source_beside_it(lesson):
    for text in prose(lesson):
        for paragraph in re.split(r"\n\s*\n|\n(?=[-|>] )", text):
            days = {m.group(0) for m in A_DAY.finditer(paragraph)} - {"26 July 2023", "22 March 2024"}
            if days and not paragraph.lstrip().startswith("#"):
                assert ID.search(paragraph) or "](http" in paragraph, (
                    f"{days} without an id: {paragraph[:200]}"
                )


def test_no_skill_is_used_before_it_is_taught(source):
    taught, used = set(BEYOND_THE_LADDER), set()
    for path in all_sources():
        if path.name <= source.name:
            taught |= set(read_source(path).metadata["course"]["verbs"])
    for cell in code(read_source(source)):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Attribute):
                used.add(node.attr)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                used.add(node.func.id)
    own = {
        node.name
        for cell in code(read_source(source))
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.FunctionDef)
    }
    helpers = {"quiz", "check", "hint", "show", "style", "explore", "forget", "progress"}
    assert used - own - helpers <= taught, (
        f"not in any verbs list so far: {sorted(used - own - helpers - taught)}"
    )


# --- the saved notebook ----------------------------------------------------------------------------------


def test_saved_notebook_holds_no_live_widget_no_address_no_machine(saved):
    assert "widgets" not in saved.metadata
    for cell in code(saved):
        for output in cell.outputs:
            data = output.get("data", {})
            assert WIDGET_VIEW not in data
            shown = "".join(
                [output.get("text", ""), data.get("text/plain", ""), "".join(output.get("traceback", []))]
            )
            assert not ADDRESS.search(shown)
            assert not MACHINE.search(shown), shown
            assert not MACHINE.search(re.sub(r"base64,[^\"]+", "", data.get("text/html", "")))


def test_every_cell_was_run_in_order_and_only_marked_cells_fail(saved):
    counts = [cell.execution_count for cell in code(saved)]
    assert counts == list(range(1, len(counts) + 1))
    for cell in code(saved):
        failed = any(output.output_type == "error" for output in cell.outputs)
        assert failed == ("raises-exception" in cell.metadata.get("tags", [])), cell.source
        assert not any(output.get("name") == "stderr" for output in cell.outputs)


class Pictures(HTMLParser):
    """Collects the alternative texts of a page's pictures."""

    def __init__(self):
        super().__init__()
        self.alts = []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.alts.append(dict(attrs).get("alt") or "")


def test_every_picture_has_a_sentence_for_those_who_cannot_see_it(saved):
    for cell in code(saved):
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" not in data:
                continue
            pictures = Pictures()
            pictures.feed(data["text/html"])
            assert pictures.alts
            caption = re.search(r"<figcaption>(.*?)(?: <small>|</figcaption>)", data["text/html"])
            for alt in pictures.alts:
                assert len(alt.split()) >= 6, alt
                assert not re.match(r"(an? |the )?(image|picture|figure|chart|plot) |[^.]*\n", alt, re.I), alt
                assert caption is None or alt != unescape(caption[1]), "who hears the page hears it twice"


def test_reads_well_in_nbconvert_without_a_kernel(saved):
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter().from_notebook_node(saved)
    assert "model not found" not in page.lower()
    for cell in code(saved):
        if re.search(r"\bquiz\(", cell.source):
            twin = next(o.data["text/html"] for o in cell.outputs if "text/html" in o.get("data", {}))
            assert len(re.sub(r"<[^>]+>", " ", twin).split()) > 20, "the static twin shows the questions"
            assert twin[:60] in page


# --- the session plan ------------------------------------------------------------------------------------

PLAN = [
    "## Aim and outcomes",
    "## Before class",
    "## What students get wrong",
    "## Discussion questions",
    "## Content",
]


def test_a_session_plan_fits_its_lessons_and_its_minutes(lesson, source, root):
    plan = (root / "teaching" / source.name).read_text("utf-8")
    missing = [heading for heading in PLAN if heading not in plan]
    assert not missing
    words = len(plan.split())
    assert 350 <= words <= 900, f"the session plan has {words} words: 350 to 900"
    for outcome in lesson.metadata["course"]["outcomes"]:
        assert outcome in plan, f"{outcome} is not among the aims"
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in plan.splitlines()
        if line.startswith("|")
    ]
    head = next(row for row in rows if "50 min" in row)
    for total in (50, 75, 90):
        column = head.index(f"{total} min")
        minutes = [int(row[column]) for row in rows if len(row) == len(head) and row[column].isdigit()]
        assert sum(minutes) == total, f"the steps for {total} minutes add up to {sum(minutes)}"


def test_every_id_in_a_session_plan_leads_to_a_row(source, root):
    plan = (root / "teaching" / source.name).read_text("utf-8")
    known = {row_id for table, key, _ in IDS.values() for row_id in load(table)[key]}
    known |= set(load("forecast_questions")["question_id"]) | set(load("partnerships")["partnership_id"])
    assert set(ID.findall(plan)) <= known
