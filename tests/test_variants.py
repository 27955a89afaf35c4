"""Variants: fresh data for grading that keeps every rule of the tables and comes back the same from its seed."""

import json
import os
import tempfile
import time
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sahel import load
from sahel_teacher import tables
from sahel_teacher.errors import BuildError
from sahel_teacher.variants import changed_tables, make_variant, reading

COURSE = Path(__file__).resolve().parents[1] / "data"
MADE_UP = Path(__file__).resolve().parent / "exercise_set" / "data"
DEATHS = ["deaths_low", "deaths_best", "deaths_high"]
# One recipe for each kind of damage that a careless step could do.
RECIPES = [
    [{"table": "claims", "drop": 0.15}],
    [{"table": "sources", "drop": 0.05}],
    [{"table": "violence", "scale": DEATHS, "by": 0.3}],
    [{"table": "surveys", "scale": ["percent"], "by": 0.5}],
    [{"table": "events", "shift": ["earliest", "latest"], "days": 40}],
    [{"table": "events", "permute": ["moved_by", "moved_against", "act"], "within": ["type"]}],
    [{"table": "coups", "permute": ["date"]}, {"table": "coups", "drop": 0.2}],
]
SEEDS = st.integers(0, 2**31)


def made(data, recipe, seed):
    """Make a variant; return its folder object (keep it as long as the files are needed) and its path."""
    holder = tempfile.TemporaryDirectory()
    make_variant(data, recipe, seed, Path(holder.name) / "data")
    return holder, Path(holder.name) / "data"


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: f"{recipe[0]['table']}-{len(recipe)}")
@settings(max_examples=5, deadline=None)
@given(seed=SEEDS)
def test_a_variant_keeps_every_rule_of_the_tables(recipe, seed):
    holder, folder = made(COURSE, recipe, seed)
    with holder:
        changed = changed_tables(COURSE, folder)
        assert recipe[0]["table"] in changed
        assert tables.schema_faults(folder, changed) == []
        assert [fault for fault in tables.property_faults(folder) if ", row " in fault] == []


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, step=st.sampled_from(["drop", "scale", "permute", "shift"]))
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(seed, step):
    options = {
        "drop": {"drop": 0.3},
        "scale": {"scale": ["weight", "height"], "by": 0.9},
        "permute": {"permute": ["weight", "packed"], "within": ["colour"]},
        "shift": {"shift": ["packed"], "days": 300},
    }
    recipe = [{"table": "boxes", **options[step]}]
    variants = [made(MADE_UP, recipe, each) for each in (seed, seed, seed + 1)]
    first, again, other = (content(folder) for _, folder in variants)
    assert first == again
    assert first != other
    assert tables.schema_faults(variants[0][1]) == []
    for holder, _ in variants:
        holder.cleanup()


def test_a_whole_folder_is_made_that_load_reads_and_that_is_as_its_package_says(tmp_path):
    recipe = [{"table": "violence", "drop": 0.15}]
    before = load("violence")
    make_variant(COURSE, recipe, 1, tmp_path / "data")
    with reading(tmp_path / "data"):
        after = load("violence")
        assert len(load("events")) > 100
    assert "SAHEL_DATA" not in os.environ
    assert len(after) == len(before) - round(0.15 * len(before))
    package = json.loads((tmp_path / "data" / "datapackage.json").read_text("utf-8"))
    for resource in package["resources"]:
        own = dict(resource)
        tables.stamp(own, (tmp_path / "data" / resource["path"]).read_bytes())
        assert own == resource, resource["name"]
    assert content(COURSE)["violence.csv"] != content(tmp_path / "data")["violence.csv"]


def test_what_refers_to_a_row_that_is_gone_goes_too_and_an_optional_key_is_blanked(tmp_path):
    make_variant(MADE_UP, [{"table": "boxes", "drop": 0.5}], 1, tmp_path / "data")
    with reading(tmp_path / "data"):
        boxes, labels = load("boxes"), load("labels")
    with reading(MADE_UP):
        old = load("boxes").set_index("box")
    assert set(labels["box"]) <= set(boxes["box"])
    assert set(boxes["inside"].dropna()) <= set(boxes["box"])
    lost = boxes[boxes["inside"].isna() & boxes["box"].map(old["inside"]).notna()]
    assert len(lost) > 0, "a box that lay in a box that is gone stays, and its key is blank"


