"""What people hand in, with good will and without: nobody gets a wrong mark, and nobody touches anybody else's."""

import pytest

from tests.grading.conftest import LINUX, run_battery
from tests.grading.made_up import ATTACKS, FRESH_ATTACKS, HONEST, TASKS, cases

pytestmark = pytest.mark.skipif(not LINUX, reason="isolation needs Linux")


@pytest.fixture(scope="session")
def graded(user, tmp_path_factory):
    """What came of each case, and the folder in which it was graded, by kind."""
    found = {}

    def get(kind):
        if kind not in found:
            folder = tmp_path_factory.mktemp(f"{kind}-{user}")
            found[kind] = run_battery(kind, user, folder), folder / "battery"
        return found[kind]

    return get


def statuses(row):
    return {task: row[f"{task} status"] for task in TASKS}


def early(found):
    """On a busy machine a cell that eats memory may meet the clock before the limit: it is ended all the same."""
    return {task: "crashed" if status == "timed out" else status for task, status in found.items()}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_mishap_costs_nobody_anything(graded, name):
    made, _ = graded("honest")
    expected = dict.fromkeys(TASKS, "passed") | {"99.7": "pending"} | cases("honest", "")[name][1]
    assert statuses(made[name]) == expected, made[name]


@pytest.mark.parametrize("name", [*ATTACKS, *FRESH_ATTACKS])
def test_an_attack_earns_nothing_and_harms_nobody(graded, name):
    made, folder = graded("hostile")
    expected = cases("hostile", str(folder / "out"))[name][1]
    found = statuses(made[name])
    if "not passed" in expected.values():  # it broke its own reporter: nothing that it did not know is right
        assert found["99.1"] != "passed", made[name]
    else:
        assert early(found) == early(dict.fromkeys(TASKS, "passed") | {"99.7": "pending"} | expected), made[
            name
        ]


def test_fresh_data_is_never_shown(graded):
    made, folder = graded("hostile")
    for name in FRESH_ATTACKS:
        assert made[name]["99.6 note"] == "Right on the course's data, not on fresh data."
    for path in (folder / "out" / "feedback").iterdir():
        assert "LEAK" not in path.read_text("utf-8")


def test_nothing_that_a_student_writes_becomes_part_of_a_page(graded):
    _, folder = graded("hostile")
    for path in (folder / "out" / "feedback").iterdir():
        assert "<script" not in path.read_text("utf-8")
