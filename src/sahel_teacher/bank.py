"""Check the quiz bank that people write (YAML) and build the JSON that the student package reads."""

import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from sahel.quizzes.marking import number_range
from sahel_teacher.errors import BuildError
from sahel_teacher.maps import country_names, drawn
from sahel_teacher.nb import write_text

Item = dict[str, Any]
Rows = dict[str, tuple[dict[str, Any], dict[str, str]]]

BUILT = Path("src/sahel/built")
CONTENT = Path("content/en")
FEW = 2  # from so many single-choice items on, the place and the length of the right answer are looked at


def build_quizzes(root: Path, check: bool = False) -> list[str]:
    """Build src/sahel/built/quizzes/NN.json and words.json from content/en.

    Args:
        root: the course's folder.
        check: change nothing, and say what is not as its sources give (drift).

    Returns:
        One line per file that was (or with check: would be) written or deleted.

    Raises:
        BuildError: the bank has faults; the message has one line for each.
    """
    banks, problems = read_banks(root)
    if problems:
        raise BuildError("\n".join(problems))
    rows = table_rows(root / "data")
    new = {root / BUILT / "words.json": _read_yaml(root / CONTENT / "words.yaml", root)}
    for path, bank in banks.items():
        headings = _headings(root, bank["lesson"])
        items = [_built(_with_map(item, root), rows, headings) for item in bank["items"]]
        target = root / BUILT / "quizzes" / f"{path.name[:2]}.json"
        roles = [{"id": role, "name": rows[role][1]["name"]} for role in bank.get("roles", [])]
        head = {"version": 1, "lesson": bank["lesson"]} | ({"roles": roles} if roles else {})
        new[target] = {**head, "items": items}
    lines = [line for path, data in new.items() for line in _put(path, data, root, check)]
    for path in sorted((root / BUILT / "quizzes").glob("*.json")):
        if path not in new:
            lines.append(
                f"{path.relative_to(root).as_posix()} has no source: " + ("delete it", "deleted")[not check]
            )
            if not check:
                path.unlink()
    return lines


def read_banks(root: Path) -> tuple[dict[Path, dict[str, Any]], list[str]]:
    """Return the banks by file, and every fault found in them, one sentence each with file, line and item."""
    schema = json.loads((root / CONTENT / "quizzes" / "schema.json").read_text(encoding="utf-8"))
    rows = table_rows(root / "data")
    banks: dict[Path, dict[str, Any]] = {}
    problems: list[str] = []
    for path in sorted((root / CONTENT / "quizzes").glob("*.yaml")):
        try:
            bank = _read_yaml(path, root)
        except BuildError as error:
            problems.append(str(error))
            continue
        found = list(_schema_faults(bank, schema))
        if not found:
            banks[path] = bank
            found = [
                *_form_faults(path, bank),
                *_reference_faults(bank, rows, _headings(root, bank["lesson"])),
                *_country_faults(bank, root),
            ]
        lines = _item_lines(path)
        for number, sentence in found:
            where = path.relative_to(root).as_posix()
            if number is not None:
                where += f", line {lines[number]}, item {_name(bank, number)}"
            problems.append(f"{where}: {sentence}")
    return banks, problems + list(_faults_between(banks, root))


# --- reading ---------------------------------------------------------------------------------------------


