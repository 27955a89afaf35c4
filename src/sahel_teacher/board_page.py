"""The page of the class board: what the answers of a class say about each question, counted and drawn.

A vote and its second vote stand side by side, as in peer instruction (Crouch and Mazur 2001); certainty is
compared with correctness, as certainty-based marking asks for (Gardner-Medwin).
"""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import compress
from textwrap import shorten
from typing import Any, NamedTuple

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from sahel.figures import COLOURS, _png, style
from sahel.quizzes import codes, marking
from sahel.quizzes.bank import Item, words
from sahel.quizzes.codes import Form, Sheet

FEW = 5  # groups smaller than this are flagged
TOO_FEW = f"Fewer than {FEW}: too few to read anything into."
PAYS = {2: 67, 3: 80}  # percent right above which a level of certainty earns most (see sahel.quizzes.marking)
NO_ROLE = "no role given"
PLAYED = (
    "These are roles played in class. They show what students expect a side to say: they are nobody's own "
    "opinion, and no evidence about the side."
)
AFTER = (
    "The last answer to a question without a vote comes after its explanation: it shows who came back to it, not "
    "what talking it over did."
)


class Level(NamedTuple):
    """How right a class was where it said that it was so sure; marks are the mean of what answers earned."""

    sure: int
    answers: int
    students: int
    right: int
    partly: int
    wrong: int
    marks: float


def sections(lessons: Iterable[tuple[Form, list[Sheet]]]) -> str:
    """Return the board's sections as HTML, one for each lesson with the sheets of its students."""
    with mpl.rc_context():
        style()
        mpl.rcParams["figure.constrained_layout.use"] = False  # a fixed layout draws three times faster
        return "".join(_lesson(form, sheets) for form, sheets in lessons)


def wrapped(body: str, lists: dict[str, list[str]]) -> str:
    """Return the sections, with their style and with lists below them (what was not counted)."""
    ends = [
        f"<section><h2>{title}: {len(lines)}</h2>{listed(lines)}</section>"
        for title, lines in lists.items()
        if lines
    ]
    return f'<div class="class-board"><style>{_STYLE}</style>{body}{"".join(ends)}</div>'


