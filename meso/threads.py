"""Share the work of a kernel between threads, range by range."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from os import getpid
from typing import TYPE_CHECKING, Any

from numba import get_num_threads

if TYPE_CHECKING:
    from collections.abc import Callable


def share(kernel: Callable[..., Any], count: int, *arguments: Any) -> list[Any]:
    """
    Call a kernel for consecutive parts of a range, one part a thread.

    Parameters
    ----------
    kernel : callable
        Compiled without the interpreter's lock (``nogil``); takes the first index of its part, the index after the last,
        and the arguments.
    count : int
        Length of the range.
    *arguments : Any
        What else the kernel takes.

    Returns
    -------
    list
        What the calls returned, in the order of the parts.

    Notes
    -----
    The number of threads is Numba's (``numba.set_num_threads``, ``NUMBA_NUM_THREADS``). Waiting threads sleep, so that a
    crowded machine costs nothing, and several threads of a program may solve at the same time. Kernels must give the
    same bits however the range is cut.
    """
    threads = max(1, min(get_num_threads(), count))
    bounds = [part * count // threads for part in range(threads + 1)]
    others = [
        _pool(getpid(), threads).submit(kernel, first, last, *arguments)
        for first, last in pairwise(bounds[1:])
    ]
    return [kernel(bounds[0], bounds[1], *arguments), *(other.result() for other in others)]


@cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """Threads that help the calling one; a forked process gets its own."""
    del process
    return ThreadPoolExecutor(threads - 1, thread_name_prefix="meso")
