"""Keep data/ honest: checksums, the codebook, and checks that name table, row and column.

Frictionless validates what datapackage.json declares (types, constraints, keys). `property_faults` adds what a
table schema cannot say: intervals that run backwards, a precision that does not fit, rows without a source.
"""

import csv
import hashlib
import json
from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from sahel_teacher.nb import write_text

Row = dict[str, str]
Tables = dict[str, list[Row]]

# Every paragraph, box, caption and bottom line of the two briefs: none may be left without a claim.
PARAGRAPHS = {
    "A": [*(f"SB{n}" for n in range(1, 5)), *(f"S{n}" for n in range(1, 10))],
    "B": [*(f"D{n}" for n in range(1, 21)), "R1", "R2", "R3", "DB1", "DB2", "DC"],
}


# --- datapackage.json and CODEBOOK.md --------------------------------------------------------------------


def seal(root: Path, check: bool = False) -> list[str]:
    """Bring checksums, row counts and CODEBOOK.md up to date with the tables.

    Args:
        root: the course's folder.
        check: only say what is out of date, and change nothing.

    Returns:
        One message per file that was (or with check: would be) changed.
    """
    path = root / "data" / "datapackage.json"
    package = json.loads(path.read_text(encoding="utf-8"))
    for resource in package["resources"]:
        stamp(resource, (root / "data" / resource["path"]).read_bytes())
    new = {path: json.dumps(package, ensure_ascii=False, indent=1) + "\n"}
    new[root / "data" / "CODEBOOK.md"] = codebook(package, root / "data")
    return [_put(name, text, check) for name, text in new.items() if not _same(name, text)]


def stamp(resource: dict[str, Any], content: bytes) -> None:
    """Put checksum and size of a table into its entry in datapackage.json."""
    resource["hash"] = "sha256:" + hashlib.sha256(content).hexdigest()
    resource["bytes"] = len(content)


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _put(path: Path, text: str, check: bool) -> str:
    if check:
        return f"{path.parent.name}/{path.name} is not what the tables give: run course.py build"
    write_text(path, text)
    return f"{path.parent.name}/{path.name} written"


def codebook(package: dict[str, Any], folder: Path) -> str:
    """Return the text of CODEBOOK.md: for each table what a row is, how it was coded, its limits and columns."""
    parts = [
        "# Codebook",
        "Built from `datapackage.json` by `course.py build`; change that file, not this one.",
        package["description"],
        "Two kinds of dates: in `record_facts`, `date_start` and `date_end` say **how long** a thing lasted. In "
        "`events` and `partnerships`, two dates bound **one moment that we do not know exactly**.",
        "| table | rows | one row is | licence |\n|---|---|---|---|\n"
        + "\n".join(
            f"| [{r['name']}](#{r['name']}) | {_row_count(r, folder)} | {r['row']} | {licences(r, 'name')} |"
            for r in package["resources"]
        ),
    ]
    parts += [_codebook_entry(resource) for resource in package["resources"]]
    return "\n\n".join(parts) + "\n"


def _row_count(resource: dict[str, Any], folder: Path) -> int:
    path = folder / resource["path"]
    if "schema" in resource:
        return len(_read(path))
    return len(json.loads(path.read_text(encoding="utf-8"))["features"])


def licences(resource: dict[str, Any], part: str) -> str:
    """Return the name, title or path of a table's licences, or of those of the whole package, as one text."""
    return ", ".join(licence[part] for licence in resource["licenses"])


