"""Where units of work run: threads of this process, or the workers of a dask.distributed cluster.

Workers must see the same files: they run on this machine, or TMPDIR names a folder that all machines share.
"""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

from sahel_teacher.grading.collect import NothingThere
from sahel_teacher.grading.run import close_all

WAIT = 15  # seconds for a cluster to answer


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
        try:
            # Not pure: a mark is never taken from what another run left in the cluster's memory.
            yield client.get_executor(pure=False), many
        finally:
            client.run(close_all, on_error="ignore")
