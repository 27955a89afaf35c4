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
# Ids that rest on others: (table, its key, [(link table, column that names what it rests on)]).
_RESTS_ON = {
    "E": ("events", "event_id", [("event_facts", "fact_id"), ("event_claims", "claim_id")]),
    "K": ("claim_checks", "check_id", [("check_sources", "source_id")]),
}


@cache
def _rows(table: str, key: str) -> dict[str, dict[Any, Any]]:
    return {str(row[key]): row for row in load(table).to_dict("records")}


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _behind(row_id: str) -> list[str]:
    """Return the facts, claims or sources that an event (E) or a check (K) rests on; any other id itself."""
    table, key, links = _RESTS_ON.get(row_id[:1], ("", "", []))
    if not table or row_id not in _rows(table, key):
        return [row_id]
    found = [
        str(row[column])
        for link, column in links
        for row in load(link).to_dict("records")
        if row[key] == row_id and not pd.isna(row[column])
    ]
    return list(dict.fromkeys(found))


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
            row_id: a claim (C012), a dated fact (F030), a source (its source_id), or an event (E095) or a check
                (K035): for these, all that it rests on, one line each.

        Raises:
            NotFound: no such id (the message names the nearest).
        """
        behind = _behind(str(row_id))
        if behind != [str(row_id)]:
            lines = dict.fromkeys(self(one) for one in behind)
            return "\n".join(lines) or "No source: we looked and found nothing that settles it."
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
            row_ids: ids as for `cite`; those that share a source share a row.

        Returns:
            Columns cited_for (the ids), author, title, publisher, date, grade, address and seen_via, sorted by
            author; a notebook shows it with links.

        Raises:
            NotFound: no such id (the message names the nearest).
        """
        found: dict[str, dict[Any, Any]] = {}
        for cited, behind in [(one, basis) for one in row_ids for basis in _behind(str(one))]:
            source, _ = _source_of(behind)
            texts = {key: _text(value) for key, value in source.items()}
            row = found.setdefault(source["source_id"], texts)
            cited_for = [*filter(None, row.get("cited_for", "").split(", ")), str(cited)]
            row["cited_for"] = ", ".join(dict.fromkeys(cited_for))
        columns = ["cited_for", "author", "title", "publisher", "date", "grade", "address", "seen_via"]
        table = pd.DataFrame(list(found.values()), columns=columns)
        return SourceTable(table.sort_values(["author", "publisher", "title"], ignore_index=True))

    def __repr__(self) -> str:
        return 'cite("C012") says who wrote it and where; cite.table("C012", "F030") lists the sources.'


cite = Cite()
