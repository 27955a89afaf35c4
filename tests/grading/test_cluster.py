"""A cluster gives the same marks as threads, also when a worker dies half-way."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sahel_teacher.grading.cluster import open_executor
from sahel_teacher.grading.collect import NothingThere
from tests.grading.conftest import LINUX
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
