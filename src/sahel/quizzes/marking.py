"""Mark answers. A new type of question needs one function here, one in quiz.js and one in twin.py."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sahel.quizzes.bank import Item

# What the widget must not know before an answer, at any depth of an item.
_KEPT_BACK = {
    *("right", "feedback", "sources", "place", "ids", "goes", "mistakes", "numbers", "otherwise"),
    *("outcome", "thinking", "minutes", "as_of", "twin", "rev"),
}

# Marks for right and for wrong by how sure one is (A. R. Gardner-Medwin, certainty-based marking).
CERTAINTY = {1: (1, 0), 2: (2, -2), 3: (3, -6)}


@dataclass(frozen=True)
class Note:
    """One line of feedback: how it is marked (right, wrong, ordered, moved, played), about what, and why."""

    mark: str
    label: str
    feedback: str


@dataclass(frozen=True)
class Result:
    """What an answer earns.

    Attributes:
        score: from 0 to 1; None where nothing is right or wrong: a forecast (not yet), a role that is played.
        notes: feedback on what was chosen.
        missed: True where something right was not chosen (which one is not said).
    """

    score: float | None
    notes: list[Note] = field(default_factory=list)
    missed: bool = False

    @property
    def verdict(self) -> str:
        """Return right, partly, wrong; saved for a forecast, played for an answer given in a role."""
        if self.score is None:
            return "played" if self.notes else "saved"
        return "right" if self.score == 1 else "partly" if self.score > 0 else "wrong"


def mark(item: Item, choice: Any) -> Result:
    """Mark an answer.

    Args:
        item: the question.
        choice: positions of the chosen options, counted from 0 as they are shown (single, multiple); all
            positions in the order given (order); for each line the position of its choice (match, classify);
            a number (number); percent as a whole number (probability). A region is marked as multiple.

    Raises:
        ValueError: the choice is none that this question could have.
        KeyError: a type of question that this version does not know.
    """
    return MARKERS[item["type"]](item, choice)


def has_right_answer(item: Item) -> bool:
    """Say whether answers to a question can be right or wrong: not a forecast, and not one played in a role."""
    return item["type"] != "probability" and not item.get("played")


def public(item: Item) -> Item:
    """Return what the widget may know of a question before it is answered; slots come shuffled."""
    shown: Item = _without_answers(item)
    if item["type"] == "order":
        shown["slots"] = [shown["slots"][place] for place in shuffled(item)]
    return shown


def shuffled(item: Item) -> list[int]:
    """Return the right places of the slots in the order in which they are shown.

    Always the same for one id, and neither the right order nor its reverse: both could be guessed.
    """
    places = list(range(len(item["slots"])))
    mixed = sorted(places, key=lambda place: hashlib.sha256(f"{item['id']}|{place}".encode()).digest())
    return mixed if mixed not in (places, places[::-1]) else mixed[1:] + mixed[:1]


def certainty_marks(score: float, level: int) -> float:
    """Return the marks for an answer given with a level of certainty (1 to 3).

    What is partly right lies between the marks for wrong and for right, in proportion: so "fairly sure" pays
    above an expected score of 67 percent and "very sure" above 80, as for questions that are right or wrong.
    """
    right, wrong = CERTAINTY[level]
    return wrong + score * (right - wrong)


def _without_answers(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _without_answers(value) for key, value in part.items() if key not in _KEPT_BACK}
    return [_without_answers(value) for value in part] if isinstance(part, list) else part


def _positions(choice: Any, below: int) -> list[int]:
    """Return a choice as a list of different positions, or raise ValueError."""
    if not _are_positions(choice, below) or not choice or len(set(choice)) != len(choice):
        raise ValueError(f"not a choice among {below}: {choice!r}")
    return list(choice)


def _are_positions(choice: Any, below: int) -> bool:
    return isinstance(choice, list) and all(type(n) is int and 0 <= n < below for n in choice)


def _mark_multiple(item: Item, choice: Any) -> Result:
    """Right choices less wrong ones, as a share of all that are right; never below 0."""
    options = item["options"]
    chosen = [options[n] for n in _positions(choice, len(options))]
    hits = sum(option["right"] for option in chosen)
    possible = sum(option["right"] for option in options)
    score = max(0, 2 * hits - len(chosen)) / possible
    notes = [Note("right" if o["right"] else "wrong", o["text"], o["feedback"]) for o in chosen]
    return Result(score, notes, missed=hits < possible)


def _mark_single(item: Item, choice: Any) -> Result:
    """One choice: right or wrong, or in a played item neither."""
    if len(_positions(choice, len(item["options"]))) != 1:
        raise ValueError(f"more than one choice: {choice!r}")
    if item.get("played"):
        option = item["options"][choice[0]]
        return Result(None, [Note("played", option["text"], option["feedback"])])
    result = _mark_multiple(item, choice)
    return Result(result.score, result.notes)


def _mark_order(item: Item, choice: Any) -> Result:
    """Credit by the longest run of slots, gaps allowed, that stand in the right order among themselves.

    That run is the longest common subsequence of the given and the right order. One slot alone is always in
    order, so n slots with a longest run of k earn (k - 1) / (n - 1): the right order 1, its reverse 0.
    """
    slots = item["slots"]
    places = shuffled(item)
    given = [places[n] for n in _positions(choice, len(slots))]
    if len(given) != len(slots):
        raise ValueError(f"not all slots: {choice!r}")
    kept = _longest_rising(given)
    score = (len(kept) - 1) / (len(slots) - 1)
    notes = []
    for place in given:
        ordered = place in kept
        said = "" if ordered and score < 1 else slots[place]["feedback"]
        notes.append(Note("ordered" if ordered else "moved", slots[place]["text"], said))
    return Result(score, notes)


def _longest_rising(numbers: list[int]) -> list[int]:
    """Return a longest rising subsequence: the longest common one with the sorted numbers."""
    best: list[list[int]] = []  # best[i]: the longest that ends with numbers[i]
    for number in numbers:
        before = [run for run in best if run[-1] < number]
        best.append([*max(before, key=len, default=[]), number])
    return max(best, key=len)


def _mark_pairs(item: Item, choice: Any) -> Result:
    """Match and classify: each line that got what belongs to it earns its share."""
    pairs, choices = item["pairs"], item["choices"]
    if not _are_positions(choice, len(choices)) or len(choice) != len(pairs):
        raise ValueError(f"not a choice for each of {len(pairs)}: {choice!r}")
    notes = []
    for pair, given in zip(pairs, (choices[n] for n in choice), strict=True):
        said = pair.get("mistakes", {}).get(given, pair["feedback"])
        notes.append(Note("right" if given == pair["goes"] else "wrong", f"{pair['text']} → {given}", said))
    return Result(sum(note.mark == "right" for note in notes) / len(pairs), notes)


def number_range(entry: Item) -> tuple[Decimal, Decimal]:
    """Return the lowest and highest number that an entry of `numbers` stands for.

    Decimal, because 0.3 + 0.1 is more than 0.4 in floating point, and whoever stands at the edge is in.
    """
    value, span = (Decimal(str(entry.get(key, 0))) for key in ("value", "tolerance"))
    return Decimal(str(entry.get("from", value - span))), Decimal(str(entry.get("to", value + span)))


def _mark_number(item: Item, choice: Any) -> Result:
    """Right within the tolerance; a wrong number that people give has feedback of its own."""
    if type(choice) not in (int, float) or not Decimal(str(choice)).is_finite():
        raise ValueError(f"not a number as a choice: {choice!r}")
    said, right = item["otherwise"], False
    for entry in item["numbers"]:
        low, high = number_range(entry)
        if low <= Decimal(str(choice)) <= high:
            said, right = entry["feedback"], entry["right"]
    return Result(float(right), [Note("right" if right else "wrong", f"{choice} {item['unit']}", said)])


def _mark_probability(item: Item, choice: Any) -> Result:
    """Nothing is right or wrong yet: only see that it is a whole number of percent."""
    if type(choice) is not int or not 0 <= choice <= 100:
        raise ValueError(f"not a percentage: {choice!r}")
    return Result(None)


MARKERS: dict[str, Callable[[Item, Any], Result]] = {
    "single": _mark_single,
    "multiple": _mark_multiple,
    "order": _mark_order,
    "match": _mark_pairs,
    "classify": _mark_pairs,
    "number": _mark_number,
    "region": _mark_multiple,
    "probability": _mark_probability,
}