def _codebook_entry(resource: dict[str, Any]) -> str:
    schema = resource.get("schema", {"fields": []})
    references = {key["fields"][0]: key["reference"] for key in schema.get("foreignKeys", [])}
    lines = [f"## {resource['name']}", f"**{resource['title']}.** One row is {resource['row']}."]
    lines += [resource[part] for part in ("coding", "limits") if resource[part]]
    lines.append(f"Licence: {licences(resource, 'title')}.")
    rows = ["| column | type | meaning |", "|---|---|---|"]
    for field in schema["fields"]:
        meaning = field["description"]
        values = field.get("constraints", {}).get("enum")
        if values:
            meaning += " One of: " + ", ".join(values) + "."
        if field["name"] in references:
            reference = references[field["name"]]
            meaning += f" Key to `{reference['resource'] or resource['name']}`."
        rows.append(f"| {field['name']} | {field['type']} | {meaning} |")
    return "\n\n".join([*lines, "\n".join(rows)] if schema["fields"] else lines)


# --- faults ----------------------------------------------------------------------------------------------


def faults(folder: Path) -> list[str]:
    """Return every fault of the tables in a data folder, one sentence each; an empty list where all is well."""
    found = schema_faults(folder)
    return found or property_faults(folder)  # what is malformed would only fail again, less clearly


def schema_faults(folder: Path, names: set[str] | None = None) -> list[str]:
    """Return what frictionless finds against datapackage.json: types, constraints, keys, foreign keys.

    Args:
        folder: the folder with datapackage.json.
        names: the tables to look at; all where None.
    """
    from frictionless import Package, system

    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    if names is not None:
        _keep(package, names)
    for resource in package["resources"]:
        resource.pop(
            "hash", None
        )  # checksums are for a reader's copy; here the rows themselves are looked at
        resource.pop("bytes", None)
    with system.use_context(trusted=True):
        report = Package.from_descriptor(package, basepath=str(folder)).validate()
    return [_schema_message(task.name, error) for task in report.tasks for error in task.errors] + [
        f"datapackage.json: {error.note}" for error in report.errors
    ]


def _keep(package: dict[str, Any], names: set[str]) -> None:
    """Leave in a package these tables, and those to which they refer without keys of their own."""
    keys = {r["name"]: r.get("schema", {}).pop("foreignKeys", []) for r in package["resources"]}
    referred = {key["reference"]["resource"] for name in names for key in keys[name]}
    package["resources"] = [r for r in package["resources"] if r["name"] in names | referred]
    for resource in package["resources"]:
        if resource["name"] in names:
            resource["schema"]["foreignKeys"] = keys[resource["name"]]


# Where frictionless names the fault by its kind only.
CELLS = {
    "extra-cell": "more cells than columns: a text with a comma needs quotation marks around it",
    "missing-cell": "the row ends before this column: commas or quotation marks are missing",
    "type-error": "not of the type that the codebook gives (a date is written 2023-07-26)",
}


def _schema_message(table: str, error: Any) -> str:
    row = getattr(error, "row_number", None)
    column = getattr(error, "field_name", None) or ", ".join(getattr(error, "field_names", []) or [])
    place = f"{table}.csv" + (f", row {row}" if row else "") + (f", column {column}" if column else "")
    return f"{place}: {CELLS.get(error.type, error.note)}"


def _read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def property_faults(folder: Path) -> list[str]:
    """Return what the tables promise beyond their schema and do not keep."""
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    tables = read_tables(package, folder)
    return [*row_faults(tables), *coverage_faults(tables)]


def read_tables(package: dict[str, Any], folder: Path) -> Tables:
    """Return the rows of all tables as text; a table that the package does not have has no rows."""
    found = {r["name"]: _read(folder / r["path"]) for r in package["resources"] if "schema" in r}
    return defaultdict(list, found)


def row_faults(tables: Tables) -> list[str]:
    """Return the rows that break a promise; each sentence begins with table, row and column."""
    return [fault for check in CHECKS for fault in check(tables)]


def _place(table: str, number: int, column: str) -> str:
    return f"{table}.csv, row {number}, column {column}"


def _rows(tables: Tables, name: str) -> Iterator[tuple[int, Row]]:
    yield from enumerate(tables[name], start=2)  # row 1 is the header, as a spreadsheet shows it


