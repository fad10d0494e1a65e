"""What checking a folder of proofs came to, as a terminal table and sentences."""

from __future__ import annotations

from rich.console import Group, RenderableType

from bnnverify.report import numbers
from bnnverify.report.terminal import lines, readable, table
from bnnverify.results.proofs import Checked, Checking


def check_table(result: Checking) -> RenderableType:
    """Return a line per sample, then how many proofs hold and what they are about."""
    columns = ("sample", "claim", "proof", "by", "clauses", "lemmas", "patterns", "bytes", "time")
    made = table(f"proofs at radius {result.radius}, {result.free} bits may flip", columns, texts=("claim", "proof", "by"))
    for row in result.rows:
        sizes = [str(size) if size else "" for size in (row.clauses, row.lemmas, row.patterns, row.bytes)]
        word = readable("accepted" if row.accepted else "REJECTED" if row.verdict != "UNKNOWN" else "none")
        made.add_row(str(row.index), row.verdict, word, row.by, *sizes, numbers.seconds(row.seconds))
    return Group(made, lines(check_sentences(result)))


def check_sentences(result: Checking) -> list[str]:
    """Return why proofs are not accepted, what is shown of distances, how many are accepted, and about which model."""
    refused = [f"sample {row.index}: {row.reason}" for row in result.rows if not row.accepted]
    accepted = [row.verdict for row in result.rows if row.accepted]
    told = ", ".join(f"{accepted.count(verdict)} {verdict}" for verdict in dict.fromkeys(sorted(accepted))) or "none"
    missing = result.wanted - len(result.rows)
    absent = [f"{missing} of {result.wanted} samples have no row: the run that wrote them was interrupted"] if missing else []
    near = [_distance(row, result.free) for row in result.rows if row.distance]
    return [*refused, *absent, *near, f"accepted: {told}; of {result.wanted} samples", f"model {result.model_sha256}"]


def _distance(row: Checked, free: int) -> str:
    """Return between how many flips the distance of an input is shown to lie."""
    low, high = row.distance or (1, None)
    if high == low:
        return f"distance of input {row.index} is exactly {low}: nothing nearer changes the answer, the witness does"
    if high is not None:
        return f"distance of input {row.index} is between {low} and {high}"
    least = f"more than {free}: no flips of the {free} bits change the answer" if low > free else f"at least {low}"
    return f"distance of input {row.index} is {least}"
