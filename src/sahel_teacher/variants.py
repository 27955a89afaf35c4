"""Make fresh data for grading: a variant of the tables in which the same question has another answer.

A recipe is a list of steps, done in order (see `OPERATIONS`): rows left out, values shuffled, numbers scaled,
dates moved. The same recipe and seed always give the same bytes. A variant keeps every rule of
datapackage.json and of `sahel_teacher.tables`: a row that a step leaves without what it refers to goes too, and
so does a row that would break a rule. A variant is for grading only: its rows say nothing about the world.
"""

import csv
import json
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sahel_teacher.errors import BuildError
from sahel_teacher.tables import Row, Tables, read_tables, row_faults, stamp

# What each operation needs beside `table` and its own columns or share.
OPERATIONS: dict[str, set[str]] = {"drop": set(), "permute": {"within"}, "scale": {"by"}, "shift": {"days"}}
TYPES = {"scale": ("integer", "number"), "shift": ("date",)}
PLACE = re.compile(r"(\w+)\.csv, row (\d+),")


def make_variant(data: Path, recipe: list[dict[str, Any]], seed: int, target: Path) -> None:
    """Write a whole data folder, to which `SAHEL_DATA` can point, with the tables changed by a recipe.

    Args:
        data: the folder with datapackage.json and the tables.
        recipe: steps such as {"table": "violence", "scale": ["deaths_best"], "by": 0.3}.
        seed: any whole number; a mark can be reproduced from it.
        target: a folder that is not there yet.

    Raises:
        BuildError: the recipe names what does not exist, or changes nothing; nothing is written then.
        FileExistsError: the target is there.
    """
    package = json.loads((data / "datapackage.json").read_text(encoding="utf-8"))
    schemas = {r["name"]: r["schema"] for r in package["resources"] if "schema" in r}
    check_recipe(recipe, schemas)
    tables = read_tables(package, data)
    before = {name: [dict(row) for row in rows] for name, rows in tables.items()}
    for place, step in enumerate(recipe):
        operation = next(name for name in OPERATIONS if name in step)
        _DO[operation](tables, schemas[step["table"]], step, random.Random(f"{seed}/{place}"))
        _settle(tables, schemas)
    changed = {name for name in before if tables[name] != before[name]}
    if not changed:
        raise BuildError(f"the recipe {recipe} changes nothing with seed {seed}")
    target.mkdir(parents=True)
    for resource in package["resources"]:
        path = target / resource["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        if resource["name"] in changed:
            _write(path, tables[resource["name"]], resource["schema"])
            stamp(resource, path.read_bytes())
        else:
            shutil.copyfile(data / resource["path"], path)
    text = json.dumps(package, ensure_ascii=False, indent=1) + "\n"
    (target / "datapackage.json").write_text(text, encoding="utf-8", newline="\n")


def changed_tables(data: Path, variant: Path) -> set[str]:
    """Return the names of the tables that differ, and of those that refer to one of them."""
    old, new = (
        {r["name"]: r for r in json.loads((folder / "datapackage.json").read_text("utf-8"))["resources"]}
        for folder in (data, variant)
    )
    changed = {name for name in new if new[name]["hash"] != old[name]["hash"]}
    keys = {name: r.get("schema", {}).get("foreignKeys", []) for name, r in new.items()}
    return changed | {
        name for name, those in keys.items() if any(key["reference"]["resource"] in changed for key in those)
    }


@contextmanager
def reading(data: Path | None) -> Iterator[None]:
    """Let `load` read the tables of this folder for a while (None: those it reads anyway)."""
    old = os.environ.get("SAHEL_DATA")
    if data is not None:
        os.environ["SAHEL_DATA"] = str(data)
    try:
        yield
    finally:
        if data is not None:
            os.environ.pop("SAHEL_DATA")
        if old is not None:
            os.environ["SAHEL_DATA"] = old


# --- recipes ---------------------------------------------------------------------------------------------


def check_recipe(recipe: Any, schemas: dict[str, Any]) -> None:
    """Raise BuildError, with one sentence, where a recipe is not a list of steps that the tables allow."""
    if not isinstance(recipe, list) or not recipe or not all(isinstance(step, dict) for step in recipe):
        raise BuildError("a recipe is a list of steps such as {table: violence, drop: 0.15}")
    for step in recipe:
        found = [name for name in OPERATIONS if name in step]
        if len(found) != 1:
            raise BuildError(f"the step {step} needs one operation of {', '.join(OPERATIONS)}")
        if step.get("table") not in schemas:
            raise BuildError(f"the step {step} names no table of datapackage.json")
        unknown = set(step) - {"table", found[0]} - OPERATIONS[found[0]]
        if unknown:
            raise BuildError(f"the step {step} has an unknown part: {', '.join(sorted(map(str, unknown)))}")
        _check_step(step, found[0], schemas[step["table"]])


def _check_step(step: dict[str, Any], operation: str, schema: dict[str, Any]) -> None:
    share = {"drop": "drop", "scale": "by"}.get(operation)
    if share and not (isinstance(step.get(share), float) and 0 < step[share] < 1):
        raise BuildError(f"the step {step} needs {share}, a number between 0 and 1")
    days = step.get("days")
    if operation == "shift" and (type(days) is not int or days < 1):
        raise BuildError(f"the step {step} needs days, a whole number from 1")
    if operation == "drop":
        return
    types = {field["name"]: field["type"] for field in schema["fields"]}
    named = [step[operation], step.get("within", [])]
    if not all(isinstance(columns, list) for columns in named) or not step[operation]:
        raise BuildError(f"the step {step} needs lists of columns")
    for column in [*named[0], *named[1]]:
        if column not in types:
            raise BuildError(f"the step {step}: {step['table']} has no column {column}")
    for column in named[0]:
        if types[column] not in TYPES.get(operation, types.values()):
            wanted = " or ".join(TYPES[operation])
            raise BuildError(
                f"the step {step}: {operation} needs columns of type {wanted}, not {types[column]}"
            )


# --- operations ------------------------------------------------------------------------------------------


def _drop(tables: Tables, _schema: dict[str, Any], step: dict[str, Any], chance: random.Random) -> None:
    rows = tables[step["table"]]
    gone = set(chance.sample(range(len(rows)), min(len(rows), max(1, round(step["drop"] * len(rows))))))
    tables[step["table"]] = [row for place, row in enumerate(rows) if place not in gone]


def _permute(tables: Tables, _schema: dict[str, Any], step: dict[str, Any], chance: random.Random) -> None:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in tables[step["table"]]:
        groups.setdefault(tuple(row[column] for column in step.get("within", [])), []).append(row)
    for rows in groups.values():
        values = [{column: row[column] for column in step["permute"]} for row in rows]
        chance.shuffle(values)
        for row, those in zip(rows, values, strict=True):
            row.update(those)


def _scale(tables: Tables, schema: dict[str, Any], step: dict[str, Any], chance: random.Random) -> None:
    limits = {field["name"]: field.get("constraints", {}) for field in schema["fields"]}
    for row in tables[step["table"]]:
        factor = chance.uniform(1 - step["by"], 1 + step["by"])
        for column in step["scale"]:
            if row[column]:
                value = float(row[column]) * factor
                value = max(value, limits[column].get("minimum", value))
                row[column] = _written(min(value, limits[column].get("maximum", value)), row[column])


def _written(value: float, as_in: str) -> str:
    """Write a number with as many decimals as the one in whose place it comes."""
    return f"{value:.{len(as_in.partition('.')[2])}f}" if "e" not in as_in.lower() else f"{value:.6g}"


def _shift(tables: Tables, _schema: dict[str, Any], step: dict[str, Any], chance: random.Random) -> None:
    from datetime import date, timedelta

    name = step["table"]
    old = [dict(row) for row in tables[name]]
    for row in tables[name]:
        days = timedelta(days=chance.choice([-1, 1]) * chance.randint(1, step["days"]))
        for column in step["shift"]:
            if row[column]:
                row[column] = (date.fromisoformat(row[column]) + days).isoformat()
    for place in _broken(tables).get(name, ()):  # a whole month moved by days is no month any more: it stays
        tables[name][place] = old[place]


_DO: dict[str, Callable[[Tables, dict[str, Any], dict[str, Any], random.Random], None]] = {
    "drop": _drop,
    "permute": _permute,
    "scale": _scale,
    "shift": _shift,
}


# --- rules that hold in a variant too --------------------------------------------------------------------


def _settle(tables: Tables, schemas: dict[str, Any]) -> None:
    """Take out rows until every key leads somewhere, no primary key stands twice and no rule is broken."""
    while True:
        before = sum(map(len, tables.values()))
        for name, schema in schemas.items():
            tables[name] = list(_with_keys(tables, name, schema))
        for name, places in _broken(tables).items():
            tables[name] = [row for place, row in enumerate(tables[name]) if place not in places]
        if sum(map(len, tables.values())) == before:
            return


def _with_keys(tables: Tables, name: str, schema: dict[str, Any]) -> Iterator[Row]:
    """Yield the rows that can stay; an optional key that leads nowhere is blanked."""
    primary = schema["primaryKey"]
    needed = {f["name"] for f in schema["fields"] if f.get("constraints", {}).get("required")} | set(primary)
    known = []
    for key in schema.get("foreignKeys", []):
        reference = key["reference"]
        target = tables[reference["resource"] or name]
        known.append((key["fields"][0], {row[reference["fields"][0]] for row in target}))
    seen = set()
    for row in tables[name]:
        lost = [column for column, values in known if row[column] and row[column] not in values]
        own = tuple(row[column] for column in primary)
        if needed & set(lost) or own in seen:
            continue
        seen.add(own)
        row.update(dict.fromkeys(lost, ""))
        yield row


def _broken(tables: Tables) -> dict[str, set[int]]:
    """Return for each table the places (from 0) of the rows that break a rule of the course's tables."""
    found: dict[str, set[int]] = {}
    for fault in row_faults(tables):
        named = PLACE.match(fault)
        if named:
            found.setdefault(named[1], set()).add(int(named[2]) - 2)  # row 1 is the header
    return found


def _write(path: Path, rows: list[Row], schema: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field["name"] for field in schema["fields"]], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