def _read_yaml(path: Path, root: Path) -> Any:
    """Read a YAML file; dates come as text. Raises BuildError with the line where it cannot be read."""
    where = path.relative_to(root).as_posix()
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BuildError(f"{where} is missing.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it is not UTF-8 text or not YAML"
        raise BuildError(f"{where}{line}: cannot be read as YAML: {problem}.") from error
    return _dates_as_text(found)


def _dates_as_text(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _dates_as_text(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_dates_as_text(value) for value in part]
    return part.isoformat() if isinstance(part, date) else part


def _item_lines(path: Path) -> list[int]:
    """Return the line on which each item of a bank begins."""
    node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        return []
    lists = [value for key, value in node.value if key.value == "items"]
    return [
        item.start_mark.line + 1 for items in lists for item in items.value if isinstance(item, yaml.Node)
    ]


def _name(bank: Any, number: int) -> str:
    item = bank["items"][number]
    return str(item.get("id", number + 1)) if isinstance(item, dict) else str(number + 1)


def table_rows(folder: Path) -> Rows:
    """Return every row that has an id of its own, by id: (what datapackage.json says of its table, the row)."""
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    found: Rows = {}
    for resource in package["resources"]:
        schema = resource.get("schema", {})  # a map has none
        key = schema.get("primaryKey", [])
        borrowed = [foreign["fields"] for foreign in schema.get("foreignKeys", [])]
        if len(key) == 1 and key not in borrowed and resource["path"].endswith(".csv"):
            with (folder / resource["path"]).open(encoding="utf-8", newline="") as file:
                found |= {row[key[0]]: (resource, row) for row in csv.DictReader(file)}
    return found


def _headings(root: Path, lesson: str) -> dict[str, str] | None:
    """Return the headings of a lesson by anchor (small letters, hyphens), or None where it has no source yet."""
    sources = sorted((root / CONTENT / "lessons").glob(f"{lesson}-*.md"))
    if not sources:
        return None
    text = re.sub(r"^```.*?^```", "", sources[0].read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ +(.+?) *$", text, flags=re.MULTILINE)
    return {_anchor(title): title for title in titles}


def _anchor(title: str) -> str:
    """Return the anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


# --- faults ----------------------------------------------------------------------------------------------


def _schema_faults(bank: Any, schema: dict[str, Any]) -> Iterator[tuple[int | None, str]]:
    """Yield what the schema refuses, in words: (position of the item or None, sentence)."""
    validator = jsonschema.Draft202012Validator(schema)
    for error in sorted(validator.iter_errors(bank), key=lambda e: [str(step) for step in e.absolute_path]):
        path = list(error.absolute_path)
        number = int(path[1]) if len(path) > 1 and path[0] == "items" else None
        steps = path[2:] if number is not None else path
        where = " ".join(str(s + 1) if isinstance(s, int) else str(s) for s in steps)
        yield number, f"{where}: {_in_words(error)}" if where else _in_words(error)


def _in_words(error: jsonschema.ValidationError) -> str:
    """Return a schema error as a sentence that says what to do."""
    kind, wanted, got = error.validator, error.validator_value, error.instance
    schema = error.schema if isinstance(error.schema, dict) else {}
    said = f"{error.message}."
    if kind == "not":  # the schema writes "never" as {"not": {}}
        said = schema.get("description", "does not belong in an item of this type.")
    elif kind in ("minItems", "maxItems"):
        said = f"has {len(got)} entries; it needs at {'least' if kind == 'minItems' else 'most'} {wanted}."
    elif kind == "type" and wanted == "string" and isinstance(got, int | float):
        said = f"YAML reads this as {got}, not as text: write it in quotation marks."
    elif kind == "required":
        said = f"missing: {', '.join(key for key in wanted if key not in got)}."
    elif kind == "additionalProperties":
        known = schema["properties"]
        said = (
            f"unknown: {', '.join(str(key) for key in got if key not in known)}. Known: {', '.join(known)}."
        )
    elif kind == "enum":
        said = f"{got!r} is none of: {', '.join(map(str, wanted))}."
    elif kind == "pattern":
        said = f"{got!r} does not fit. {schema.get('description', '')}" if got.strip() else "is blank."
    return said


def _form_faults(path: Path, bank: dict[str, Any]) -> Iterator[tuple[int | None, str]]:
    """Yield what makes an item answerable from its form, or not at all."""
    lesson = bank["lesson"]
    if not re.match(rf"{lesson}-[a-z0-9-]+\.yaml$", path.name):
        yield None, f"lesson is {lesson}, so the file's name must be {lesson}-slug.yaml."
    for number, item in enumerate(bank["items"]):
        if item["id"][:2] != lesson:
            yield number, f"the id must begin with {lesson}, the lesson's number."
        if item.get("played") and not bank.get("roles"):
            yield number, "played: list roles above the items of this bank, as ids of data/actors.csv."
        right = [option.get("right", False) for option in item.get("options", [])]
        if item["type"] == "single" and not item.get("played") and sum(right) != 1:
            yield number, f"exactly one option must be right, not {sum(right)}."
        right += [country["right"] for country in item.get("countries", [])]
        if item["type"] in ("multiple", "region") and not any(right):
            yield number, "at least one option must be right."
        if item["type"] in ("multiple", "region") and all(right):
            yield number, "at least one option must not be right, or choosing all earns everything."
        yield from ((number, sentence) for sentence in [*_pair_faults(item), *_number_faults(item)])
        texts = [part["text"].casefold().strip() for part in _parts(item)]
        if len(set(texts)) < len(texts):
            yield number, "two options, slots or lines have the same text."
        try:
            date.fromisoformat(item["as_of"])
        except ValueError:
            yield number, f"as_of: {item['as_of']} is no day of the calendar."
    single = [i["options"] for i in bank["items"] if i["type"] == "single" and not i.get("played")]
    if len(single) >= FEW:
        places = {[o["right"] for o in options].index(True) for options in single if _one_right(options)}
        if len(places) == 1:
            yield (
                None,
                f"the right answer of every single-choice item stands in place {places.pop() + 1}: vary it.",
            )
        if all(_right_is_longest(options) for options in single):
            yield None, "the right answer of every single-choice item is the longest: lengthen wrong ones."


def _pair_faults(item: Item) -> Iterator[str]:
    """Yield what is wrong with the lines of match and classify."""
    pairs, choices = item.get("pairs", []), item.get("choices", [])
    for place, pair in enumerate(pairs, 1):
        named = [pair["goes"], *pair.get("mistakes", {})]
        for unknown in [text for text in named if text not in choices]:
            yield f"pairs {place}: {unknown!r} is none of the choices: {', '.join(choices)}."
        if pair["goes"] in named[1:]:
            yield f"pairs {place}: mistakes: {pair['goes']!r} is where the line goes, so it is no mistake."
    places = [choices.index(pair["goes"]) for pair in pairs if pair["goes"] in choices]
    if pairs and places in (sorted(places), sorted(places, reverse=True)):
        yield "the lines go with the choices in the order in which they stand: mix them."


def _number_faults(item: Item) -> Iterator[str]:
    """Yield what is wrong with the numbers of a number item."""
    numbers = item.get("numbers", [])
    right = sum(entry["right"] for entry in numbers)
    if numbers and right != 1:
        yield f"numbers: exactly one must be right, not {right}."
    ranges = sorted((*number_range(entry), place) for place, entry in enumerate(numbers, 1))
    for low, high, place in ranges:
        if low > high:
            yield f"numbers {place}: from is more than to."
    for (_, high, place), (low, _, other) in pairwise(ranges):
        if low <= high:
            yield f"numbers {min(place, other)} and {max(place, other)} overlap."


def _country_faults(bank: dict[str, Any], root: Path) -> Iterator[tuple[int | None, str]]:
    """Yield countries that the map does not have, and those named twice."""
    for number, item in enumerate(bank["items"]):
        codes = Counter(country["region"] for country in item.get("countries", []))
        names = country_names(root) if codes else {}
        for code, times in codes.items():
            if code not in names:
                yield number, f"countries: {code} is not on the map. It has: {', '.join(names)}."
            if times > 1:
                yield number, f"countries: {code} stands there {times} times."


def _parts(item: Item) -> list[dict[str, Any]]:
    """Return what can be chosen, ordered or placed."""
    return item.get("options") or item.get("slots") or item.get("pairs") or []


def _one_right(options: list[dict[str, Any]]) -> bool:
    return sum(option["right"] for option in options) == 1


def _right_is_longest(options: list[dict[str, Any]]) -> bool:
    lengths = sorted((len(option["text"]), option["right"]) for option in options)
    return bool(lengths[-1][1]) and lengths[-1][0] > lengths[-2][0]


def _reference_faults(
    bank: dict[str, Any], rows: Rows, headings: dict[str, str] | None
) -> Iterator[tuple[int | None, str]]:
    """Yield ids that are in no table, roles that are no actors, places that are no heading of the lesson."""
    for role in bank.get("roles", []):
        if role not in rows or rows[role][0]["name"] != "actors":
            yield None, f"roles: {role} is no row of actors."
    for number, item in enumerate(bank["items"]):
        unknown = [row_id for row_id in item["ids"] if row_id not in rows]
        if unknown:
            yield number, f"ids: {', '.join(unknown)} in no table of data/."
        if "question" in item and not _is_forecast(item["question"], rows):
            yield number, f"question: {item['question']} is no row of forecast_questions."
        place = item.get("place")
        if place and headings is not None and place not in headings:
            yield (
                number,
                f"place: {place} is no heading of lesson {bank['lesson']}. It has: {', '.join(headings)}.",
            )


def _is_forecast(row_id: str, rows: Rows) -> bool:
    return row_id in rows and rows[row_id][0]["name"] == "forecast_questions"


def _faults_between(banks: dict[Path, dict[str, Any]], root: Path) -> Iterator[str]:
    """Yield what is wrong between items: the same id twice, a twin that does not exist."""
    items = [
        (path.relative_to(root).as_posix(), item) for path, bank in banks.items() for item in bank["items"]
    ]
    ids = Counter(item["id"] for _, item in items)
    for where, item in items:
        if ids[item["id"]] > 1:
            yield f"{where}, item {item['id']}: {ids[item['id']]} items have this id."
        if "twin" in item and (item["twin"] == item["id"] or item["twin"] not in ids):
            yield f"{where}, item {item['id']}: twin: {item['twin']} is no other item."


# --- building --------------------------------------------------------------------------------------------


def _with_map(item: Item, root: Path) -> Item:
    """Return an item of countries with its map and with options as in multiple choice; any other as it is."""
    if "countries" not in item:
        return item
    names = country_names(root)
    countries = sorted(item["countries"], key=lambda country: names[country["region"]])
    outlines, box, rest = drawn(root, [country["region"] for country in countries])
    options = [{"text": names[c["region"]], **c, "outline": outlines[c["region"]]} for c in countries]
    kept = {key: value for key, value in item.items() if key != "countries"}
    return {**kept, "options": options, "map": {"box": box, "rest": rest}}


def _built(item: Item, rows: Rows, headings: dict[str, str] | None) -> Item:
    """Return an item as the student package reads it: with its sources, its heading's words and a revision."""
    built = {**item, "sources": _sources(item["ids"], rows)}
    if "place" in item:
        built["place"] = (headings or {}).get(item["place"], item["place"].replace("-", " "))
    if "question" in item:
        row = rows[item["question"]][1]
        built |= {
            "stem": row["question"],
            "asked": row["asked_as_of"],
            "closes": row["closes"],
            "rule": row["rule"],
        }
    # Answers are kept by position: they hold as long as what can be chosen, and what is right, is the same.
    parts = [[p["text"], p.get("goes", p.get("right", True))] for p in _parts(item)]
    core = [item["type"], parts, item.get("question", "")]
    if "choices" in item:
        core.append(item["choices"])
    if "numbers" in item:
        right = [str(edge) for entry in item["numbers"] if entry["right"] for edge in number_range(entry)]
        core.append([item["unit"], right])
    built["rev"] = hashlib.sha256(json.dumps(core, ensure_ascii=False).encode()).hexdigest()[:8]
    return built


def _sources(ids: list[str], rows: Rows) -> list[str]:
    """Return how the rows of an item are cited below its feedback, those of one source or table together."""
    found: dict[str, list[str]] = {}
    for row_id in ids:
        form, part = _source(row_id, rows)
        found.setdefault(form, []).append(part)
    return [form.replace("{}", ", ".join(dict.fromkeys(parts))) for form, parts in found.items()]


def _source(row_id: str, rows: Rows) -> tuple[str, str]:
    """Return a form with {} and what fills it: brief and paragraph, publisher and fact, or table and id."""
    resource, row = rows[row_id]
    if resource["name"] == "claims":
        return f"Brief {row['brief']}, {{}}", row["locator"]
    if resource["name"] == "record_facts":
        source = rows[row["source_id"]][1]
        return f"{', '.join(part for part in (source['publisher'], source['date']) if part)} ({{}})", row_id
    if resource["name"] == "sources":
        return f"{row['publisher']}: {{}}", row["title"]
    if resource["name"] == "events":
        return "Event {}", f"{row_id} ({row['title']})"
    return f"{resource['title']}, {{}}", row_id


def _put(path: Path, data: Any, root: Path, check: bool) -> list[str]:
    """Write data as JSON where the file does not hold it yet; return one line if so."""
    text = json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return []
    name = path.relative_to(root).as_posix()
    if check:
        return [f"{name} is not what its source gives: run course.py build"]
    write_text(path, text)
    return [f"{name} written"]
