"""A lesson's answers as one short code, such as 04-8KQ3-01ZD-7M2X-9V4T, for a class without a server.

A code holds the first and the second answer to each question, how sure one was at the first, and the role that
one played: no name, no pseudonym, no time. All of it is one whole number (mixed radix), written in Crockford's
base 32: O is read as 0, I and L as 1, small letters as capitals; hyphens and spaces say nothing.

Two characters after the lesson are a mark of the version of its questions; the last two make the whole number
leave 1 when divided by 1021, as in ISO 7064. 1021 is a prime that divides no 32**n * (a - b) and no
32**n * 31 * (a - b), so one wrong character, or two neighbours swapped, are always found; other mistakes
escape once in 1021 times. A missing character is always found, because lengths go in steps of two.
"""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, NamedTuple

from sahel.quizzes import bank, marking, store
from sahel.quizzes.bank import Item, QuizTrouble, say

FORMAT = 1  # raise it when the same answers would make another code
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
FORGIVEN = str.maketrans("OIL", "011", " -\u00ad\u2010\u2011\u2012\u2013\u2014\u2212\u00a0\t\n\r_")
PRIME = 1021
STEP = 5  # percent: how fine a forecast is told
TENTHS = 10  # how fine it is told how much of an order, match or classify was right


class Kept(NamedTuple):
    """What a code keeps of the answers to one question, each as a number (see `answer_number`).

    `second` is None where there was one answer. For a question with a vote it is the second answer, which comes
    before the explanation; for any other it is the last. `sure` is 1 to 3, or 0 where it was not asked.
    """

    first: int
    second: int | None
    sure: int


class Sheet(NamedTuple):
    """One student's answers to a lesson: the id of the role played (or ""), and what is kept by question."""

    lesson: str
    role: str
    kept: dict[str, Kept]


def class_code(lesson: str, role: str = "") -> None:
    """Print a code with your answers to a lesson, for the class's board. What cannot be made says so.

    Args:
        lesson: such as "04".
        role: the side that you played, where the lesson has roles: its name or its id.
    """
    try:
        items = bank.find(lesson)
        form = form_of(items[0]["id"][:2])
        answers, notice = store.read(form.lesson)
        sheet = Sheet(form.lesson, form.role_id(role), form.keep(answers))
        if not sheet.kept:
            raise QuizTrouble(" ".join(filter(None, [notice, say("code_empty", lesson=form.lesson)])))
    except QuizTrouble as trouble:
        print(trouble)
        return
    print(form.write(sheet))
    print(say("code_sent", done=len(sheet.kept), total=len(form.items)))
    if form.roles and not sheet.role and any(item.get("played") for item in form.items):
        print(say("code_role", lesson=form.lesson, roles=form.role_names))


# --- one answer as a number ------------------------------------------------------------------------------


