"""Results as terminal tables and sentences."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bnnverify.model.network import Network
from bnnverify.report import numbers, picture
from bnnverify.report.sentences import (
    attack_sentence,
    certify_sentences,
    count_sentences,
    distance_sentence,
    proof_sentence,
    record_sentences,
    region_words,
    trained_rows,
)
from bnnverify.results.answers import AttackResult, CountResult, Distance
from bnnverify.results.certification import Certification
from bnnverify.results.comparison import Comparison, Conclusion, PairedComparison
from bnnverify.results.counts import Count
from bnnverify.results.finding import Verdict, Witness
from bnnverify.results.proofs import Proven

CONCLUSIONS = {Conclusion.BETTER: "green", Conclusion.WORSE: "red", Conclusion.COLLAPSED: "yellow"}
STYLES = {Verdict.ROBUST: "green", Verdict.VULNERABLE: "red", Verdict.UNKNOWN: "yellow"}


def table(title: str, columns: Iterable[str], texts: Container[str] = ()) -> Table:
    """Return an empty table; columns are aligned as numbers, those in texts as words."""
    made = _plain(title)
    for column in columns:
        made.add_column(column, justify="left" if column in texts else "right")
    return made


def _plain(title: str) -> Table:
    """Return a table without columns, narrow enough that eight of them fit 80 characters."""
    made = Table(title=Text.styled(readable(title).plain, "bold"), title_justify="left", box=SIMPLE_HEAD)
    made.show_edge, made.pad_edge, made.padding = False, False, (0, 1, 0, 0)
    return made


def readable(words: str) -> Text:
    """Return text of a file unchanged: without markup, and without characters that control a terminal."""
    return Text("".join(letter if letter.isprintable() else "?" for letter in words))


def lines(sentences: Iterable[str]) -> Text:
    """Return sentences, one per line."""
    return Text("\n").join(readable(line) for sentence in sentences for line in sentence.splitlines())


def verbatim(commands: Iterable[str]) -> Text:
    """Return lines that are never wrapped, so that they can be copied."""
    return Text("\n".join(commands), no_wrap=True, overflow="ignore")


def heading(words: str) -> Text:
    """Return the heading of a part, with an empty line before it."""
    return Text(f"\n{words}", style="bold blue")


def count_table(result: CountResult) -> RenderableType:
    """Return each class's count and share, unless another network decides, then the count of the event."""
    if result.decider_class is not None:
        return lines([region_words(result.region), *count_sentences(result)])
    made = table(region_words(result.region), ("class", "inputs", "share", ""), texts=("",))
    for label, count in enumerate(result.counts):
        mark = "predicted" if label == result.center else ""
        made.add_row(str(label), numbers.count(count), numbers.shares(count, result.tally.size), mark)
    return Group(made, *_shells(result), lines(count_sentences(result)))


def _shells(result: CountResult) -> list[Table]:
    """Return a line per distance, where distances were counted one by one."""
    if len(result.tally.shells) < 2:
        return []
    made = table("by distance", ("flips", "inputs", "adversarial", "share"))
    for shares in result.tally.shells:
        size = sum(shares.counts)
        if not size:  # constraints leave no input at this distance
            continue
        adversarial = Count.exactly(size - shares.counts[result.center])
        made.add_row(str(shares.distance), numbers.integer(size), numbers.count(adversarial), numbers.shares(adversarial, size))
    return [made]


def certify_table(result: Certification) -> RenderableType:
    """Return a line per finished sample, then the accuracies."""
    columns = ("sample", "label", "predicted", "verdict", "adversarial", "density", "engine", "time")
    size = f"{'at most ' if result.constraints else ''}{numbers.integer(result.size)} inputs each"
    under = f", under {_number(result.constraints, 'constraint')}" if result.constraints else ""
    made = table(f"radius {result.radius}: {size}{under}", columns, texts=("verdict", "engine"))
    for row in result.rows:
        label = "" if row.label is None else str(row.label)
        density = numbers.shares(row.adversarial, result.points(row))
        verdict = Text(row.verdict.value, style=STYLES[row.verdict])
        adversarial, time = numbers.count(row.adversarial), numbers.seconds(row.seconds)
        made.add_row(str(row.index), label, str(row.predicted), verdict, adversarial, density, readable(row.engine), time)
    return Group(made, lines(certify_sentences(result)))


def radii_table(results: Sequence[Certification]) -> RenderableType:
    """Return a line per radius: the accuracies and verdicts of all samples."""
    columns = ("radius", "inputs", "clean", "certified", *(verdict.value for verdict in Verdict), "time")
    made = table("clean and certified accuracy, and verdicts, per radius", columns)
    for result in results:
        shares = ["" if share is None else numbers.share(share) for share in (result.clean_accuracy, result.certified_accuracy)]
        verdicts = [str(sum(row.verdict is verdict for row in result.rows)) for verdict in Verdict]
        made.add_row(str(result.radius), numbers.integer(result.size), *shares, *verdicts, numbers.seconds(result.seconds))
    return made


