"""Sheets to print: for each lesson one without and one with the answers, as HTML that needs no other file.

Black on white, A4, fonts of the system: open it in a browser and print.
"""

import re
from collections.abc import Callable
from html import escape
from itertools import pairwise
from string import ascii_uppercase

from sahel.quizzes.bank import Item, say
from sahel.quizzes.marking import public
from sahel.quizzes.twin import RENDERERS, foot
from sahel_teacher.exports.shared import Export, bullets, converted, kind, paragraphs

PAGE = """\
@page { size: A4; margin: 16mm 18mm; }
body { font: 11pt/1.4 system-ui, sans-serif; color: #000; background: #fff; max-width: 174mm; margin: 0 auto; }
h1 { font-size: 15pt; }
"""
ITEMS = """\
h2 { font-size: 11pt; margin: 0; } p { margin: 1mm 0; }
section { border-top: 0.5pt solid #000; padding: 3mm 0; }
.asked, h2, li { break-inside: avoid; } h2 { break-after: avoid; }
ul { list-style: none; margin: 1mm 0; padding: 0; } li { margin: 1.5mm 0; padding-left: 7mm; text-indent: -7mm; }
.box, .blank { display: inline-block; text-indent: 0; margin-right: 3mm; }
.box { width: 3.2mm; height: 3.2mm; border: 0.8pt solid #000; } .one { border-radius: 50%; }
.blank { width: 9mm; border-bottom: 0.8pt solid #000; } .long { width: 40mm; }
.wide li { padding-left: 12mm; text-indent: -12mm; }
.two { display: grid; grid-template-columns: 3fr 2fr; gap: 8mm; }
.key { font-size: 10pt; } .key ul { list-style: disc; padding-left: 5mm; } .key li { padding-left: 0; text-indent: 0; }
svg { display: block; width: 95mm; max-width: 100%; max-height: 90mm; margin: 2mm 0; }
@media screen and (max-width: 40em) { .two { display: block; overflow-wrap: anywhere; } }
path { fill: #fff; stroke: #000; stroke-width: 0.8; } .rest { fill: #e4e4e4; stroke: #999; stroke-width: 0.4; }
text { font: bold 9px sans-serif; text-anchor: middle; dominant-baseline: middle; }
"""
LATER = "feedback, source and hints stand on the sheet with the answers, to be read out or handed out later"
REASONS = {
    "all": LATER,
    "probability": "the sheet has a line for the percentage; there is no answer to print",
    "played": "the sheet with the answers says what there is to say of each option; nothing is right or wrong",
    "confidence": "certainty-based marks are counted by hand; the rule stands with the answers",
}


def export(lessons: dict[str, list[Item]]) -> Export:
    """Return two HTML files a lesson, without and with the answers, and what is lost."""
    files, losses = {}, []
    for lesson, items in lessons.items():
        asked, lost = converted(items, BUILDERS, REASONS)
        answered = [with_answer(item) for item in items if kind(item) in BUILDERS]
        files[f"lesson-{lesson}.html"] = _page(say("title", lesson=lesson), asked)
        files[f"lesson-{lesson}-answers.html"] = _page(say("title_answers", lesson=lesson), answered)
        losses += lost
    return Export(files, losses)


def _page(title: str, sections: list[str]) -> bytes:
    head = f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
    head += '<meta name="viewport" content="width=device-width, initial-scale=1">'
    body = "\n".join(sections)
    main = f"<main><h1>{escape(title)}</h1>\n{body}\n</main>"
    return f"{head}<style>\n{PAGE}{ITEMS}</style></head><body>{main}</body></html>\n".encode()


def _section(item: Item, inside: str, name: str) -> str:
    return f'<section class="{name}"><h2>{escape(item["id"])} {escape(item["stem"])}</h2>{inside}</section>'


def _asked(item: Item, task: str, inside: str) -> str:
    """Return a question as it is asked, with three circles where it asks how sure one is."""
    sure = ""
    if item.get("confidence"):
        levels = [say(f"sure_{level}") for level in (1, 2, 3)]
        sure = paragraphs(say("how_sure")) + _marked('<span class="box one"></span>', levels)
    return _section(item, paragraphs(task) + inside + sure, "asked")


