"""Where units of work run: threads of this process, or the workers of a dask.distributed cluster.

Workers must see the same files: they run on this machine, or TMPDIR names a folder that all machines share.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from sahel_teacher.grading.collect import NothingThere
from sahel_teacher.grading.run import close_all

WAIT = 15  # seconds for a cluster to answer
LOST = 60  # seconds without any worker, after which none is waited for


@contextmanager
def open_executor(cluster: str, jobs: int) -> Iterator[tuple[Executor, int]]:
    """Give an executor and how many units it runs at once; close it at the end.

    Args:
        cluster: address of a scheduler, such as tcp://127.0.0.1:8786; empty for threads.
        jobs: how many threads.

    Raises:
        NothingThere: there is no such cluster, it has no workers, or the package for it is not installed.
    """
    if not cluster:
        with ThreadPoolExecutor(jobs) as threads:
            yield threads, jobs
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise NothingThere("--cluster needs the package distributed: install the extra teach.") from error
    try:
        client = Client(cluster, timeout=WAIT)
    except (OSError, ValueError, TimeoutError) as error:
        raise NothingThere(f"There is no cluster at {cluster}: {error}.") from error
    with client:
        if not (many := sum(client.nthreads().values())):
            raise NothingThere(f"The cluster at {cluster} has no workers. Start some, then call this again.")
        # Not pure: a mark is never taken from what another run left in the cluster's memory.
        executor, over = client.get_executor(pure=False), threading.Event()
        threading.Thread(target=_watch, args=(client, executor, over), daemon=True).start()
        try:
            yield executor, many
        finally:
            over.set()
            with suppress(Exception):  # nobody is left to be told
                client.run(close_all, on_error="ignore")


def _watch(client: Any, executor: Executor, over: threading.Event) -> None:
    """Cancel all work when no worker has been there for a while: dask would wait for one without end."""
    seen = time.monotonic()
    while not over.wait(1):
        with suppress(Exception):  # a scheduler that does not answer has no workers either
            if client.nthreads():
                seen = time.monotonic()
        if time.monotonic() - seen > LOST:
            executor.shutdown(wait=False)
            return