def whole_page(board: str) -> str:
    """Return the board as a page of its own, with nothing to be fetched from elsewhere."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Class board</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_PAGE}</style></head><body><main><h1>Class board</h1>{board}</main></body></html>\n"
    )


def listed(lines: Sequence[str]) -> str:
    """Return lines as an HTML list, everything in them escaped."""
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else "<p>None.</p>"


# --- counting -----------------------------------------------------------------------------------------------


def answer_table(form: Form, sheets: Iterable[Sheet]) -> pd.DataFrame:
    """Return one row a student and question: student (a number), role, item, first, second, sure.

    The answers are numbers as `sahel.quizzes.codes` makes them; second is missing where there was none.
    """
    rows = [
        (student, form.roles.get(sheet.role, NO_ROLE), item, *kept)
        for student, sheet in enumerate(sheets)
        for item, kept in sheet.kept.items()
    ]
    table = pd.DataFrame(rows, columns=["student", "role", "item", "first", "second", "sure"])
    return table.astype({"second": "Int64"})


def labels(item: Item) -> list[str]:
    """Return short names of what can be counted for a question, in the order in which it is shown."""
    if "options" in item:
        marks = ["" if item.get("played") else " (right)" * o["right"] for o in item["options"]]
        return [f"{chr(65 + n)}{mark}" for n, mark in enumerate(marks)]
    if item["type"] == "probability":
        return [f"{low} to {low + 5} %" for low in range(0, 100, 10)] + ["100 %"]
    if item["type"] == "number":
        return ["not right", "right"]
    return ["nothing right", *(f"{low} to {low + 9} % right" for low in range(10, 100, 10)), "all right"]


def spread(item: Item, numbers: pd.Series) -> list[int]:
    """Return how often each of the `labels` was answered; who chose several options counts at each."""
    counts = [0] * len(labels(item))
    for number, times in numbers.dropna().value_counts().items():
        for place in _places(item, int(str(number))):
            counts[place] += int(times)
    return counts


def _places(item: Item, number: int) -> list[int]:
    if "options" in item:
        return codes.chosen(item, number)
    return [codes.forecast(number)[0] // 10] if item["type"] == "probability" else [number]


def _right(item: Item, numbers: pd.Series) -> pd.Series:
    """Return whether each answer is wholly right."""
    full = {number: codes.credit(item, int(number)) == 1 for number in numbers.dropna().unique()}
    return numbers.map(full)


def moves(item: Item, rows: pd.DataFrame) -> dict[str, int]:
    """Return how many of those who answered twice were right at first and at second, and how many moved."""
    twice = rows[rows["second"].notna()]
    first = _right(item, twice["first"]).astype(bool)
    second = _right(item, twice["second"]).astype(bool)
    return {
        "twice": len(twice),
        "first": int(first.sum()),
        "second": int(second.sum()),
        "to_right": int((~first & second).sum()),
        "to_wrong": int((first & ~second).sum()),
    }


def calibration(form: Form, table: pd.DataFrame) -> list[Level]:
    """Return for each level of certainty at the first answer how right the class was with it."""
    items = {item["id"]: item for item in form.items}
    told = table[table["sure"] > 0]
    found: dict[int, list[tuple[int, float]]] = {}
    for student, item, first, sure in told[["student", "item", "first", "sure"]].itertuples(index=False):
        found.setdefault(sure, []).append((student, codes.credit(items[item], first) or 0))
    levels = []
    for sure, answers in sorted(found.items()):
        scores = [score for _, score in answers]
        right, wrong = scores.count(1), scores.count(0)
        marks = sum(marking.certainty_marks(score, sure) for score in scores) / len(scores)
        students = len({student for student, _ in answers})
        levels.append(Level(sure, len(scores), students, right, len(scores) - right - wrong, wrong, marks))
    return levels


def by_role(item: Item, rows: pd.DataFrame) -> list[tuple[str, bool, list[int]]]:
    """Return the counts by role played, of a vote twice: (role, whether it is the first answer, counts).

    Without a vote a second answer comes after the feedback, which says what each side is on record with.
    """
    return [
        (str(role), column == "first", spread(item, group[column]))
        for role, group in rows.groupby("role")
        for column in ("first", "second")[: 1 + bool(item.get("vote"))]
        if group[column].notna().any()
    ]


def widest_gap(item: Item, found: list[tuple[str, bool, list[int]]]) -> str:
    """Return in a sentence where two roles lie furthest apart at the first answer; small groups do not count."""
    large = [(role, n) for role, first, n in found if first and role != NO_ROLE and sum(n) >= FEW]
    gaps = [
        (a[place] / sum(a) - b[place] / sum(b), place, (one, a), (other, b))
        for one, a in large
        for other, b in large
        for place in range(len(a))
        if one != other
    ]
    if not gaps:
        return f"No two roles have {FEW} answers, so no gap is stated."
    _, place, (one, a), (other, b) = max(gaps, key=lambda found: found[0])
    return (
        f"At the {_names(item)[0]} the roles lie furthest apart on {labels(item)[place]}: "
        f"{_percent(a[place], sum(a))} as {one}, {_percent(b[place], sum(b))} as {other}."
    )


# --- sections -----------------------------------------------------------------------------------------------


def _lesson(form: Form, sheets: list[Sheet]) -> str:
    """Return the section of one lesson: each question that somebody answered, then certainty."""
    table = answer_table(form, sheets)
    rows = {str(key): group for key, group in table.groupby("item")}
    many = f"{len(sheets)} students" if len(sheets) > 1 else "1 student"
    said = [TOO_FEW] * (len(sheets) < FEW)
    said += [AFTER] * any(not item.get("vote") and "question" not in item for item in form.items)
    silent = [item["id"] for item in form.items if item["id"] not in rows]
    said += [f"Nobody has answered {', '.join(silent)}."] * bool(silent)
    parts = [f"<p>{sentence}</p>" for sentence in said]
    parts += [_question(item, rows[item["id"]]) for item in form.items if item["id"] in rows]
    body = "".join(parts) + _certainty(calibration(form, table))
    return f"<section><h2>Lesson {form.lesson}: {many}</h2>{body}</section>"


def _question(item: Item, rows: pd.DataFrame) -> str:
    """Return one question: what was asked, what came of it in a sentence, figure and table."""
    names = labels(item)
    series = _series(item, rows)
    told = _told(item, rows)
    if "options" in item:
        heads = [f"{name}: {option['text']}" for name, option in zip(names, item["options"], strict=True)]
    elif item["type"] == "probability":
        heads = names
    else:  # of eleven steps, show those that somebody reached
        used = [any(counts) for counts in zip(*series.values(), strict=True)]
        heads = names = list(compress(names, used))
        series = {name: list(compress(counts, used)) for name, counts in series.items()}
    cells = [[head, *counts] for head, *counts in zip(heads, *series.values(), strict=True)]
    alt = f"Bars of the answers to question {item['id']}. {told}"
    html = [f"<h3>{item['id']}</h3><p><strong>{escape(item['stem'])}</strong></p><p>{escape(told)}</p>"]
    html.append(
        _beside(_bars(names, series), alt, _grid(f"Answers to {item['id']}", ["Answer", *series], cells))
    )
    if item.get("played"):
        html.append(_by_role(item, rows))
    if item.get("twin"):
        html.append(f"<p>For a further vote, {item['twin']} asks the same of another case.</p>")
    return "".join(html)


def _series(item: Item, rows: pd.DataFrame) -> dict[str, list[int]]:
    """Return the counts to draw side by side, by name."""
    if item["type"] == "probability":
        knew = rows["first"] % 2 == 1
        return {
            "did not know": spread(item, rows["first"][~knew]),
            "already knew": spread(item, rows["first"][knew]),
        }
    first, second = _names(item)
    series = {first: spread(item, rows["first"])}
    return series | ({second: spread(item, rows["second"])} if rows["second"].notna().any() else {})


def _names(item: Item) -> tuple[str, str]:
    return ("first vote", "second vote") if item.get("vote") else ("first answer", "last answer")


def _told(item: Item, rows: pd.DataFrame) -> str:
    """Return what came of a question, in sentences."""
    few = f" {TOO_FEW}" if len(rows) < FEW else ""
    if item["type"] == "probability":
        guesses = rows["first"][rows["first"] % 2 == 0].map(lambda number: codes.forecast(number)[0])
        if guesses.empty:
            return f"All {len(rows)} who answered knew the outcome already.{few}"
        low, middle, high = guesses.quantile([0.25, 0.5, 0.75])
        half = f"the middle half said {low:.0f} to {high:.0f} %, the median is {middle:.0f} %"
        few = f" {TOO_FEW}" if len(guesses) < FEW else ""
        return f"{len(rows)} answered; {len(guesses)} of them did not know the outcome: {half}.{few}"
    first, second = _names(item)
    if item.get("played"):
        return f"{len(rows)} answered in a role; nothing is right or wrong.{few}"
    right = int(_right(item, rows["first"]).sum())
    said = [f"{len(rows)} answered. {first.capitalize()}: {right} right ({_percent(right, len(rows))})."]
    moved = moves(item, rows)
    if moved["twice"]:
        said.append(
            f"Of the {moved['twice']} who answered twice, right at first: {moved['first']} "
            f"({_percent(moved['first'], moved['twice'])}), at the {second}: {moved['second']} "
            f"({_percent(moved['second'], moved['twice'])}). From wrong to right: {moved['to_right']}; from right "
            f"to wrong: {moved['to_wrong']}."
        )
    return " ".join(said) + few


def _by_role(item: Item, rows: pd.DataFrame) -> str:
    """Return figure and table of what each played role answered: the class's own perception gap."""
    found = by_role(item, rows)
    said = widest_gap(item, found)
    bars, cells = {}, []
    for role, first, counts in found:
        vote = _names(item)[0 if first else 1]
        size = f"{sum(counts)}{', too few' * (sum(counts) < FEW)}"
        bars[f"{shorten(role, 58, placeholder='…')}\n{vote}, n = {size}"] = [n / sum(counts) for n in counts]
        cells.append([f"{role}, {vote}", *counts, size])
    table = _grid(f"Answers to {item['id']} by role played", ["Role", *labels(item), "n"], cells)
    alt = f"Shares of the answers to question {item['id']} by role played. {said}"
    text = f"<h4>By role played</h4><p>{escape(f'{said} {PLAYED}')}</p>"
    return text + _beside(_shares(bars, labels(item)), alt, table)


