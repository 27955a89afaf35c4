"""The whole course as one HTML file to print: `course.py export reader`.

nbconvert draws the notebooks as they are built, `paper` the quizzes as sheets. Here they become one document: one
order of headings, links within it, no other file needed, and at its end what the codes in the text stand for.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
from nbformat import NotebookNode

from sahel import __version__, cite, load
from sahel.quizzes import bank
from sahel.quizzes.bank import say
from sahel_teacher.exports.paper import BUILDERS, ITEMS, with_answer
from sahel_teacher.exports.shared import ExportTrouble, kind
from sahel_teacher.tables import licences

CODE = re.compile(r"\b[CEFK]\d{3}\b")
ASKED = re.compile(r"<strong>(\d\d\.\d+)</strong>")  # how the text version of a quiz names its questions
KEPT = {"quiz", "copy", "two", "input", "output"}  # what a div must be to stay: see reader.css
WIDE, TOO_WIDE = 9, 14  # columns: a table with as many is set small, or turned: rows become columns
NARROW = 3  # columns: long tables with so few are set side by side
SHORT = 14  # rows: a table with fewer stays on one page
Soup = Any  # of BeautifulSoup, whose own types say "or text, or nothing" everywhere


def reader(root: Path, lessons: list[str], with_answers: bool) -> str:
    """Return the course, or some of its lessons, as one HTML page.

    Args:
        root: the course's folder.
        lessons: lesson numbers such as "02"; all where there is none.
        with_answers: a teacher's copy, with the worked answers of exercises and quizzes.

    Raises:
        ExportTrouble: there is no such lesson, or nothing is built.
    """
    found = {path.name[:2]: path for path in sorted((root / "notebooks").glob("[0-9][0-9]-*.ipynb"))}
    unknown = sorted(set(lessons) - set(found))
    if unknown or not found:
        there = f"there are {', '.join(found)}" if found else "call course.py build first"
        raise ExportTrouble(f"There is no lesson {', '.join(unknown)}: {there}.")
    chosen = [nbformat.read(found[number], as_version=4) for number in sorted(set(lessons)) or found]
    texts = _texts(root)
    page = _soup(texts["cover"] + "".join(_lesson(root, nb, with_answers) for nb in chosen))
    page.find("div", class_="students" if with_answers else "teachers").decompose()
    codes = _codes_in(page)
    named = _named(codes, chosen)
    texts["verbs"] += _verbs(chosen)
    texts["codes"] += _codes(codes, named)
    texts["sources"] += _sources(named)
    texts["licences"] += _licences(root)
    for name in ("verbs", "codes", "sources", "licences"):
        page.append(_soup(_section(name, texts[name])))
    _tidy(page)
    _link(page)
    page.find(id="cover").insert_after(_soup(_section("contents", texts["contents"] + _contents(page))))
    return _whole(page)


def _soup(html: str) -> Soup:
    from bs4 import BeautifulSoup

    return BeautifulSoup(html, "html.parser")


def _section(name: str, html: str) -> str:
    """Return a part of the reader; its first word says how reader.css sets it."""
    return f'<section class="{name.partition("-")[0]}" id="{name}">{html}</section>'


def _html(nb: NotebookNode) -> str:
    """Return a notebook as HTML without prompts and styles."""
    return str(_exporter().from_notebook_node(nb)[0])


@cache
def _exporter() -> Any:
    from nbconvert import HTMLExporter

    plain = {"exclude_input_prompt": True, "exclude_output_prompt": True, "exclude_anchor_links": True}
    return HTMLExporter(template_name="basic", **plain)


def _texts(root: Path) -> dict[str, str]:
    """Return the parts of content/en/reader.md as HTML."""
    text = (root / "content" / "en" / "reader.md").read_text(encoding="utf-8").format(version=__version__)
    names = ("cover", "contents", "verbs", "codes", "sources", "licences")
    parts = dict(zip(names, re.split(r"^(?=# )", text, flags=re.MULTILINE)[1:], strict=True))
    cell = nbformat.v4.new_markdown_cell
    texts = {name: _html(nbformat.v4.new_notebook(cells=[cell(part)])) for name, part in parts.items()}
    return texts | {"cover": _section("cover", texts["cover"])}


# --- a lesson --------------------------------------------------------------------------------------------


def _lesson(root: Path, nb: NotebookNode, with_answers: bool) -> str:
    """Return a lesson as HTML with its quiz as sheets, and after it its exercises."""
    number = nb.metadata.course.lesson
    way = "---\n"  # how the last cell begins, which leads to other notebooks
    nb.cells = [cell for cell in nb.cells if not cell.source.startswith(way)]
    nb.cells[0].source = nb.cells[0].source.replace("# ", f"# {number} ", 1)
    for output in (output for cell in nb.cells for output in cell.get("outputs", [])):
        html = output.get("data", {}).get("text/html", "")
        if say("run_to_answer") in html:
            output.data = {"text/html": _sheet([bank.find(item)[0] for item in ASKED.findall(html)], False)}
    parts = [_html(nb)]
    if with_answers:
        head = f"<h2>{escape(say('title_answers', lesson=number))}</h2>"
        parts.append(_section(f"answers-{number}", head + _sheet(bank.items(number), True)))
    for path in (root / ("solutions" if with_answers else "exercises")).glob(f"{number}-*.ipynb"):
        parts.append(_section(f"exercises-{number}", _exercises(nbformat.read(path, as_version=4), number)))
    return _section(f"lesson-{number}", "".join(parts))


def _sheet(items: list[bank.Item], with_answers: bool) -> str:
    drawn = [with_answer(item) if with_answers else BUILDERS[kind(item)](item) for item in items]
    return f'<div class="quiz">{"".join(drawn)}</div>'.replace("h2>", "h3>")


def _exercises(nb: NotebookNode, number: str) -> str:
    """Return an exercise set as HTML, one level of headings lower, with the tasks' numbers in the headings."""
    nb.cells[0].source = nb.cells[0].source.replace("# ", f"# Exercises {number}: ", 1)
    for cell in nb.cells:
        told = re.fullmatch(r"statement-(\d\d)-(\d+)", cell.metadata.get("nbgrader", {}).get("grade_id", ""))
        if told:
            cell.source = cell.source.replace("## ", f"## {told[1]}.{told[2]} ", 1)
    return re.sub(r"(</?h)([1-4])\b", lambda tag: f"{tag[1]}{int(tag[2]) + 1}", _html(nb))


