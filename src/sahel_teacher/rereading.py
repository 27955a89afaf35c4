"""Flag the quiz items that rest on rows of data/ which have changed since somebody read the item against them.

content/en/quizzes/rests-on.json keeps, for each item, its `as_of` and a fingerprint of every row that it rests on
(of a claim also all its checks). `course.py build` adds new items. Where a row has changed, the item stays flagged
until somebody has read it again and says so: by a new `as_of`, or by `course.py build --reread 02.3`.
"""

import csv
import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from sahel_teacher.bank import CONTENT, Rows, read_banks, table_rows
from sahel_teacher.nb import write_text

LEDGER = CONTENT / "quizzes" / "rests-on.json"
Entry = dict[str, Any]


def flag_items(root: Path, check: bool = False, reread: tuple[str, ...] = ()) -> list[str]:
    """Return one line for each item that must be read again, and bring the ledger up to date for all others.

    Args:
        root: the course's folder; its bank must be sound.
        check: change nothing, and say where the ledger is not up to date.
        reread: items that somebody has read against the rows as they stand now.
    """
    path = root / LEDGER
    text = path.read_text(encoding="utf-8") if path.is_file() else "{}"
    known: dict[str, Entry] = json.loads(text)
    rows, checks = table_rows(root / "data"), _checks(root / "data")
    banks, _ = read_banks(root)
    items = [item for bank in banks.values() for item in bank["items"]]
    lines = [f"There is no quiz item {n}." for n in reread if n not in {item["id"] for item in items}]
    ledger = {}
    for item in items:
        now = {
            "as_of": item["as_of"],
            "rows": {i: _fingerprint(i, rows, checks) for i in sorted(_rests_on(item))},
        }
        before = now if item["id"] in reread else known.get(item["id"], now)
        changed = [i for i, mark in now["rows"].items() if before["rows"].get(i, mark) != mark]
        ledger[item["id"]] = now
        if changed and before["as_of"] == item["as_of"]:
            ledger[item["id"]] = {**now, "rows": {**now["rows"], **{i: before["rows"][i] for i in changed}}}
            lines.append(
                f"Item {item['id']} rests on {', '.join(changed)}, changed since {item['as_of']}: read the item "
                f"against it, then give it a new as_of or call course.py build --reread {item['id']}"
            )
    new = json.dumps(dict(sorted(ledger.items())), indent=1) + "\n"
    if new != text and check:
        lines.append(f"{LEDGER.as_posix()} is not up to date: run course.py build")
    elif new != text:
        write_text(path, new)
        lines.append(f"{LEDGER.as_posix()} written")
    return lines


def _rests_on(item: dict[str, Any]) -> set[str]:
    return {*item["ids"], *([item["question"]] if "question" in item else [])}


def _checks(data: Path) -> dict[str, list[str]]:
    """Return the rows of claim_checks by claim, each as one text."""
    found = defaultdict(list)
    path = data / "claim_checks.csv"
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found[row["claim_id"]].append(json.dumps(row))
    return found


def _fingerprint(row_id: str, rows: Rows, checks: dict[str, list[str]]) -> str:
    """Return a short digest of a row, and of a claim's checks with it."""
    text = json.dumps([rows[row_id][1], sorted(checks.get(row_id, []))])
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]