def _certainty(levels: list[Level]) -> str:
    """Return certainty against correctness, over all questions of the lesson at which it was asked."""
    if not levels:
        return ""
    names = [words()[f"sure_{level.sure}"].partition(":")[0] for level in levels]
    shares = [_percent(level.right, level.answers) for level in levels]
    said = "; ".join(
        f"{name.lower()}, {share} of {level.answers}"
        for name, share, level in zip(names, shares, levels, strict=True)
    )
    cells = [
        [
            name + ", too few" * (level.students < FEW),
            *(level.answers, level.students, level.right, level.partly, level.wrong, share),
            f"{level.marks:+.1f}".replace("-", "−"),
        ]
        for name, share, level in zip(names, shares, levels, strict=True)
    ]
    heads = ["Certainty", "n", "students", "right", "partly", "not right", "share", "marks"]
    text = (
        f"Right at the first answer, before any explanation: {said}. “Fairly sure” pays above {PAYS[2]} %, “very "
        f"sure” above {PAYS[3]} %. One student stands behind several answers."
    )
    alt = f"Bars of the share of right answers by certainty. {said.capitalize()}."
    grid = _grid("Certainty and right answers", heads, cells)
    body = _beside(_calibrated(names, levels), alt, grid)
    return f"<h3>How sure, and how right</h3><p>{escape(text)}</p>{body}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %"


