"""Say where a statement comes from: author, document, paragraph."""

from difflib import get_close_matches
from functools import cache
from typing import Any

import pandas as pd

from sahel.data import load
from sahel.errors import NotFound

# Which table an id belongs to, by its first letter; both tables name a source and have ids of their own.
_TABLES = {"C": ("claims", "claim_id"), "F": ("record_facts", "fact_id")}


@cache
def _rows(table: str, key: str) -> dict[str, dict[Any, Any]]:
    return {str(row[key]): row for row in load(table).to_dict("records")}


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _source_of(row_id: str) -> tuple[dict[Any, Any], str]:
    """Return the sources row behind an id, and the paragraph for a claim (blank for anything else)."""
    sources = _rows("sources", "source_id")
    if row_id in sources:
        return sources[row_id], ""
    table, key = _TABLES.get(row_id[:1], ("claims", "claim_id"))
    rows = _rows(table, key)
    if row_id not in rows:
        near = get_close_matches(row_id.upper(), rows, n=1) or get_close_matches(row_id, sources, n=1)
        advice = f"Did you mean {near[0]}?" if near else "Ids look like C012, F030 or a source_id."
        raise NotFound(f"There is no claim, fact or source {row_id!r}. {advice}")
    row = rows[row_id]
    if table == "claims":
        return sources[str(row["brief"])], str(row["locator"])
    return sources[str(row["source_id"])], ""


class Cite:
    """`cite("C012")` says who wrote it and where; `cite.table("C012", "F030")` lists the sources."""

    def __call__(self, row_id: str) -> str:
        """Return author, title, publisher, date and, for a claim, the paragraph, in one line.

        Args:
            row_id: a claim (C012), a dated fact (F030) or a source (its source_id).

        Raises:
            NotFound: no such id (the message names the nearest).
        """
        source, locator = _source_of(str(row_id))
        parts = [_text(source[key]) for key in ("author", "title", "publisher", "date")]
        line = ", ".join(part for part in parts if part)
        if locator:
            line += f", paragraph {locator} (brief {source['source_id']})"
        if _text(source["seen_via"]):
            line += f" [copy seen: {_text(source['seen_via'])}]"
        return line

    def table(self, *row_ids: str) -> pd.DataFrame:
        """Return the sources behind some ids, one row a source, for the foot of a lesson.

        Args:
            row_ids: any claims, dated facts or sources; ids that share a source share a row.

        Returns:
            Columns cited_for (the ids), author, title, publisher, date, grade and address, sorted by author.

        Raises:
            NotFound: no such id (the message names the nearest).
        """
        found: dict[str, dict[Any, Any]] = {}
        for row_id in row_ids:
            source, _ = _source_of(str(row_id))
            row = found.setdefault(str(source["source_id"]), {"cited_for": [], **source})
            row["cited_for"].append(str(row_id))
        columns = ["cited_for", "author", "title", "publisher", "date", "grade", "address"]
        table = pd.DataFrame(list(found.values()), columns=columns)
        table["cited_for"] = [", ".join(ids) for ids in table["cited_for"]]
        return table.fillna("").sort_values(["author", "publisher", "title"], ignore_index=True)

    def __repr__(self) -> str:
        return 'cite("C012") says who wrote it and where; cite.table("C012", "F030") lists the sources.'


cite = Cite()
