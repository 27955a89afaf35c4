"""Say where a statement comes from: author, document, paragraph."""

from difflib import get_close_matches
from functools import cache
from html import escape
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


class SourceTable(pd.DataFrame):
    """A table of sources that a notebook shows with links in place of long addresses."""

    def _repr_html_(self) -> str:
        cell = '<td style="text-align:left;white-space:normal">'  # texts, not numbers
        rows = "".join(
            f"<tr>{cell}{escape(row['cited_for'])}</td>{cell}{_link(row)}</td>{cell}{escape(row['grade'])}</td></tr>"
            for row in self.to_dict("records")
        )
        head = "<tr><th>cited for</th><th>source</th><th>grade</th></tr>"
        return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _link(row: dict[Any, Any]) -> str:
    """Return one source as HTML: author, title with a link where there is an address, publisher, date."""
    title = escape(row["title"])
    if row["address"].startswith("http"):
        title = f'<a href="{escape(row["address"])}">{title}</a>'
    before, after = [row["author"]], [row["publisher"], row["date"]]
    parts = [escape(part) for part in before if part] + [title] + [escape(part) for part in after if part]
    copy = f" [copy seen: {escape(row['seen_via'])}]" if row["seen_via"] else ""
    return ", ".join(parts) + copy


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

    def table(self, *row_ids: str) -> SourceTable:
        """Return the sources behind some ids, one row a source, for the foot of a lesson.

        Args:
            row_ids: any claims, dated facts or sources; ids that share a source share a row.

        Returns:
            Columns cited_for (the ids), author, title, publisher, date, grade, address and seen_via, sorted by
            author; a notebook shows it with links.

        Raises:
            NotFound: no such id (the message names the nearest).
        """
        found: dict[str, dict[Any, Any]] = {}
        for row_id in row_ids:
            source, _ = _source_of(str(row_id))
            row = found.setdefault(source["source_id"], {key: _text(value) for key, value in source.items()})
            row["cited_for"] = ", ".join(filter(None, [row.get("cited_for"), str(row_id)]))
        columns = ["cited_for", "author", "title", "publisher", "date", "grade", "address", "seen_via"]
        table = pd.DataFrame(list(found.values()), columns=columns)
        return SourceTable(table.sort_values(["author", "publisher", "title"], ignore_index=True))

    def __repr__(self) -> str:
        return 'cite("C012") says who wrote it and where; cite.table("C012", "F030") lists the sources.'


cite = Cite()
