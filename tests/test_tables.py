"""The data: whole, valid, and refused by name when it is not."""

import csv
import json
import shutil

import pytest

from sahel_teacher import tables


@pytest.fixture(scope="session")
def package(root):
    return json.loads((root / "data" / "datapackage.json").read_text("utf-8"))


def schemas(package):
    return {r["name"]: r["schema"] for r in package["resources"] if "schema" in r}


def test_every_table_keeps_what_it_promises(root):
    found = tables.faults(root / "data")
    assert not found, "\n".join(found)


def test_checksums_and_codebook_are_up_to_date(root):
    stale = tables.seal(root, check=True)
    assert not stale, "\n".join(stale)


def test_every_column_says_what_it_means_and_every_key_leads_somewhere(package):
    known = schemas(package)
    for name, schema in known.items():
        columns = [field["name"] for field in schema["fields"]]
        assert all(field["description"].endswith(".") for field in schema["fields"]), name
        for key in schema.get("foreignKeys", []):
            target = known[key["reference"]["resource"] or name]
            assert key["reference"]["fields"][0] in [field["name"] for field in target["fields"]]
        assert set(
            schema["primaryKey"] if isinstance(schema["primaryKey"], list) else [schema["primaryKey"]]
        ) <= set(columns)


def test_every_text_is_utf8_with_unix_line_ends_and_no_stray_blanks(root):
    for path in sorted((root / "data").rglob("*.csv")):
        content = path.read_bytes()
        assert b"\r" not in content, path.name
        for row in csv.reader(content.decode("utf-8").splitlines()):
            assert [cell.strip() for cell in row] == row, (path.name, row)


# --- a deliberately broken copy of every table: refused, with table, row and column named ---------------


def broken(root, tmp_path, change):
    """Copy data/ and let `change(name, schema, rows)` spoil each table; return (faults, what was spoilt)."""
    folder = tmp_path / "data"
    shutil.copytree(root / "data", folder)
    package = json.loads((folder / "datapackage.json").read_text("utf-8"))
    spoilt = {}
    for resource in package["resources"]:
        if "schema" not in resource:
            continue
        path = folder / resource["path"]
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        where = change(resource["name"], resource["schema"], rows)
        if where:
            spoilt[resource["name"]] = where
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, fieldnames=[f["name"] for f in resource["schema"]["fields"]])
                writer.writeheader()
                writer.writerows(rows)
    return tables.faults(folder), spoilt


def assert_named(faults, spoilt, row="3"):
    for name, column in spoilt.items():
        mine = [fault for fault in faults if fault.startswith(f"{name}.csv") and f"row {row}" in fault]
        assert any(column in fault for fault in mine), f"{name}: row {row}, {column} not named in {mine}"


def test_a_wrong_type_is_refused_in_every_table_that_has_types(root, tmp_path):
    def change(name, schema, rows):
        for field in schema["fields"]:
            typed = field["type"] != "string" or "enum" in field.get("constraints", {})
            typed = typed or "pattern" in field.get("constraints", {})
            if typed:
                rows[1][field["name"]] = "not of this kind !"
                return field["name"]
        return None

    faults, spoilt = broken(root, tmp_path, change)
    assert len(spoilt) >= 25
    assert_named(faults, spoilt)


def test_a_missing_key_is_refused_in_every_table(root, tmp_path):
    def change(name, schema, rows):
        key = next(
            field["name"] for field in schema["fields"] if field.get("constraints", {}).get("required")
        )
        rows[1][key] = ""
        return key

    faults, spoilt = broken(root, tmp_path, change)
    assert len(spoilt) == len(schemas(json.loads((root / "data" / "datapackage.json").read_text("utf-8"))))
    assert_named(faults, spoilt)


def test_a_duplicate_id_is_refused_in_every_table(root, tmp_path):
    def change(name, schema, rows):
        rows[1] = dict(rows[0])
        key = schema["primaryKey"]
        return key if isinstance(key, str) else ""

    faults, spoilt = broken(root, tmp_path, change)
    for name in spoilt:
        assert any(fault.startswith(f"{name}.csv, row 3") for fault in faults), name


def test_a_key_that_leads_nowhere_is_refused_in_every_table_that_has_one(root, tmp_path):
    def change(name, schema, rows):
        for key in schema.get("foreignKeys", []):
            column = key["fields"][0]
            like = next((row[column] for row in rows if row[column]), "")
            constraints = next(f.get("constraints", {}) for f in schema["fields"] if f["name"] == column)
            if not like or "enum" in constraints or not constraints.get("required"):
                continue
            rows[1][column] = like[0] + "999" if like[1:].isdigit() and len(like) == 4 else "nobody"
            return column
        return None

    faults, spoilt = broken(root, tmp_path, change)
    assert len(spoilt) >= 15
    assert_named(faults, spoilt)


def test_dates_that_run_backwards_are_refused(root, tmp_path):
    spans = {
        "events": ("earliest", "latest"),
        "record_facts": ("date_start", "date_end"),
        "partnerships": ("start_earliest", "start_latest"),
        "forecast_questions": ("asked_as_of", "closes"),
    }

    def change(name, schema, rows):
        if name not in spans:
            return None
        first, last = spans[name]
        rows[1][first], rows[1][last] = "2023-07-26", "2023-07-25"
        return last

    faults, spoilt = broken(root, tmp_path, change)
    assert set(spoilt) == set(spans)
    assert_named(faults, spoilt)


# --- what a schema cannot say ---------------------------------------------------------------------------


def spoil_one(root, tmp_path, table, choose, column, value):
    def change(name, schema, rows):
        if name != table:
            return None
        row = next(row for row in rows if choose(row))
        row[column] = value
        return column

    return broken(root, tmp_path, change)[0]


def test_a_vague_date_told_as_a_day_is_refused(root, tmp_path):
    found = spoil_one(
        root, tmp_path, "events", lambda row: row["precision"] == "interval", "precision", "day"
    )
    assert any("events.csv" in fault and "column precision" in fault for fault in found)


def test_an_interval_without_its_reason_is_refused(root, tmp_path):
    found = spoil_one(
        root, tmp_path, "events", lambda row: row["precision"] == "interval", "interval_reason", ""
    )
    assert any("column interval_reason" in fault for fault in found)


def test_contradicted_without_a_strong_source_is_refused(root, tmp_path):
    found = spoil_one(
        root, tmp_path, "claim_checks", lambda row: row["verdict"] == "unverified", "verdict", "contradicted"
    )
    assert any("contradicted needs a primary source" in fault for fault in found)


def test_a_paragraph_of_a_brief_without_any_claim_is_noticed(root, tmp_path):
    def change(name, schema, rows):
        if name != "claims":
            return None
        for row in rows:
            row["locator"] = "D17" if row["locator"] == "D16" else row["locator"]
        return "locator"

    faults, _ = broken(root, tmp_path, change)
    assert any("no claim for paragraph D16 of brief B" in fault for fault in faults)


def test_a_break_between_partners_must_say_who_moved(root, tmp_path):
    found = spoil_one(root, tmp_path, "events", lambda row: row["type"] == "break", "moved_by", "")
    assert any("column moved_by: missing for a break" in fault for fault in found)
