"""Lesson 04 writes Krippendorff's alpha out in a cell: here that cell meets examples with published values.

K. Krippendorff, "Computing Krippendorff's Alpha-Reliability", University of Pennsylvania, 2011, sections A to C
(https://repository.upenn.edu/asc_papers/43). The paper itself was not opened. Data and values were taken from two
programs that check themselves against it; the value of C was worked out by hand from the formula as well.
"""

import pandas as pd
import pytest

from sahel_teacher.build import lesson_sources
from sahel_teacher.nb import read_source

# One line a coder, one sign a unit; a dot is a missing value. The values are those of the paper, to three places.
PUBLISHED = {
    "A, two coders, two codes": (["0100000010", "1110010000"], 0.095),
    "B, two coders, five codes": (["112243335441", "212223335444"], 0.692),
    "C, four coders, gaps": (["123321412...", "1233224125.3", ".3332342251.", "12332441251."], 0.743),
}


@pytest.fixture(scope="module")
def cell(root):
    """What the lesson's own cell defines: tally and alpha."""
    (source,) = lesson_sources(root, ["04"])
    (code,) = [c.source for c in read_source(source).cells if "def alpha(" in c.source]
    names = {"pd": pd}
    exec(code, names)
    return names


def as_table(coders):
    """Return codings as a student's file has them: one row a code that was given."""
    rows = [
        {"statement_id": f"u{unit:02}", "coder": coder, "code": code}
        for coder, codes in enumerate(coders)
        for unit, code in enumerate(codes)
        if code != "."
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("name", PUBLISHED)
def test_gives_the_published_value(cell, name):
    coders, value = PUBLISHED[name]
    assert round(cell["alpha"](cell["tally"](as_table(coders))), 3) == value


def test_agrees_with_the_hand_calculation(cell):
    # 40 values in units with two or more; pairs that agree 7 + 10 + 8 + 4 + 3 = 32; totals 9, 13, 10, 5 and 3:
    # 1 - 39 * (40 - 32) / (40**2 - 384) = 113/152
    coders, _ = PUBLISHED["C, four coders, gaps"]
    assert cell["alpha"](cell["tally"](as_table(coders))) == pytest.approx(113 / 152, abs=1e-12)


def test_full_agreement_is_one_and_nothing_to_compare_is_no_number(cell, recwarn):
    assert cell["alpha"](cell["tally"](as_table(["abca", "abca"]))) == 1
    for coders in (["abca"], ["aaaa", "aaaa"], ["ab..", "..ca"]):
        assert pd.isna(cell["alpha"](cell["tally"](as_table(coders))))
    assert not recwarn.list, "a student must not meet a warning"