def _marked(mark: str, lines: list[str]) -> str:
    """Return a list whose lines begin with something to tick or to fill in."""
    shape = "wide" if "blank" in mark else "narrow"
    return f'<ul class="{shape}">{"".join(f"<li>{mark}{escape(line)}</li>" for line in lines)}</ul>'


def with_answer(item: Item) -> str:
    """Return a question with its answer (what is right in bold), source, place and hints."""
    lines = [
        f"<li>{escape(line)}</li>" for line in RENDERERS[item["type"]](item).answer or [say("no_answer_yet")]
    ]
    for number, part in enumerate(item.get("options") or item.get("numbers") or []):
        if part.get("right"):
            lines[number] = f"<li><b>{lines[number][4:-5]}</b></li>"
    sure = [say("why_sure")] if item.get("confidence") else []
    hints = [f"{say('hint', n=n)} {hint}" for n, hint in enumerate(item["hints"], 1)]
    return _section(item, f"<ul>{''.join(lines)}</ul>" + paragraphs(*foot(item), *sure, *hints), "key")


def _choice(item: Item) -> str:
    shape = "box" if item["type"] == "multiple" else "box one"
    text = RENDERERS[item["type"]](item)
    return _asked(item, text.task, _marked(f'<span class="{shape}"></span>', text.lines))


def _order(item: Item) -> str:
    lines = [slot["text"] for slot in public(item)["slots"]]
    return _asked(item, say("write_places"), _marked('<span class="blank"></span>', lines))


def _pairs(item: Item) -> str:
    """Two lists: lines with a blank each, and choices with letters to write there."""
    lines = _marked('<span class="blank"></span>', [pair["text"] for pair in item["pairs"]])
    return _asked(item, say("write_letters"), f'<div class="two">{lines}{_lettered(item["choices"])}</div>')


def _lettered(lines: list[str], mark: str = "") -> str:
    """Return a list whose lines begin with something to tick, and with A, B, C."""
    named = zip(ascii_uppercase, lines, strict=False)
    return f"<ul>{''.join(f'<li>{mark}<b>{letter}</b> {escape(line)}</li>' for letter, line in named)}</ul>"


def _number(item: Item) -> str:
    return _asked(item, say("number_in", unit=item["unit"]) + ":", '<p><span class="blank long"></span></p>')


def _region(item: Item) -> str:
    """The countries as a list, and the map with the letters of the list."""
    names = _lettered([option["text"] for option in item["options"]], '<span class="box"></span>')
    shapes = [f'<path class="rest" d="{escape(item["map"]["rest"])}"/>']
    for letter, option in zip(ascii_uppercase, item["options"], strict=False):
        x, y = _middle(option["outline"])
        shapes.append(f'<path d="{escape(option["outline"])}"/><text x="{x}" y="{y}">{letter}</text>')
    # The list beside it says all that the map says to those who do not see it.
    drawn = f'<svg viewBox="{escape(item["map"]["box"])}" aria-hidden="true">{"".join(shapes)}</svg>'
    return _asked(item, say("tick_countries"), f'<div class="two">{drawn}{names}</div>')


def _middle(outline: str) -> tuple[int, int]:
    """Return the centre of gravity of the largest ring of an outline."""
    best: tuple[int, ...] = (1, 0, 0)  # twice the area, and six times the moments
    for ring in outline.split("M")[1:]:
        points = [(int(x), int(y)) for x, y in re.findall(r"(-?\d+),(-?\d+)", ring)]
        sides = [(a, b, a[0] * b[1] - b[0] * a[1]) for a, b in pairwise([*points, points[0]])]
        moments = (sum((a[axis] + b[axis]) * part for a, b, part in sides) for axis in (0, 1))
        best = max(best, (sum(part for *_, part in sides), *moments), key=lambda found: abs(found[0]))
    area, across, down = best
    return round(across / (3 * area)), round(down / (3 * area))


def _written(item: Item) -> str:
    text = RENDERERS[item["type"]](item)
    if kind(item) == "played":
        return _asked(item, text.task, _marked('<span class="box one"></span>', text.lines))
    return _asked(item, text.task, '<p><span class="blank"></span> %</p>' + bullets(text.lines))


BUILDERS: dict[str, Callable[[Item], str]] = {
    **dict.fromkeys(("single", "multiple"), _choice),
    **dict.fromkeys(("match", "classify"), _pairs),
    **dict.fromkeys(("probability", "played"), _written),
    "order": _order,
    "number": _number,
    "region": _region,
}