def test_numbers_of_a_row_move_together_and_whole_ones_stay_whole(tmp_path):
    make_variant(COURSE, [{"table": "violence", "scale": DEATHS, "by": 0.3}], 7, tmp_path / "data")
    before = load("violence")
    with reading(tmp_path / "data"):
        after = load("violence")
    assert str(after["deaths_best"].dtype) == "Int64"
    in_order = before["deaths_low"] <= before["deaths_best"]
    assert (after["deaths_low"] <= after["deaths_best"])[in_order].all()
    large = before["deaths_best"] > 1000
    ratio = after["deaths_best"][large] / before["deaths_best"][large]
    assert ratio.between(0.69, 1.31).all()
    assert ratio.nunique() > 10


def test_dates_of_a_row_move_together_and_the_order_of_rows_stays(tmp_path):
    make_variant(
        COURSE, [{"table": "events", "shift": ["earliest", "latest"], "days": 40}], 7, tmp_path / "data"
    )
    before = load("events")
    with reading(tmp_path / "data"):
        after = load("events")
    assert list(after["event_id"]) == list(before["event_id"])
    moved = (after["earliest"] - before["earliest"]).dt.days
    assert (moved == (after["latest"] - before["latest"]).dt.days).all()
    assert moved.abs().max() <= 40
    assert (moved != 0).mean() > 0.5


def test_values_are_only_shuffled_within_their_group(tmp_path):
    recipe = [{"table": "boxes", "permute": ["weight", "packed"], "within": ["colour"]}]
    make_variant(MADE_UP, recipe, 3, tmp_path / "data")
    columns = ["colour", "weight", "packed"]
    old, new = (pd.read_csv(folder / "boxes.csv") for folder in (MADE_UP, tmp_path / "data"))
    assert sorted(map(tuple, old[columns].values)) == sorted(map(tuple, new[columns].values))
    assert not old["weight"].equals(new["weight"])
    assert old[["box", "colour", "height"]].equals(new[["box", "colour", "height"]])


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("more_boxes", "a recipe is a list of steps"),
        ([], "a recipe is a list of steps"),
        ([{"table": "crates", "drop": 0.1}], "names no table"),
        ([{"table": "boxes", "sort": ["weight"]}], "needs one operation of drop, permute, scale, shift"),
        ([{"table": "boxes", "drop": 0.1, "scale": ["weight"], "by": 0.1}], "needs one operation"),
        ([{"table": "boxes", "drop": 1.5}], "needs drop, a number between 0 and 1"),
        ([{"table": "boxes", "scale": ["weight"]}], "needs by, a number between 0 and 1"),
        ([{"table": "boxes", "shift": ["packed"], "days": 0}], "needs days, a whole number from 1"),
        ([{"table": "boxes", "permute": ["wieght"]}], "boxes has no column wieght"),
        ([{"table": "boxes", "permute": ["weight"], "within": ["hue"]}], "boxes has no column hue"),
        ([{"table": "boxes", "permute": "weight"}], "needs lists of columns"),
        ([{"table": "boxes", "shift": ["weight"], "days": 3}], "needs columns of type date, not integer"),
        ([{"table": "boxes", "drop": 0.1, "by": 0.2}], "has an unknown part: by"),
        ([{"table": "boxes", "permute": ["weight"], "within": ["box"]}], "changes nothing with seed 1"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused_and_nothing_is_written(tmp_path, recipe, words):
    with pytest.raises(BuildError, match=words):
        make_variant(MADE_UP, recipe, 1, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_variant_is_made_while_a_grader_waits(tmp_path):
    times = []
    for seed in range(3):
        started = time.process_time()  # others may be at work on this machine
        make_variant(COURSE, [{"table": "claims", "drop": 0.15}], seed, tmp_path / str(seed))
        times.append(time.process_time() - started)
    assert min(times) < 0.3
