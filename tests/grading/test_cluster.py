"""A cluster gives the same marks as threads, also when a worker dies half-way."""

import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sahel_teacher.__main__ import main
from sahel_teacher.grading.cluster import open_executor
from sahel_teacher.grading.collect import NothingThere
from sahel_teacher.grading.marks import Marks
from tests.grading.conftest import LINUX
from tests.grading.made_up import SETS, solved
from tests.grading.test_executors import marks_with

distributed = pytest.importorskip("distributed")


@pytest.mark.skipif(not LINUX, reason="isolation needs Linux")
def test_two_workers_one_killed_half_way_give_the_same_marks(tmp_path):
    threads = marks_with(ThreadPoolExecutor(2), tmp_path / "threads.sqlite")
    workers = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with workers, open_executor(workers.scheduler_address, 1) as (executor, at_once):
        assert at_once == 2
        victim = next(iter(executor._client.run(os.getpid).values()))
        killed = []

        def kill_one_at_work():
            while not any(executor._client.processing().values()):
                time.sleep(0.05)
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)

        threading.Thread(target=kill_one_at_work, daemon=True).start()
        assert marks_with(executor, tmp_path / "cluster.sqlite") == threads
    assert killed


def test_an_address_where_nothing_is_gives_one_sentence(monkeypatch):
    monkeypatch.setattr("sahel_teacher.grading.cluster.WAIT", 1)
    with pytest.raises(NothingThere, match="no cluster at"), open_executor("tcp://127.0.0.1:9", 1):
        pass


@pytest.mark.skipif(not LINUX, reason="isolation needs Linux")
def test_where_all_workers_are_lost_it_stops_in_time_and_keeps_what_is_graded(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sahel_teacher.grading.cluster.LOST", 2)
    (tmp_path / "in").mkdir()
    for n in range(80):
        nb = solved() | {"metadata": {"n": n}}
        (tmp_path / "in" / f"s{n}.ipynb").write_text(json.dumps(nb), encoding="utf-8")
    add, kept = Marks.add, []

    def add_then_lose(*arguments):
        add(*arguments)
        kept.append(arguments)
        if len(kept) == 1:
            workers.scale(0)

    monkeypatch.setattr(Marks, "add", add_then_lose)
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as workers:
        options = [
            "--sets",
            str(SETS),
            "--out",
            str(tmp_path / "out"),
            "--cluster",
            workers.scheduler_address,
        ]
        assert main(["grade", "99", str(tmp_path / "in"), *options]) == 3
    assert "no worker left" in capsys.readouterr().out
    with Marks(tmp_path / "out" / "marks.sqlite") as marks:
        assert 1 <= len(marks.students()) < 80