def order_faults(tables: Tables) -> Iterator[str]:
    """Dates that run backwards."""
    pairs = [
        ("events", "earliest", "latest"),
        ("record_facts", "date_start", "date_end"),
        ("partnerships", "start_earliest", "start_latest"),
        ("partnerships", "end_earliest", "end_latest"),
        ("partnerships", "start_earliest", "end_latest"),
        ("forecast_questions", "asked_as_of", "closes"),
    ]
    for table, first, last in pairs:
        for number, row in _rows(tables, table):
            if row[first] and row[last] and row[first] > row[last]:
                yield f"{_place(table, number, last)}: {row[last]} lies before {first} {row[first]}"


def precision_of(earliest: date, latest: date) -> str:
    """Return the precision that two dates have: day, month, year or interval."""
    if earliest == latest:
        return "day"
    whole_months = earliest.day == 1 and latest.day == monthrange(latest.year, latest.month)[1]
    if whole_months and (earliest.year, earliest.month) == (latest.year, latest.month):
        return "month"
    if whole_months and earliest.year == latest.year and (earliest.month, latest.month) == (1, 12):
        return "year"
    return "interval"


def precision_faults(tables: Tables) -> Iterator[str]:
    """A precision that does not fit the width of the interval, or an interval without its reason."""
    for number, row in _rows(tables, "events"):
        fits = precision_of(date.fromisoformat(row["earliest"]), date.fromisoformat(row["latest"]))
        if row["precision"] != fits:
            yield f"{_place('events', number, 'precision')}: the dates make it {fits}, not {row['precision']}"
        if row["precision"] == "interval" and not row["interval_reason"]:
            yield f"{_place('events', number, 'interval_reason')}: an interval needs its reason"


def break_faults(tables: Tables) -> Iterator[str]:
    """A break between partners without mover, target or act, or an act on something that is no break."""
    for number, row in _rows(tables, "events"):
        for column in ("moved_by", "moved_against", "act"):
            if (row["type"] == "break") != bool(row[column]):
                wrong = "missing for a break" if row["type"] == "break" else "filled, and this is no break"
                yield f"{_place('events', number, column)}: {wrong}"


def either_or_faults(tables: Tables) -> Iterator[str]:
    """A row that must rest on exactly one claim or dated fact, and rests on both or neither."""
    for table in ("partnership_evidence", "explanation_sources", "evidence"):
        for number, row in _rows(tables, table):
            if bool(row["claim_id"]) == bool(row["fact_id"]):
                yield f"{_place(table, number, 'claim_id')}: fill exactly one of claim_id and fact_id"


def end_faults(tables: Tables) -> Iterator[str]:
    """A spell of presence whose end is half known."""
    for number, row in _rows(tables, "partnerships"):
        if bool(row["end_earliest"]) != bool(row["end_latest"]):
            yield f"{_place('partnerships', number, 'end_latest')}: give both ends or neither"
        if row["peak_strength"] and not row["peak_when"]:
            yield f"{_place('partnerships', number, 'peak_when')}: a strength needs the date of its count"


def orphan_faults(tables: Tables) -> Iterator[str]:
    """A row that nothing backs, or that lacks what every row of its table must have."""
    needs: list[tuple[str, str, list[tuple[str, dict[str, str]]]]] = [
        ("events", "event_id", [("event_facts", {}), ("event_claims", {})]),
        ("resolutions", "question_id", [("resolution_facts", {})]),
        ("perception_statements", "statement_id", [("perception_codings", {"coder": "course"})]),
        ("partnerships", "partnership_id", [("partnership_evidence", {"part": "start"})]),
    ]
    for relation in ("finding", "assumption", "indicator", "sign of failure"):
        needs.append(
            ("recommendations", "recommendation_id", [("recommendation_links", {"relation": relation})])
        )
    for table, key, backing in needs:
        backed = {
            row[key]
            for name, where in backing
            for row in tables[name]
            if all(row[column] == value for column, value in where.items())
        }
        for number, row in _rows(tables, table):
            if row[key] not in backed:
                names = " or ".join(f"{name} {' '.join(where.values())}".strip() for name, where in backing)
                yield f"{_place(table, number, key)}: {row[key]} has no row in {names}"


