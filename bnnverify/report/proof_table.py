"""The result of checking a folder of proofs, as a terminal table and sentences."""

from __future__ import annotations

from rich.console import Group, RenderableType

from bnnverify.report import numbers
from bnnverify.report.terminal import lines, readable, table
from bnnverify.results.proofs import Checked, Checking


def check_table(result: Checking) -> RenderableType:
    """Return a line per sample, then how many proofs are accepted and which model they concern."""
    columns = ("sample", "claim", "proof", "by", "clauses", "lemmas", "patterns", "bytes", "time")
    under = f", under {result.constraints} constraints" if result.constraints else ""
    title = f"proofs at radius {result.radius}, {result.free} bits may flip{under}"
    proofs = table(title, columns, texts=("claim", "proof", "by"))
    for row in result.rows:
        sizes = [str(size) if size else "" for size in (row.clauses, row.lemmas, row.patterns, row.bytes)]
        word = readable("accepted" if row.accepted else "REJECTED" if row.verdict != "UNKNOWN" else "none")
        proofs.add_row(str(row.index), row.verdict, word, row.by, *sizes, numbers.seconds(row.seconds))
    return Group(proofs, lines(check_sentences(result)))


def check_sentences(result: Checking) -> list[str]:
    """Return why proofs are rejected, the distances they prove, how many are accepted, and the model they concern."""
    refused = [f"sample {row.index}: {row.reason}" for row in result.rows if not row.accepted]
    accepted = [row.verdict for row in result.rows if row.accepted]
    counts = ", ".join(f"{accepted.count(verdict)} {verdict}" for verdict in dict.fromkeys(sorted(accepted))) or "none"
    missing = result.wanted - len(result.rows)
    absent = [f"{missing} of {result.wanted} samples have no row: the run that wrote them was interrupted"] if missing else []
    distances = [_distance(row, result.free) for row in result.rows if row.distance]
    return [*refused, *absent, *distances, f"accepted: {counts}; of {result.wanted} samples", f"model {result.model_sha256}"]


def _distance(row: Checked, free: int) -> str:
    """Return the smallest and the largest distance that the proof of an input allows."""
    low, high = row.distance or (1, None)
    if high == low:
        return f"distance of input {row.index} is exactly {low}: nothing nearer changes the answer, the witness does"
    if high is not None:
        return f"distance of input {row.index} is between {low} and {high}"
    least = f"more than {free}: no flips of the {free} bits change the answer" if low > free else f"at least {low}"
    return f"distance of input {row.index} is {least}"
