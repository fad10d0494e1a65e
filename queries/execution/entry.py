"""The file that a child process begins with: it loads this package from the parent's folder of it.

Nothing from the current folder is imported: `Process` starts Python with -P, so that neither that folder nor the one of this file
is searched for modules. The folders in PYTHONPATH are, as they were by the parent.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import select
import signal
import sys
from multiprocessing.connection import Connection


def main() -> None:
    """Call the function in the first message from the parent."""
    package, pipe, watched = sys.argv[1:]
    end_with_parent(int(watched))
    # Matrix products of numpy on one thread, before it is imported: every core has a process already.
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    load_package(package)
    parent = Connection(int(pipe))
    function, arguments = parent.recv()
    function(parent, *arguments)


def end_with_parent(watched: int) -> None:
    """Have the system end this process when the other end of the pipe closes, however the parent ended.

    SIGIO ends a process by default. Nothing in Python is needed for that: a solver may hold the interpreter for hours.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(watched, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(watched, fcntl.F_SETFL, fcntl.fcntl(watched, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([watched], [], [], 0)[0]:  # it had closed before
        os._exit(1)


def load_package(init: str) -> None:
    """Import bnnverify from this very file; no folder beside it is searched for anything else."""
    spec = importlib.util.spec_from_file_location("bnnverify", init, submodule_search_locations=[os.path.dirname(init)])  # noqa: PTH120
    if spec is None or spec.loader is None:
        raise ImportError(f"bnnverify: expected a package at {init}")
    module = importlib.util.module_from_spec(spec)
    sys.modules["bnnverify"] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    main()
