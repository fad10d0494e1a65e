"""The latent codes around an input, as terminal tables and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from rich.console import Group, RenderableType
from rich.table import Table

from bnnverify.model.latent_code import bit_string
from bnnverify.model.network import Network
from bnnverify.report import numbers
from bnnverify.report.terminal import lines, table, witness_lines
from bnnverify.results.answers import Attempt
from bnnverify.results.codes import ClassCodes, entropy
from bnnverify.results.confusion import Confusion
from bnnverify.results.latent import Attribution, CodeShells, Latents

MOST_INPUTS = 10  # rows of an attribution, those with the most changes


def together(*parts: RenderableType | None) -> RenderableType:
    """Return the parts that are not None, one below the other."""
    return Group(*(part for part in parts if part is not None))


def latents_table(result: Latents, network: Network) -> RenderableType:
    """Return the counts per distance, class, latent bit and number of changed bits, then the conclusions."""
    shells = result.shells
    targets = [] if shells.stable else [_targets(shells)]
    witness = witness_lines(result.witness, network)
    return Group(_distances(shells), *targets, _bits(shells), _spectrum(result), lines([*latents_sentences(result), *witness]))


def latents_sentences(result: Latents) -> list[str]:
    """Return the conclusions from the counts: distance, code, margin, certificate and bound."""
    shells = result.shells
    distance = (
        "the class never changes" if shells.distance is None else f"the class changes at distance {shells.distance} (exact)"
    )
    stopped = [] if result.exact else [f"only radius {shells.radius} of {result.requested} is finished: {result.reason}"]
    return [
        f"{distance}; the code is the same up to distance {shells.code_stable_radius}",
        f"{shells.reachable} codes occur, entropy {entropy(shells.times.values()):.4f} bits",
        _margin(result),
        f"Markov: latent changes / (margin + 1) = {result.bound} >= {result.beyond} inputs beyond the margin "
        f">= {result.adversarial} adversarial",
        *stopped,
        f"{'exact' if result.exact else 'exact for the smaller radius'}, by enumeration in {numbers.seconds(result.seconds)}",
    ]


def _margin(result: Latents) -> str:
    """Return how many latent bits may change, how many do, and whether that proves the class stable."""
    tau = f"tail margin {'' if result.margin_exact else 'at least '}{result.margin}: any set of this many latent bits may change"
    most = f"at most {result.shells.most_flips} change"
    return f"{tau}; {most}, which " + ("proves the class stable" if result.certified else "is more, so the code proves nothing")


def _distances(shells: CodeShells) -> Table:
    title = f"ball of radius {shells.radius}: {numbers.integer(shells.size)} inputs around class {shells.predicted}"
    code = f"code {bit_string(shells.center, shells.width)} (bit 0 first)"
    made = table(f"{title}, {code}", ("flips", "inputs", "adversarial", "share", "other code", "share"))
    for shares, adversarial, changed in zip(shells.shells, shells.adversarial, shells.code_changes, strict=True):
        size = sum(shares.counts)
        cells = [(numbers.integer(count), numbers.share(Fraction(count, size))) for count in (adversarial, changed)]
        made.add_row(str(shares.distance), numbers.integer(size), *cells[0], *cells[1])
    return made


def _targets(shells: CodeShells) -> Table:
    made = table("adversarial inputs per class and number of flips", ("class", *map(str, range(shells.radius + 1))))
    for c in range(shells.classes):
        counts = [shares.counts[c] for shares in shells.shells]
        if c != shells.predicted and any(counts):
            made.add_row(str(c), *map(numbers.integer, counts))
    return made


def _bits(shells: CodeShells) -> Table:
    made = table("latent bits", ("bit", "here", "inputs that change it", "share"))
    for j, flips in enumerate(shells.flips):
        made.add_row(str(j), str(shells.center >> j & 1), numbers.integer(flips), numbers.share(Fraction(flips, shells.size)))
    return made


def _spectrum(result: Latents) -> Table:
    made = table("latent bits changed at once", ("bits", "inputs", "share", ""), texts=("",))
    for changed, count in enumerate(result.shells.spectrum()):
        if count or changed == result.margin:
            share = numbers.share(Fraction(count, result.shells.size))
            made.add_row(str(changed), numbers.integer(count), share, "margin" if changed == result.margin else "")
    return made


def attempts_table(attempts: Sequence[Attempt], distance: int | None) -> RenderableType:
    """Return the distances that attacks found, and the gaps to the exact distance, None where that is not known."""
    made = table("attacks", ("attack", "flips", "gap to exact", "inputs tried", "time"), texts=("attack",))
    for attempt in attempts:
        gap = "" if attempt.distance is None or distance is None else str(attempt.distance - distance)
        found = "none" if attempt.distance is None else str(attempt.distance)
        made.add_row(attempt.method, found, gap, str(attempt.evaluations), numbers.seconds(attempt.seconds))
    return made


def class_codes_table(codes: ClassCodes, shells: CodeShells) -> RenderableType:
    """Return each class's code, how many samples have it, and its distances from the other codes and the centre's."""
    columns = ("class", "code", "samples", "from here", *map(str, range(len(codes.codes))))
    made = table("class codes: bits in which they differ", columns)
    for label, (code, row, (hits, total)) in enumerate(zip(codes.codes, codes.separation, codes.times, strict=True)):
        distance = "" if code is None else str((code ^ shells.center).bit_count())
        cells = ["" if bits is None else str(bits) for bits in row]
        made.add_row(str(label), "" if code is None else bit_string(code, codes.width), f"{hits} of {total}", distance, *cells)
    least = f"the nearest two class codes differ in {codes.least} bits"
    return Group(made, lines([least if codes.least is not None else "fewer than two classes have a code"]))


def attribution_table(attribution: Attribution) -> RenderableType:
    """Return the positions whose flips coincide with the most changes of latent bits."""
    rows = sorted(enumerate(attribution.counts), key=lambda row: -sum(row[1]))[:MOST_INPUTS]
    width = len(attribution.counts[0]) if attribution.counts else 0
    title = f"inputs at which position and latent bit change together, the {len(rows)} positions with the most changes"
    made = table(title, ("position", "all", *map(str, range(width))))
    for position, counts in rows:
        made.add_row(str(position), numbers.integer(sum(counts)), *map(numbers.integer, counts))
    part = [] if attribution.exact else [f"of {attribution.seen} inputs, out of {attribution.size}: {attribution.reason}"]
    return Group(made, lines(part))


def confusion_table(confusion: Confusion, other: str) -> RenderableType:
    """Return at how many inputs two networks give different answers, per pair of answers."""
    made = table(f"where this network and {other} differ", ("this", "other", "inputs"))
    for c, row in enumerate(confusion.counts):
        for k, count in enumerate(row):
            if c != k and count.high:
                made.add_row(str(c), str(k), numbers.count(count))
    share = numbers.shares(confusion.apart, confusion.size)
    exactness = "exact" if confusion.exact else f"not exact: {confusion.reason}"
    closing = f"{exactness}, by {confusion.engine} in {numbers.seconds(confusion.seconds)}"
    return Group(made, lines([f"different answers at {numbers.count(confusion.apart)} inputs ({share})", closing]))