# --- figures and HTML ---------------------------------------------------------------------------------------


_LOOK: list[dict[str, Any]] = [
    {"facecolor": COLOURS["sky"], "hatch": "////"},
    {"facecolor": COLOURS["blue"]},
]
_FILLS = [("sky", ""), ("orange", "//"), ("green", ".."), ("yellow", "\\\\"), ("purple", "xx"), ("sky", "--")]
_FILLS += [("orange", "++"), ("green", "oo")]  # a question has at most eight options
_STYLE = (
    ".class-board{line-height:1.5}"  # in a notebook, widgets would set lines far apart
    ".class-board .beside{display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start;margin:0.5em 0 1.5em}"
    ".class-board .beside>*{flex:1 1 18em;min-width:0;max-width:36em}.class-board img{max-width:100%;height:auto}"
    ".class-board .wide{overflow-x:auto}.class-board table{border-collapse:collapse;font-size:0.93em}"
    ".class-board caption{text-align:left;font-style:italic}"
    ".class-board th,.class-board td{padding:0.25em 0.45em;border-bottom:1px solid #999;text-align:right}"
    ".class-board th:first-child{text-align:left;font-weight:normal}"
)
_PAGE = "body{font:1rem/1.5 system-ui,sans-serif;margin:1em;color:#111;background:#fff}main{max-width:66em;margin:auto}"


def _figure(rows: int, below: float = 0.5) -> tuple[Figure, Any]:
    """Return a figure with room for so many rows and for so many inches below them, and its axes."""
    height = 0.25 + below + 0.27 * rows
    figure = Figure(figsize=(4.6, height))
    axes = figure.add_axes((0.27, below / height, 0.63, 1 - (0.25 + below) / height))
    axes.grid(visible=False)
    axes.tick_params(left=False)
    axes.invert_yaxis()
    return figure, axes