# --- what stands at the end ------------------------------------------------------------------------------


def _verbs(chosen: list[NotebookNode]) -> str:
    """Return a table of the words of Python: the lesson that uses each first, and the sentence that explains it."""
    rows: dict[str, tuple[str, str]] = {}
    for nb in chosen:
        text = "\n\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
        parts = [
            " ".join(part.split()) for part in re.split(r"\n\s*\n", text) if not part.startswith(("#", "|"))
        ]
        sentences = [one for part in parts for one in re.split(r"(?<=[.!?:)]) (?=[A-Z`*(])", part)]
        for verb in nb.metadata.course.verbs:
            word = re.compile(rf"`(?:pd\.|\.|\.str\.)?{verb}\b[^`]*`")
            told = next((sentence for sentence in sentences if word.search(sentence)), "")
            rows.setdefault(verb, (nb.metadata.course.lesson, told.rstrip(":")))
    cells = [
        (f"<code>{verb}</code>", f'<a href="#lesson-{lesson}">{lesson}</a>', _inline(told))
        for verb, (lesson, told) in sorted(rows.items(), key=lambda row: row[0].lower())
    ]
    return _table(("word", "lesson", "what it does"), cells)


def _inline(markdown: str) -> str:
    """Return a sentence of a lesson as HTML: code and emphasis, nothing else."""
    text = escape(markdown.strip("() "), quote=False)
    return re.sub(r"\*+([^*]+)\*+", r"\1", re.sub(r"`([^`]+)`", r"<code>\1</code>", text))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose rows begin with a heading; what is in the cells is HTML."""
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join(f"<tr><th>{row[0]}</th>{''.join(f'<td>{c}</td>' for c in row[1:])}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _codes_in(page: Soup) -> list[str]:
    """Return the codes that stand in the text: not those in tables, which a lesson looks up itself."""
    texts = (text for text in page.find_all(string=CODE) if not text.find_parent(["pre", "code", "table"]))
    return sorted({code for text in texts for code in CODE.findall(text)})


def _named(codes: list[str], chosen: list[NotebookNode]) -> pd.DataFrame:
    """Return the sources of some codes, and of those that the lessons name in their code, one row a source."""
    code = " ".join(cell.source for nb in chosen for cell in nb.cells if cell.cell_type == "code")
    known = set(load("sources")["source_id"]) & set(re.findall(r'"([\w-]+)"', code))
    return cite.table(*codes, *sorted(known | {"A", "B"}))


def _codes(codes: list[str], named: pd.DataFrame) -> str:
    """Return a table of the codes: what each says, and the numbers of its sources."""
    says = dict(_says())
    numbers: dict[str, list[str]] = {}
    for number, ids in enumerate(named["cited_for"], 1):
        for one in ids.split(", "):
            numbers.setdefault(one, []).append(f'<a href="#source-{number}">{number}</a>')
    rows = [
        (f'<span id="{code}">{code}</span>', says[code], ", ".join(numbers.get(code, ["none"])))
        for code in codes
        if code in says
    ]
    return _table(("code", "what it says", "source"), rows)


def _says() -> Iterator[tuple[str, str]]:
    """Yield every code of the tables with what it says, as HTML."""
    rows = {
        name: load(name).to_dict("records") for name in ("claims", "record_facts", "events", "claim_checks")
    }
    for row in rows["claims"]:
        yield row["claim_id"], f"Brief {row['brief']}, paragraph {row['locator']}: {escape(row['claim'])}"
    for row in rows["record_facts"]:
        yield row["fact_id"], f"{escape(row['statement'])} {_when(row['date_start'], row['date_end'])}"
    for row in rows["events"]:
        yield row["event_id"], f"{escape(row['title'])}. {_when(row['earliest'], row['latest'])}"
    for row in rows["claim_checks"]:
        yield row["check_id"], f"Check of {row['claim_id']}: {row['verdict']}. {escape(row['finding'])}"


def _when(first: pd.Timestamp, last: pd.Timestamp) -> str:
    """Return a day, or both ends of an interval, in square brackets."""
    days = [f"{day:%Y-%m-%d}" for day in (first, last) if not pd.isna(day)]
    return f"[{' to '.join(dict.fromkeys(days))}]" if days else ""


def _sources(named: pd.DataFrame) -> str:
    """Return the list of sources, numbered, with addresses in full."""
    language = load("sources").drop_duplicates("title").set_index("title")["language"]
    lines = []
    for number, (_, texts) in enumerate(named.iterrows(), 1):
        row = {key: escape(value) for key, value in texts.items()}
        title = f'<cite lang="{language.get(texts["title"], "en")}">{row["title"]}</cite>'
        parts = [row["author"], title, row["publisher"], row["date"], f"grade {row['grade']}"]
        copy = f" Copy seen: {row['seen_via']}." if row["seen_via"] else ""
        address = (
            f' <a href="{row["address"]}">{row["address"]}</a>' if row["address"].startswith("http") else ""
        )
        lines.append(f'<li id="source-{number}">{", ".join(filter(None, parts))}.{copy}{address}</li>')
    return f"<ol>{''.join(lines)}</ol>"


def _licences(root: Path) -> str:
    """Return the licence of the texts, and a table of the tables that have another."""
    text = (root / "LICENSE-CONTENT").read_text(encoding="utf-8")
    paragraphs = "".join(f"<p>{escape(' '.join(part.split()))}</p>" for part in text.split("\n\n"))
    package = json.loads((root / "data" / "datapackage.json").read_text(encoding="utf-8"))
    own = licences(package, "title")
    rows = [
        (f"<code>{table['name']}</code>", escape(licence), escape("; ".join(s["title"] for s in sources)))
        for table in package["resources"]
        for licence, sources in [(licences(table, "title"), table.get("sources", []))]
        if licence != own or sources  # the others are the course's own
    ]
    return paragraphs + _table(("table", "licence", "from"), rows)


# --- one document out of many ----------------------------------------------------------------------------


def _tidy(page: Soup) -> None:
    """Take away what belongs to a screen, and make tables, figures and links fit for paper."""
    for tag in page.find_all(["style", "script"]):
        tag.decompose()
    for tag in page.find_all("div"):
        if not KEPT & set(tag.get("class", [])):
            tag.unwrap()
    for tag in page.find_all(True):
        del tag["style"], tag["border"]
    for summary in page.find_all("summary"):
        summary.name, summary["class"] = "p", "behind"
        summary.parent.unwrap()
    for table in page.find_all("table"):
        _tidy_table(_turned(table))
    for table in page.select("figure table.narrow:not(.short)"):  # two or three of them fit side by side
        table.wrap(page.new_tag("div", attrs={"class": "columns"}))
    for link in page.find_all("a", href=re.compile(r"\.ipynb$")):
        folder, _, name = link["href"].rpartition("/")
        link["href"] = f"#{'exercises' if folder.endswith('exercises') else 'lesson'}-{name[:2]}"


def _turned(table: Soup) -> Soup:
    """Return a table that is too wide for the page with its rows as columns; any other as it is."""
    grid = [
        [escape(cell.get_text().strip()) for cell in row.find_all(["th", "td"])]
        for row in table.find_all("tr")
    ]
    if max(map(len, grid)) < TOO_WIDE:
        return table
    head, *rows = zip(*grid, strict=True)
    made = _soup(_table(head, rows).replace("<table", "<table data-turned", 1)).table
    table.replace_with(made)
    return made


def _tidy_table(table: Soup) -> None:
    """Say of a table whether it is wide or short, of its cells what they head, and what is a number or a date."""
    rows = table.find_all("tr")
    columns = max(len(row.find_all(["th", "td"])) for row in rows)
    traits = {"wide": columns >= WIDE, "narrow": columns <= NARROW, "short": len(rows) < SHORT}
    table["class"] = [name for name, has in traits.items() if has]
    for cell in table.find_all(["th", "td"]):
        text = cell.get_text().strip()
        if cell.name == "th" and text:
            cell["scope"] = "col" if cell.find_parent("thead") else "row"
        elif cell.name == "th":
            cell.name = "td"  # the corner above the names of rows heads nothing
        elif re.fullmatch(r"[-−]?[\d.,]+|\d{4}-\d\d-\d\d", text):
            cell["class"] = "date" if "-" in text[1:] else "number"


def _link(page: Soup) -> None:
    """Make a link of each code that the reader explains, and plain text of links to what it does not hold."""
    known = {tag["id"] for tag in page.find_all(id=True)}
    for text in page.find_all(string=CODE):
        if not text.find_parent(["a", "pre", "code", "h1", "h2", "h3", "span"]):
            text.replace_with(
                _soup(CODE.sub(lambda code: _code_link(code[0], known), escape(text, quote=False)))
            )
    for link in page.find_all("a", href=re.compile("^#")):
        if link["href"][1:] not in known:
            link.unwrap()


def _code_link(code: str, known: set[str]) -> str:
    return f'<a class="code" href="#{code}">{code}</a>' if code in known else code


def _contents(page: Soup) -> str:
    """Return the list of parts with links; answers and exercises stand below their lesson."""
    lines = []
    for part in page.find_all("section", id=True, recursive=False)[1:]:
        below = "".join(f"<li>{_entry(inner)}</li>" for inner in part.find_all("section", id=True))
        lines.append(f"<li>{_entry(part)}{f'<ul>{below}</ul>' if below else ''}</li>")
    return f"<nav><ul>{''.join(lines)}</ul></nav>"


def _entry(part: Soup) -> str:
    return f'<a href="#{part["id"]}"><span>{escape(part.find(["h1", "h2"]).get_text())}</span></a>'


def _whole(page: Soup) -> str:
    """Return the document: head, style, and a running head for each part."""
    title = page.h1.get_text()
    style = Path(__file__).with_name("reader.css").read_text(encoding="utf-8")
    for part in page.find_all("section", id=True, recursive=False)[1:]:
        name, running = part["id"], json.dumps(part.h1.get_text(), ensure_ascii=False).replace("<", "")
        style += f"#{name} {{ page: {name}; }} @page {name} {{ @top-right {{ content: {running}; }} }}\n"
    style += f".quiz {{ {ITEMS.replace('h2', 'h3')} }}\n"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head>{head}<style>\n{style}</style></head>\n'
        f"<body><main>{page}</main></body></html>\n"
    )