def attack_table(result: AttackResult, network: Network) -> RenderableType:
    """Return the verdict, and the witness beside its original."""
    return lines([attack_sentence(result), *witness_lines(result.finding.witness, network)])


def distance_table(result: Distance, network: Network, proof: Proven | None = None) -> RenderableType:
    """Return the distance, its proof where there is one, and the witness beside its original."""
    proved = [] if proof is None else [proof_sentence(proof, result.predicted)]
    return lines([distance_sentence(result), *proved, *witness_lines(result.witness, network)])


def witness_lines(witness: Witness | None, network: Network) -> list[str]:
    """Return the witness as two pictures where the input has rows and columns, otherwise as a line of bits."""
    if witness is None:
        return []
    coding = network.coding
    if coding is None or coding.shape is None:
        return ["".join(map(str, witness.bits))]
    before = picture.original(witness.bits, witness.flips)
    return [*picture.side_by_side(before, witness.bits, coding.shape), picture.LEGEND]


def about_table(about: dict[str, Any], sha256: str) -> RenderableType:
    """Return the description that document.about made of a network, a line for each property."""
    made = _plain(about["name"] or "network")
    made.show_header = False
    made.add_column()
    made.add_column(overflow="fold")
    shape = "-".join(map(str, [about["inputs"], *about["blocks"], *([about["classes"]] if about["classes"] else [])]))
    weights = about["weights"]
    made.add_row("widths", shape)
    made.add_row("weights", f"{weights['total']}, of them {weights['zero']} are 0, the largest is {weights['largest']}")
    made.add_row("constant neurons", ", ".join(map(str, about["constant_neurons"])) or "none")
    if about["picture"]:
        made.add_row("picture", f"{about['picture'][0]}x{about['picture'][1]}")
    if about["unflippable_inputs"] is not None:
        made.add_row("inputs no image can flip", str(about["unflippable_inputs"]))
    for name, words in trained_rows(about["record"]):
        made.add_row(name, readable(words))
    made.add_row("sha256", sha256)
    return Group(made, lines([*about["notes"], *record_sentences(about["record"])]))


def compare_table(result: Comparison) -> RenderableType:
    """Return a line per arm and radius, then a line per pair of arms and radius, each number with its interval."""
    pairs = [_paired_comparisons(result.paired_comparisons)] if result.paired_comparisons else []
    return Group(_arms(result), *pairs, lines(result.notes))


def _arms(result: Comparison) -> Table:
    beyond = f"distance ({result.radii[-1] + 1} if larger)"
    columns = ("arm", "radius", "clean", "certified", "stable", "density", "code-stable", beyond)
    level = f"{100 * (1 - result.terms.alpha):g} % interval"
    scope = f"{result.data}: {_number(len(result.samples), 'sample')}, {_number(len(result.seeds), 'seed')}"
    arms = table(f"{scope}; mean and {level}; shares in %", columns, texts=("arm",))
    for arm in result.arms:
        name = f"{arm} (collapsed)" if result.collapsed(arm) else arm
        for radius in result.radii:
            arms.add_row(readable(name), str(radius), *_metrics(result, arm, radius))
    return arms


def _metrics(result: Comparison, arm: str, radius: int) -> list[str]:
    """Return the metrics of an arm at a radius; the distance stands at the largest radius only."""
    names = ("certified", "stable", "density", "code_stable")
    shares = [result.metric(arm, "accuracy"), *(result.metric(arm, name, radius) for name in names)]
    distance = result.metric(arm, "distance") if radius == result.radii[-1] else None
    *others, code_stable = (numbers.estimate(share, 100) for share in shares)
    return [*others, code_stable + (_width(result, arm) if code_stable else ""), numbers.estimate(distance)]


def _width(result: Comparison, arm: str) -> str:
    """Return the number of bits of an arm's latent codes, which are the bits of its last blocks."""
    widths = sorted({model.widths[-2] for model in result.models if model.arm == arm})
    return f" of {' or '.join(map(str, widths))} bits"


def _paired_comparisons(pairs: Iterable[PairedComparison]) -> Table:
    names = ("arm", "against", "radius", "difference", "Holm p", "")
    made = table("certified accuracy, difference in points", names, texts=("arm", "against", ""))
    for pair in pairs:
        conclusion = Text(pair.conclusion.value, style=CONCLUSIONS.get(pair.conclusion, ""))
        difference = numbers.estimate(pair.difference, 100)
        made.add_row(readable(pair.arm), readable(pair.other), str(pair.radius), difference, f"{pair.holm:.3f}", conclusion)
    return made


def _number(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
