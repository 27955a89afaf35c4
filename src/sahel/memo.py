"""Check the citations of a memo: do its ids exist, and is what is uncertain told as uncertain?

The check reads ids and words, nothing more. Whether an argument holds is for people to judge, by the rubric.
"""

import os
import re
from collections import defaultdict
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from sahel.data import load
from sahel.errors import BadValue

MAX_CHARACTERS = 100_000  # a memo of 1,000 words has about 7,000
_CITED = re.compile(r"(?i)\b(?:(?:source|table) [a-z0-9_-]+|(?:EV|SV|PS|RC|RL|[CEFKPQX])\d{2,6}\b)")
_HEADING = re.compile(r"(?m)^[*_ ]*(?:#.*|(?:To|From|Date|Subject)[*_ ]*:.*)$")
_SENTENCE_END = re.compile(r"(?<!\b[A-Z]\.)(?<!Gen\.)(?<!Col\.)(?<=[.!?])\s+|\n\s*(?:[-*]|\d+\.)\s")
# What must not be cited as if settled, and the words of which the same sentence needs one.
_WORD = r"brief [AB]|says?|said|tells?|told|writes?|wrote|argue\w*|claim(?:s|ed)|reported\w*|accord\w*"
_OPEN = (
    _WORD + r"|contest\w*|disput\w*|disagree\w*|interpret\w*|unverified|unconfirmed|not (?:found|verified)"
)
_TALK = r"rumou?r\w*|unfounded|baseless|(?:no|without) evidence|alleg\w*|accus\w*|suspect\w*|den(?:y|ie[sd])"
_MAYBE = r"(?-i:may)|might|could|would|perhaps|likely|expect\w*|plan(?:s|ned)?|assum\w*|hope[sd]?|percent"
_POLL = "not a national sample"
_BARE = "Paragraphs without a citation (one that only asks for something needs none)"
_CAUTION = {
    "contradicted": r"contradict\w*|wrong\w*|mistak\w*|errors?|incorrect\w*",
    "contested": _OPEN,
    "unverified": _OPEN,
    "rumour": _TALK,
    "allegation": _TALK,
    "forecast": _MAYBE,
    _POLL: r"niamey|towns?|countries|online|phone|not represent\w*|those asked|self-selected",
}


def check_memo(memo: str | os.PathLike[str], limit: int = 1000) -> None:
    """Print a short report on a memo's citations and length. It checks citations, not arguments.

    Args:
        memo: the text, or the name of a text file (one that ends in .md or .txt).
        limit: how many words the memo may have; ids and comments are not counted.

    What cannot be read (no such file, empty, far too long, not text) is answered with one sentence.
    """
    try:
        print("\n".join(_report(_read(memo), limit)))
    except BadValue as problem:
        print(problem)


def _read(memo: Any) -> str:
    """Return the memo's text without comments, or raise BadValue with one sentence."""
    if not isinstance(memo, str | os.PathLike):
        raise BadValue(f"check_memo needs a text or the name of a file; {type(memo).__name__} is neither.")
    text, what = str(memo), "The text"
    if isinstance(memo, os.PathLike) or re.fullmatch(r"[^\n]{1,300}\.(md|txt)\s*", text):
        what = f"The file {text.strip()!r}"
        try:
            with Path(text.strip()).open("rb") as file:
                text = file.read(8 * MAX_CHARACTERS).decode("utf-8-sig", "replace")
        except (OSError, ValueError):
            raise BadValue(
                f"{what} cannot be read. Look at its name and at this notebook's folder."
            ) from None
    if len(text) > MAX_CHARACTERS:
        raise BadValue(f"{what} is far too long for a memo: it has more than {MAX_CHARACTERS:,} characters.")
    if re.search("[\0\ufffd\ud800-\udfff]", text):
        raise BadValue(f"{what} is not plain text. Save it as a text file in UTF-8.")
    first, *rest = text.split("<!--")
    text = first + "".join(part.split("-->", 1)[-1] for part in rest)
    if not re.search(r"\w", text):
        raise BadValue(f"{what} is empty: there is nothing to check yet.")
    return text


