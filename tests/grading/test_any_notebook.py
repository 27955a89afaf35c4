"""Whatever a student can save: it is graded or refused with a sentence, never a traceback."""

import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sahel_teacher.grading.answers import Plan, Unreadable, plan
from sahel_teacher.grading.collect import cells_of
from sahel_teacher.grading.questions import open_set
from sahel_teacher.grading.run import understand
from tests.grading.made_up import ROOT, SETS, solved

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
SOURCES = st.text() | st.lists(st.text(), max_size=3) | ANY
IDS = st.sampled_from(
    [f"{role}-99-{n}" for role in ("answer", "check", "given", "statement") for n in range(9)]
)
METADATA = st.fixed_dictionaries({"nbgrader": st.fixed_dictionaries({"grade_id": IDS | ANY})}) | ANY
CELLS = st.lists(
    st.fixed_dictionaries(
        {
            "cell_type": st.sampled_from(["code", "markdown", "raw"]) | ANY,
            "metadata": METADATA,
            "source": SOURCES,
        }
    )
    | st.sampled_from(solved()["cells"])
    | ANY,
    max_size=12,
)


@pytest.fixture(scope="module")
def questions():
    return open_set(ROOT, "99", SETS)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(cells=CELLS, around=ANY)
def test_any_cells_give_a_plan_or_a_reason(questions, cells, around):
    content = json.dumps({"nbformat": 4, "cells": cells, "metadata": around}).encode()
    try:
        made = plan(cells_of(content), questions)
    except Unreadable:
        return
    assert isinstance(made, Plan)
    assert set(made.read) == set(made.answer)


@given(content=st.binary())
def test_any_bytes_are_no_notebook_or_have_cells(content):
    with suppress(Unreadable):
        assert isinstance(cells_of(content), list)


@given(line=st.binary() | ANY.map(lambda found: json.dumps(found).encode()))
def test_any_line_that_comes_out_of_a_child_is_a_message_or_nothing(line):
    assert len(understand(line)) <= 1