def answer_numbers(item: Item) -> int:
    """Return how many different answers to a question a code can tell apart."""
    kind = item["type"]
    if kind == "single":
        return len(item["options"])
    if kind in ("multiple", "region"):
        return 2 ** len(item["options"]) - 1
    if kind == "probability":
        return 2 * (100 // STEP + 1)
    return 2 if kind == "number" else TENTHS + 1


def answer_number(item: Item, attempt: store.Attempt) -> int:
    """Return an answer as a number from 0 to below `answer_numbers`; `chosen` and others read it back.

    Raises:
        ValueError: the question cannot have this answer.
    """
    choice = attempt["choice"]
    score = marking.mark(item, choice).score
    if item["type"] == "single":
        return int(choice[0])
    if item["type"] in ("multiple", "region"):
        return sum(1 << n for n in choice) - 1  # never nothing chosen
    if item["type"] == "probability":
        return 2 * ((choice + STEP // 2) // STEP) + bool(attempt.get("known"))
    return int((score or 0) * (answer_numbers(item) - 1) + 1e-9)


def chosen(item: Item, number: int) -> list[int]:
    """Return the positions of the options that an answer chose (single, multiple, region)."""
    if item["type"] == "single":
        return [number]
    return [n for n in range(len(item["options"])) if (number + 1) >> n & 1]


def forecast(number: int) -> tuple[int, bool]:
    """Return percent (in steps of 5) and whether the outcome was known already (probability)."""
    return number // 2 * STEP, bool(number % 2)


def credit(item: Item, number: int) -> float | None:
    """Return the score of an answer, 0 to 1 (order, match, classify: in tenths, rounded down), or None."""
    if "options" in item:
        return marking.mark(item, chosen(item, number)).score
    return None if item["type"] == "probability" else number / (answer_numbers(item) - 1)


def keep(item: Item, attempts: Iterable[store.Attempt]) -> Kept | None:
    """Return what a code keeps of the answers to a question as it stands now, or None where there are none."""
    found: list[tuple[int, Any]] = []
    for attempt in attempts:
        with suppress(ValueError):  # somebody has edited the file of answers
            if attempt["rev"] == item["rev"]:
                found.append((answer_number(item, attempt), attempt.get("confidence")))
    if not found:
        return None
    first, sure = found[0]
    later = [number for number, _ in found[1:]]
    second = (
        (later[0] if item.get("vote") else later[-1]) if later and item["type"] != "probability" else None
    )
    told = marking.has_right_answer(item) and type(sure) is int and sure in marking.CERTAINTY
    return Kept(first, second, sure if told else 0)


# --- a lesson's code -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Form:
    """How the codes of one lesson are written and read: its questions, and its roles as {id: name}."""

    lesson: str
    items: list[Item]
    roles: dict[str, str]

    @property
    def role_names(self) -> str:
        """Return the roles as a text: name, and in brackets the id where it is another word."""
        return "; ".join(f"{name} ({key})" if key != name else name for key, name in self.roles.items())

    @cached_property
    def version(self) -> str:
        """Return two characters that differ (but once in 1024 times) when questions or roles change."""
        core = [FORMAT, [[i["id"], i["rev"], bool(i.get("vote"))] for i in self.items], list(self.roles)]
        digest = hashlib.sha256(json.dumps(core).encode()).digest()
        return _digits(int.from_bytes(digest[:8]) % 1024, 2)

    def role_id(self, role: object) -> str:
        """Return the id of a role given by id or name; "" for "".

        Raises:
            QuizTrouble: there is no such role.
        """
        if role == "":
            return ""
        wanted = str(role).casefold().strip()
        for key, name in self.roles.items():
            if wanted in (key.casefold(), name.casefold()):
                return key
        if not self.roles:
            raise QuizTrouble(say("code_no_roles", lesson=self.lesson))
        raise QuizTrouble(say("code_bad_role", role=role, lesson=self.lesson, roles=self.role_names))

    def keep(self, answers: store.Answers) -> dict[str, Kept]:
        """Return what a code keeps of all answers to the lesson, by question."""
        found = {item["id"]: keep(item, answers.get(item["id"], [])) for item in self.items}
        return {key: kept for key, kept in found.items() if kept}

    def write(self, sheet: Sheet) -> str:
        """Return the code of a sheet."""
        told = int(any(kept.sure for kept in sheet.kept.values()))
        number = [*self.roles].index(sheet.role) + 1 if sheet.role else 0
        for item, (size, seconds, levels) in zip(self.items, self._sizes[told], strict=True):
            state = 0
            if kept := sheet.kept.get(item["id"]):
                second = 0 if kept.second is None else kept.second + 1
                state = 1 + (kept.first * seconds + second) * levels + kept.sure
            number = number * size + state
        text = self.lesson + self.version + _digits(2 * number + told, self._length(told))
        text += _digits((1 - _value(text) * 1024) % PRIME, 2)
        return "-".join([text[:2], *(text[n : n + 4] for n in range(2, len(text), 4))])

    def unpack(self, text: str) -> Sheet | None:
        """Return the sheet in a code without its separators, or None where the number is too large for any."""
        number, told = divmod(_value(text[4:-2]), 2)
        if number >= self._total(told):
            return None
        answers: dict[str, Kept] = {}
        for item, (size, seconds, levels) in [*zip(self.items, self._sizes[told], strict=True)][::-1]:
            number, state = divmod(number, size)
            if state:
                rest, sure = divmod(state - 1, levels)
                first, second = divmod(rest, seconds)
                answers[item["id"]] = Kept(first, second - 1 if second else None, sure)
        return Sheet(self.lesson, ["", *self.roles][number], dict(reversed(answers.items())))

    @cached_property
    def lengths(self) -> set[int]:
        """Return how many characters a code of this lesson can have: one length with certainty, one without."""
        return {self._length(told) + 6 for told in (0, 1)}

    @cached_property
    def _sizes(self) -> list[list[tuple[int, int, int]]]:
        """Return, without and with certainty, for each question: the states of all it keeps, of its second
        answer, and of certainty."""
        return [[_size(item, told) for item in self.items] for told in (False, True)]

    def _total(self, told: int) -> int:
        return (len(self.roles) + 1) * prod(size for size, _, _ in self._sizes[told])

    def _length(self, told: int) -> int:
        """Return how many characters the number takes, in steps of two."""
        needed = -(-(2 * self._total(told) - 1).bit_length() // 5)
        return needed + needed % 2


def form_of(lesson: str) -> Form:
    """Return the form of a lesson's codes. Raises QuizTrouble where its questions cannot be read."""
    return Form(lesson, bank.items(lesson), bank.roles(lesson))


def bare(text: str) -> str:
    """Return a code in capitals, without separators, O as 0 and I and L as 1."""
    return text.upper().translate(FORGIVEN)


def read_code(text: str, forms: dict[str, Form]) -> Sheet:
    """Read a code.

    Args:
        text: the code as somebody typed or pasted it.
        forms: the lessons' forms by number.

    Raises:
        QuizTrouble: what is wrong with it, in one sentence without the code itself.
    """
    code = bare(text)
    strange = sorted(set(code) - set(DIGITS))
    if strange:
        raise QuizTrouble(f"No code has the character {', '.join(strange)}.")
    form = forms.get(code[:2])
    right_length = form is not None and len(code) in form.lengths
    if len(code) < 8 or _value(code) % PRIME != 1:
        if form and not right_length:
            lengths = " or ".join(map(str, sorted(form.lengths)))
            raise QuizTrouble(
                f"It has {len(code)} characters without hyphens, not {lengths}: something is missing or too much."
            )
        raise QuizTrouble(
            "Its check characters do not fit: a character is wrong, missing, or two are swapped."
        )
    if form is None:
        raise QuizTrouble(f"It is for lesson {code[:2]}, which has no questions here.")
    if code[2:4] != form.version:
        raise QuizTrouble(f"It was made with another version of the questions of lesson {form.lesson}.")
    sheet = form.unpack(code) if right_length else None
    if sheet is None:
        raise QuizTrouble("It fits no answers to the questions: characters are wrong, missing or too much.")
    return sheet


def _size(item: Item, told: bool) -> tuple[int, int, int]:
    numbers = answer_numbers(item)
    seconds = (
        1 if item["type"] == "probability" else numbers + 1
    )  # of a forecast only the first answer counts
    levels = len(marking.CERTAINTY) + 1 if told and marking.has_right_answer(item) else 1
    return 1 + numbers * seconds * levels, seconds, levels


def _digits(number: int, length: int) -> str:
    return "".join(DIGITS[number >> 5 * n & 31] for n in reversed(range(length)))


def _value(text: str) -> int:
    number = 0
    for character in text:
        number = number * 32 + DIGITS.index(character)
    return number