@cache
def _known() -> dict[str, tuple[str, str]]:
    """Return {id: (what a memo's reader should be told of it, its check)}, blank where there is nothing."""
    rows = {name: load(name).astype(object).to_dict("records") for name in load.tables()["name"]}
    ids = [str(next(iter(row.values()))) for table in rows.values() for row in table]  # the first column
    ids += [f"source {row['source_id']}" for row in rows["sources"]] + [f"table {name}" for name in rows]
    known = dict.fromkeys(ids, ("", ""))
    known |= {r["fact_id"]: ("some doubt", "") for r in rows["record_facts"] if r["confidence"] != "high"}
    known |= {r["check_id"]: ("inferred", "") for r in rows["claim_checks"] if r["basis"] == "inference"}
    known |= {r["answer_id"]: (_POLL, "") for r in rows["surveys"] if r["representative"] != "country"}
    checks = {row["claim_id"]: row for row in rows["claim_checks"]}
    for claim in rows["claims"]:
        check = checks.get(claim["claim_id"]) or checks.get(claim["repeats"]) or {}
        status, check_id = check.get("verdict", "not checked"), check.get("check_id", "")
        if status == "confirmed":
            status = known[check_id][0]  # blank, or an inference
        elif claim["kind"] in _CAUTION:
            status = claim["kind"]
        known[claim["claim_id"]] = (status, check_id)
    return known


@cache
def _meant_as_id(words: str) -> bool:
    """Say whether words such as "source colpos" name a row that is not there, and are not plain prose."""
    return bool(re.search(r"[\d_-]", words) or get_close_matches(words.lower(), _known(), 1, cutoff=0.92))


def _report(text: str, limit: int) -> list[str]:
    """Return the report in plain lines: length, missing ids, what is told as settled, what stands bare."""
    known = _known()
    found: defaultdict[str, list[str]] = defaultdict(list)
    paragraphs = [part for part in re.split(r"\n\s*\n", _HEADING.sub("\n", text)) if re.search(r"\w", part)]
    for number, paragraph in enumerate(paragraphs, 1):
        cited = {one for one in _CITED.findall(paragraph) if one in known}
        if not cited:
            found[_BARE].append(f"paragraph {number}: {paragraph.strip()[:50]!r}")
        for sentence in _SENTENCE_END.split(paragraph):
            for one in dict.fromkeys(_CITED.findall(sentence)):
                status, check = known.get(one, ("", ""))
                told = re.search(rf"(?i)\b(?:{_CAUTION.get(status)})\b", sentence) or check in cited
                if one not in known and _meant_as_id(one):
                    near = get_close_matches(one.capitalize(), known, 9) or ["none"]
                    near.sort(key=one.capitalize().startswith, reverse=True)  # for F1270: F127 before F170
                    found["Ids that do not exist"].append(f"paragraph {number}: {one}; nearest: {near[0]}")
                elif status in _CAUTION and not told:
                    see = f"; see {check}" if check else ""
                    found["Cited as if settled"].append(f"paragraph {number}: {one}, {status}{see}")
                elif status:
                    found[f"Weigh as well ({status})"].append(one)
    count = len(re.findall(r"\w\S*", _CITED.sub(lambda one: "" if one[0] in known else one[0], text)))
    lines = ["This check reads citations and words. It cannot judge an argument."]
    lines.append(f"Words: {count:,} of at most {limit:,}{', too many' if count > limit else ''}.")
    for title in ("Ids that do not exist", "Cited as if settled", _BARE):
        lines += [f"{title}: {len(found[title]) or 'none'}.", *(f"- {one}" for one in found.pop(title)[:12])]
    return lines + [f"{title}: {', '.join(dict.fromkeys(ids))}." for title, ids in found.items()]