def ended_faults(tables: Tables) -> Iterator[str]:
    """A spell of presence whose end, ender or peak no claim or fact backs."""
    backed = {(row["partnership_id"], row["part"]) for row in tables["partnership_evidence"]}
    for number, row in _rows(tables, "partnerships"):
        for column, part in (("end_latest", "end"), ("ended_by", "ended_by"), ("peak_strength", "peak")):
            if row[column] and (row["partnership_id"], part) not in backed:
                yield f"{_place('partnerships', number, column)}: no row in partnership_evidence backs it"


def check_faults(tables: Tables) -> Iterator[str]:
    """A verdict of contradicted without the sources it needs, or a source that is not the fact's own."""
    sources = {row["source_id"]: row for row in tables["sources"]}
    facts = {row["fact_id"]: row["source_id"] for row in tables["record_facts"]}
    used: dict[str, set[str]] = {}
    for number, row in _rows(tables, "check_sources"):
        used.setdefault(row["check_id"], set()).add(row["source_id"])
        if row["fact_id"] and facts[row["fact_id"]] != row["source_id"]:
            yield f"{_place('check_sources', number, 'source_id')}: {row['fact_id']} rests on another source"
    for number, row in _rows(tables, "claim_checks"):
        found = [sources[source] for source in used.get(row["check_id"], ())]
        strong = any(s["grade"] == "A" or s["kind"] in ("agency or institute", "primary text") for s in found)
        if row["verdict"] == "contradicted" and not strong and len({s["publisher"] for s in found}) < 2:
            yield (
                f"{_place('claim_checks', number, 'verdict')}: contradicted needs a primary source, an agency or "
                "two independent sources"
            )
        if row["verdict"] != "unverified" and row["basis"] != "inference" and not found:
            yield f"{_place('claim_checks', number, 'check_id')}: {row['verdict']} and no source in check_sources"


def coverage_faults(tables: Tables) -> Iterator[str]:
    """A paragraph of a brief that no claim covers: said of the whole table, not of a row."""
    covered = {(row["brief"], row["locator"]) for row in tables["claims"]}
    for brief, paragraphs in PARAGRAPHS.items():
        for paragraph in paragraphs:
            if (brief, paragraph) not in covered:
                yield f"claims.csv, column locator: no claim for paragraph {paragraph} of brief {brief}"


def claim_faults(tables: Tables) -> Iterator[str]:
    """An id of the wrong brief, or a repetition that leads nowhere."""
    rows = {row["claim_id"]: row for row in tables["claims"]}
    for number, row in _rows(tables, "claims"):
        if (row["claim_id"] < "C200") != (row["brief"] == "A"):
            yield f"{_place('claims', number, 'claim_id')}: brief A has C001 to C199, brief B C201 on"
        other = rows.get(row["repeats"])
        if other and (other["brief"] != row["brief"] or other["repeats"]):
            yield f"{_place('claims', number, 'repeats')}: {row['repeats']} is no first wording in the same brief"


def forecast_faults(tables: Tables) -> Iterator[str]:
    """A question resolved before it was asked."""
    asked = {row["question_id"]: row["asked_as_of"] for row in tables["forecast_questions"]}
    for number, row in _rows(tables, "resolutions"):
        if row["published_from"] <= asked[row["question_id"]]:
            yield f"{_place('resolutions', number, 'published_from')}: the answer was public when it was asked"


CHECKS: list[Callable[[Tables], Iterator[str]]] = [
    order_faults,
    precision_faults,
    break_faults,
    either_or_faults,
    end_faults,
    orphan_faults,
    ended_faults,
    check_faults,
    claim_faults,
    forecast_faults,
]