def _bars(names: Sequence[str], series: dict[str, list[int]]) -> Figure:
    """Draw counts as bars, the series side by side, each bar with its number and the first with its name.

    Names at the bars are read more easily than a legend, and drawn in half the time.
    """
    figure, axes = _figure(len(names) * len(series), below=0.1)
    thick = 0.8 / len(series)
    for number, (name, counts) in enumerate(series.items()):
        places = [n - 0.4 + thick * (number + 0.5) for n in range(len(names))]
        bars = axes.barh(places, counts, thick, edgecolor="black", linewidth=0.6, **_LOOK[number])
        axes.bar_label(bars, [f"{counts[0]}  {name}", *map(str, counts[1:])], padding=3)
    axes.set_yticks(range(len(names)), names)
    highest = max(max(counts) for counts in series.values())
    first = max(counts[0] for counts in series.values())  # its label is the longest
    axes.set_xlim(0, max(1, highest * 1.12, first * 1.6))
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    return figure


def _shares(rows: dict[str, list[float]], names: Sequence[str]) -> Figure:
    """Draw for each row one bar from 0 to 100 percent, cut into the shares of the answers."""
    figure, axes = _figure(3 * len(rows))
    axes.set_position((0.03, axes.get_position().y0, 0.94, axes.get_position().height))
    ends = [0.0] * len(rows)
    for name, part, (colour, hatch) in zip(names, zip(*rows.values(), strict=True), _FILLS, strict=False):
        look = {"facecolor": COLOURS[colour], "hatch": hatch, "edgecolor": "black", "label": name}
        axes.barh(range(len(rows)), part, 0.4, ends, **look)
        ends = [end + share for end, share in zip(ends, part, strict=True)]
    for place, who in enumerate(rows):
        axes.text(0, place - 0.24, who, va="bottom", fontsize=9)
    axes.set_yticks([])
    axes.set_ylim(len(rows) - 0.7, -0.8)
    axes.set_xlim(0, 1)
    axes.xaxis.set_visible(False)
    axes.spines[["left", "bottom"]].set_visible(False)
    figure.legend(loc="lower left", ncols=4, columnspacing=1.2)
    return figure


def _calibrated(names: Sequence[str], levels: list[Level]) -> Figure:
    """Draw the share right by level of certainty, and from where on each level pays."""
    figure, axes = _figure(2 * len(names))
    shares = [100 * level.right / level.answers for level in levels]
    bars = axes.barh(range(len(names)), shares, 0.5, edgecolor="black", linewidth=0.6, **_LOOK[1])
    axes.bar_label(bars, [f"{share:.0f} %" for share in shares], padding=6)
    label = "pays above this line"
    for place, level in enumerate(levels):
        if level.sure in PAYS:
            ends = (place - 0.45, place + 0.45)
            line = {"color": COLOURS["vermillion"], "linestyle": "--", "linewidth": 2, "label": label}
            axes.plot([PAYS[level.sure]] * 2, ends, **line)
            label = "_once is enough"
    beside = [f"{name}\nn = {level.answers}" for name, level in zip(names, levels, strict=True)]
    axes.set_yticks(range(len(names)), beside)
    axes.set_xlim(0, 125)
    axes.set_xticks([0, 50, 100], ["0 %", "50 %", "100 %"])
    if any(level.sure in PAYS for level in levels):
        figure.legend(loc="upper right")
    return figure


def _beside(figure: Figure, alt: str, table: str) -> str:
    """Return a figure with its text, and its table beside it (below it on a narrow screen)."""
    image = f'<img alt="{escape(alt)}" src="data:image/png;base64,{_png(figure)}">'
    wide = '<div class="wide" role="group" aria-label="Table" tabindex="0">'  # it may scroll
    return f'<div class="beside"><div>{image}</div>{wide}{table}</div></div>'


def _grid(caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; the first cell of each row is its head."""
    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(str(row[0]))}</th>'
        + "".join(f"<td>{escape(str(cell))}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
