"""The text version of a question: what GitHub, nbconvert, a screen without JavaScript or a terminal shows.

It depends on the question alone, never on anyone's answers, so a saved notebook is the same for everybody.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from sahel.quizzes.bank import Item, say
from sahel.quizzes.marking import number_range, public


@dataclass(frozen=True)
class Text:
    """A question in plain lines: what to do, what can be chosen, and the answer with its reasons."""

    task: str
    lines: list[str]
    answer: list[str]


def _choice(item: Item) -> Text:
    """Single and multiple choice, countries too: the options, then each with its feedback."""
    if item.get("played"):
        said = [f"{option['text']}: {option['feedback']}" for option in item["options"]]
        return Text(say("choose_played"), [option["text"] for option in item["options"]], said)
    task = say({"single": "choose_one", "multiple": "choose_all"}.get(item["type"], "choose_countries"))
    marked = [
        f"{o['text']} ({say('mark_right' if o['right'] else 'mark_wrong')}): {o['feedback']}"
        for o in item["options"]
    ]
    return Text(task, [option["text"] for option in item["options"]], marked)


def _order(item: Item) -> Text:
    """Slots shuffled as in the widget, then in the right order with their feedback."""
    right = [f"{n}. {slot['text']}: {slot['feedback']}" for n, slot in enumerate(item["slots"], 1)]
    return Text(say("put_in_order"), [slot["text"] for slot in public(item)["slots"]], right)


def _pairs(item: Item) -> Text:
    """Match and classify: the lines and what they can go with, then each where it goes, and mistakes."""
    task = say("match_each" if item["type"] == "match" else "classify_each")
    lines = [*(pair["text"] for pair in item["pairs"]), say("choices", choices="; ".join(item["choices"]))]
    answer = []
    for pair in item["pairs"]:
        answer.append(f"{pair['text']} → {pair['goes']}: {pair['feedback']}")
        for wrong, said in pair.get("mistakes", {}).items():
            answer.append(f"{pair['text']} → {wrong} ({say('mark_wrong')}): {said}")
    return Text(task, lines, answer)


def _number(item: Item) -> Text:
    """A number: its unit, then what is right, and the wrong numbers that people give."""
    marked = [
        f"{_span(e)} {item['unit']} ({say('mark_right' if e['right'] else 'mark_wrong')}): {e['feedback']}"
        for e in item["numbers"]
    ]
    return Text(say("give_number"), [say("number_in", unit=item["unit"])], marked)


def _span(entry: Item) -> str:
    """Return 30, or 29 to 31."""
    low, high = number_range(entry)
    return f"{low}" if low == high else say("span", low=low, high=high)


def _probability(item: Item) -> Text:
    """A forecast question: dates and rule; there is no answer yet."""
    lines = [say("asked_on", asked=item["asked"], closes=item["closes"]), say("rule", rule=item["rule"])]
    return Text(say("give_probability"), lines, [])


RENDERERS: dict[str, Callable[[Item], Text]] = {
    "single": _choice,
    "multiple": _choice,
    "order": _order,
    "match": _pairs,
    "classify": _pairs,
    "number": _number,
    "region": _choice,
    "probability": _probability,
}


def foot(item: Item) -> list[str]:
    """Return what stands below an answer: the source line, the place in the lesson, after a vote the next item."""
    lines = [say("source", sources="; ".join(item["sources"]))] if item.get("sources") else []
    lines += [say("place", place=item["place"])] if item.get("place") else []
    return lines + ([say("twin", twin=item["twin"])] if item.get("vote") and item.get("twin") else [])


def answer_lines(item: Item) -> list[str]:
    """Return the answer of a question in plain lines."""
    text = RENDERERS[item["type"]](item)
    return [*(text.answer or [say("no_answer_yet")]), *foot(item)]


def twin_html(items: list[Item]) -> str:
    """Return the text version of some questions as HTML, everything in it escaped."""
    return f"<div><p><em>{escape(say('run_to_answer'))}</em></p>{'<hr>'.join(_html(i) for i in items)}</div>"


def twin_plain(items: list[Item]) -> str:
    """Return the text version of some questions as plain text, without answers."""
    lines = [say("title", lesson=items[0]["id"][:2])]
    for item in items:
        text = RENDERERS[item["type"]](item)
        lines += ["", f"{item['id']}  {item['stem']}", text.task, *(f"- {line}" for line in text.lines)]
    return "\n".join(lines)


def answer_html(item: Item) -> str:
    """Return the answer of one question as HTML."""
    return f"<div><p>{_head(item)}</p>{_list(answer_lines(item))}</div>"


def answer_plain(item: Item) -> str:
    """Return the answer of one question as plain text."""
    return "\n".join([f"{item['id']}  {item['stem']}", *(f"- {line}" for line in answer_lines(item))])


def _html(item: Item) -> str:
    text = RENDERERS[item["type"]](item)
    parts = [f"<p>{_head(item)}<br>{escape(text.task)}</p>", _list(text.lines)]
    for number, hint in enumerate(item["hints"], 1):
        parts.append(_folded(say("show_hint", n=number), f"<p>{escape(hint)}</p>"))
    if item.get("vote"):
        call = escape(f'answer("{item["id"]}")', quote=False)
        parts.append(f"<p>{escape(say('ask_for_answer'))} <code>{call}</code></p>")
    elif text.answer:
        shown = say("show_played" if item.get("played") else "show_answer")
        parts.append(_folded(shown, _list(answer_lines(item))))
    else:
        parts.append(f"<p>{escape(say('no_answer_yet'))}</p>")
    return "".join(parts)


def _head(item: Item) -> str:
    return f"<strong>{escape(item['id'])}</strong> {escape(item['stem'])}"


def _list(lines: list[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""


def _folded(summary: str, inside: str) -> str:
    # Two hints stand one below the other: the padding makes each 24 pixels high (WCAG 2.2, 2.5.8).
    return f'<details><summary style="padding:2px 0">{escape(summary)}</summary>{inside}</details>'
