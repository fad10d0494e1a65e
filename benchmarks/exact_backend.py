"""The pseudo-Boolean solver exact on a written question, in a process of its own: only to compare with."""

from __future__ import annotations

from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import monotonic

from bnnverify import Query
from bnnverify.encoders.formula_file import lines


def present() -> bool:
    """Return whether exact is installed."""
    return find_spec("exact") is not None


def answered(query: Query, limit: float) -> tuple[str, float]:
    """Return VULNERABLE, ROBUST or UNKNOWN, and the seconds from the query to the answer; UNKNOWN too when the process dies."""
    started = monotonic()
    context = get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_solve, args=(query, theirs))
    child.start()
    theirs.close()
    try:
        verdict = str(ours.recv()) if ours.poll(limit) else "UNKNOWN"
    except EOFError:
        verdict = "UNKNOWN"
    child.kill()
    child.join()
    return verdict, monotonic() - started


def _solve(query: Query, pipe: Connection) -> None:
    """Read the OPB text as a stranger would, and answer."""
    import exact

    solver = exact.Exact()
    flips = []
    for line in lines(query, "opb"):
        if line.startswith("*"):
            if line.startswith("* #variable="):
                for number in range(1, int(line.split()[2]) + 1):
                    solver.addVariable(f"x{number}", 0, 1)
            elif "is flipped" in line:
                flips.append((line.split()[1].rstrip(":"), int(line.split()[4])))
            continue
        *terms, _, bound, _ = line.split()
        solver.addConstraint([(int(w), x) for w, x in zip(terms[::2], terms[1::2], strict=True)], True, int(bound), False, 0)
    found = solver.runFull(False, 0) == "SAT" or solver.hasSolution()
    if found:
        point = query.region.center.copy()
        for value, (_, position) in zip(solver.getLastSolutionFor([x for x, _ in flips]), flips, strict=True):
            point[position] ^= value
        found = query.network(point) in query.targets and point in query.region
        pipe.send("VULNERABLE" if found else "a wrong witness")
    else:
        pipe.send("ROBUST")
