"""What the targets share: what an export is, what it loses, and how its files are written."""

import csv
import io
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, indent, tostring

from sahel.quizzes.bank import Item
from sahel.quizzes.marking import number_range

CHANGED, LEFT_OUT = "changed", "left out"
FEW = 12  # so many ids can be read in one line


class ExportTrouble(Exception):
    """An export cannot be made; the message is the one sentence that the teacher reads."""


class CannotExpress(Exception):
    """A target has no form for a question; the message says why, and the question is left out and listed."""


@dataclass(frozen=True)
class Loss:
    """What one question loses on its way into a target: changed or left out, and why."""

    item: str
    change: str
    reason: str


@dataclass(frozen=True)
class Export:
    """The files of an export by name, and what was lost on the way."""

    files: dict[str, bytes]
    losses: list[Loss]


def kind(item: Item) -> str:
    """Return the type of a question, or "played" where nothing in it is right or wrong."""
    return "played" if item.get("played") else str(item["type"])


def converted(
    items: list[Item], builders: dict[str, Callable[[Item], Any]], reasons: dict[str, str]
) -> tuple[list[Any], list[Loss]]:
    """Put questions into a target's form.

    Args:
        items: the questions.
        builders: by kind of question, what makes the target's form of it.
        reasons: by what a question has (see `_has`), why the target does not keep it.

    Returns:
        The questions in the target's form, and all that is lost.
    """
    made, losses = [], []
    for item in items:
        try:
            if kind(item) not in builders:
                raise CannotExpress(reasons.get(kind(item), f"there is no form for a {kind(item)} question"))
            made.append(builders[kind(item)](item))
        except CannotExpress as why:
            losses.append(Loss(item["id"], LEFT_OUT, str(why)))
        else:
            losses += [Loss(item["id"], CHANGED, reasons[key]) for key in _has(item) if key in reasons]
    return made, losses


def _has(item: Item) -> list[str]:
    """Return what a question has that a target may not keep."""
    found = ["all", kind(item), *(key for key in ("vote", "confidence", "hints") if item.get(key))]
    if any(pair.get("mistakes") for pair in item.get("pairs", [])):
        found.append("mistakes")
    if any(not entry["right"] for entry in item.get("numbers", [])):
        found.append("wrong numbers")
    return found


def in_words(losses: list[Loss], total: int) -> list[str]:
    """Return losses as lines to read, one for each reason: how many questions, or which where they are few."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for loss in losses:
        groups[loss.change, loss.reason].append(loss.item)
    return [
        f"{change}: {', '.join(items) if len(items) <= FEW else f'{len(items)} of {total} questions'}: {reason}"
        for (change, reason), items in groups.items()
    ]


def as_csv(losses: list[Loss]) -> bytes:
    """Return losses as a table, one line for each question and reason."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerows(
        [("item", "change", "reason"), *((loss.item, loss.change, loss.reason) for loss in losses)]
    )
    return text.getvalue().encode()


def write_all(folder: Path, files: dict[str, bytes]) -> None:
    """Write files, each whole; none takes its place before all are on the disk.

    Raises:
        ExportTrouble: the folder cannot be written.
    """
    drafts = {folder / f"{name}.tmp": content for name, content in files.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for draft, content in drafts.items():
            draft.write_bytes(content)
        for draft in drafts:
            draft.replace(draft.with_suffix(""))
    except OSError as error:
        for draft in drafts:
            if draft.is_file():
                draft.unlink(missing_ok=True)
        raise ExportTrouble(
            f"{folder} cannot be written ({error.strerror or error}). Name a folder of yours with --out."
        ) from error


def paragraphs(*lines: str) -> str:
    """Return lines of text as HTML paragraphs, everything in them escaped."""
    return "".join(f"<p>{escape(line, quote=False)}</p>" for line in lines)


def bullets(lines: list[str]) -> str:
    """Return lines of text as an HTML list, everything in them escaped."""
    return f"<ul>{''.join(f'<li>{escape(line, quote=False)}</li>' for line in lines)}</ul>" if lines else ""


def node(tag: str, *inside: Element | str, **attributes: str) -> Element:
    """Return an XML element with a text or other elements in it."""
    made = Element(tag, attributes)
    made.text = "".join(part for part in inside if isinstance(part, str)) or None
    made.extend(part for part in inside if not isinstance(part, str))
    return made


def as_xml(root: Element) -> bytes:
    """Return an element as an XML file in UTF-8 that begins with its declaration."""
    indent(root)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="utf-8") + b"\n"


def middle_and_span(entry: Item) -> tuple[str, str]:
    """Return the middle of an entry of `numbers`, and how far off still counts, as plain decimals."""
    low, high = number_range(entry)
    return plain((low + high) / 2), plain((high - low) / 2)


def plain(number: Decimal) -> str:
    """Return a number without exponent and without zeros at its end."""
    return f"{number.normalize():f}"
