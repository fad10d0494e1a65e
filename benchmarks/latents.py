"""Are networks with binary-encoded latents more robust? Trains every arm, compares them exactly, and checks the counts.

    python benchmarks/latents.py             digits, 64-32, d = 8: 8 arms x 10 seeds x 50 samples, radius 1 to 3
    python benchmarks/latents.py --mnist     MNIST at 10x10: 3 seeds, radius 1 to 4; needs the data folder ($BNNVERIFY_DATA)
    python benchmarks/latents.py --arms no_pen,bin_enc-D3 --seeds 2 --limit 5 --epochs 20 --work DIR --out DIR     a small try

Rows and models are stored in --work and not computed again; results go to benchmarks/results/latents.{json,md}, for MNIST
latents-mnist.{json,md}. Counts of at least 200 (sample, arm) pairs are compared with plain enumeration of the largest ball.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bnnverify import HammingBall, Network, load
from bnnverify.results.outcome import Outcome

HERE = Path(__file__).parent
ARMS = ("no_pen", "nonlin_pen", *(f"{head}-{way}" for head in ("bin_enc", "lin_pen") for way in ("D1", "D2", "D3")))
CHECKS = 200  # (sample, arm) pairs that are enumerated plainly
REFERENCE, LATENT, CONTROL = "no_pen", "nonlin_pen", "lin_pen"

Metrics = dict[tuple[str, int, str], dict[str, float]]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", action="store_true", help="MNIST at 10x10 instead of digits")
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--limit", type=int, default=50, help="samples")
    parser.add_argument("--epochs", type=int, help="in place of the recipe's")
    parser.add_argument("--checks", type=int, default=CHECKS, help="(sample, arm) pairs to enumerate plainly")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--work", type=Path, default=Path("latents-work"), help="rows and models, to go on from")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    return parser.parse_args()


def command(options: argparse.Namespace) -> list[str]:
    """Return the words of the command line that compares."""
    data, radii, seeds, name = ("mnist:10x10", "1,2,3,4", 3, "mnist") if options.mnist else ("digits", "1,2,3", 10, "digits")
    words = ["bnnverify", "compare", "--arms", options.arms, "--seeds", str(options.seeds or seeds), "--data", data]
    words += ["--radii", radii, "--limit", str(options.limit), "--jobs", str(options.jobs)]
    words += ["--store", str(options.work / f"{name}.sqlite"), "--json"]
    return words + (["--epochs", str(options.epochs)] if options.epochs else [])


def compared(words: Sequence[str]) -> dict[str, Any]:
    """Return the JSON object that the command prints."""
    print(shlex.join(words), flush=True)
    done = subprocess.run([sys.executable, "-m", *words], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):  # 1: some rows are UNKNOWN, and the notes say so
        raise SystemExit(done.returncode)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def checked(found: dict[str, Any], folder: Path, wanted: int) -> int:
    """Return how many (sample, arm) pairs agree with plain enumeration, at most wanted; stop at the first that does not.

    Seeds take turns, so that every model is checked where there are enough pairs.
    """
    rows = [Outcome.from_json(row) for row in found["rows"]]
    bits = {sample["index"]: np.array(sample["bits"], dtype=np.uint8) for sample in found["samples"]}
    networks = {
        (model["arm"], model["seed"]): load(folder / f"{model['arm']}-seed{model['seed']}.npz") for model in found["models"]
    }
    pairs = list(dict.fromkeys((row.sample, row.arm) for row in rows))[:wanted]
    seeds = sorted({row.seed for row in rows})
    for k, (sample, arm) in enumerate(pairs):
        seed = seeds[k % len(seeds)]
        mine = [row for row in rows if (row.sample, row.arm, row.seed) == (sample, arm, seed)]
        enumerated(networks[arm, seed], bits[sample], mine)
    return len(pairs)


def enumerated(network: Network, center: np.ndarray, rows: Sequence[Outcome]) -> None:
    """Raise unless counts, targeted counts, shells and distance equal those of enumerating every point of the largest ball."""
    radius = max(row.radius for row in rows)
    counts = np.zeros((radius + 1, network.classes), dtype=np.int64)
    for points in HammingBall(center, radius).points():
        np.add.at(counts, ((points != center).sum(axis=1), network(points)), 1)
    predicted = network(center)
    adversarial = np.delete(counts, predicted, axis=1).sum(axis=1)
    distance = int(np.flatnonzero(adversarial)[0]) if adversarial.any() else None
    for row in rows:
        shell = row.shell.low if row.shell else None
        actual = [count.low for count in row.targeted or ()], row.adversarial.low, shell, row.distance
        expected = (
            counts[: row.radius + 1].sum(axis=0).tolist(),
            int(adversarial[: row.radius + 1].sum()),
            int(adversarial[row.radius]),
            distance,
        )
        if actual != expected or not row.adversarial.exact:
            raise SystemExit(f"{row.key}: plain enumeration gives {expected}, the comparison {actual}")


def shown(estimate: dict[str, float] | None, scale: float = 100) -> str:
    if estimate is None:
        return ""
    ends = (estimate[name] for name in ("low", "high", "lower", "upper"))
    low, high, lower, upper = (f"{scale * end:.{1 if scale > 1 else 2}f}" for end in ends)
    return f"{low if low == high else f'{low}..{high}'} [{lower}, {upper}]"


def report(found: dict[str, Any], pairs: int, command: str) -> Iterator[str]:
    """Yield the lines of the results in words and tables."""
    metrics: Metrics = {(m["arm"], m["radius"], m["name"]): m["estimate"] for m in found["metrics"]}
    radii, last = found["radii"], found["radii"][-1]
    yield f"# Latents compared on {found['data']}\n"
    yield f"    {command}\n"
    rows = f"{len(found['rows'])} rows of {found['wanted']}"
    yield f"{len(found['samples'])} samples, {rows}, in {found['seconds']:.0f} s after training. Counts, targeted counts,"
    yield f"shells and distances of {pairs} (sample, arm) pairs equal plain enumeration of the ball of radius {last}."
    yield "In percent, with 95 % intervals over seeds and samples.\n"
    names = ["certified", "stable", "density", "code_stable"]
    heads = ["arm", "clean", *(f"{name} {r}" for name in names for r in radii), "distance", "greedy gap", "gradient gap", "s"]
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * (6 + len(names) * len(radii))
    for arm in found["arms"]:
        cells = [shown(metrics.get((arm, 0, "accuracy")))] + [shown(metrics.get((arm, r, name))) for name in names for r in radii]
        cells += [shown(metrics.get((arm, last, name)), 1) for name in ("distance", "greedy_gap", "gradient_gap", "seconds")]
        yield f"| {arm} | " + " | ".join(cells) + " |"
    yield "\n| arm | against | radius | difference in points | Wilcoxon p | Holm p | conclusion |\n|---|---|---|---|---|---|---|"
    for pair in found["paired_comparisons"]:
        wilcoxon = "" if pair["wilcoxon"] is None else f"{pair['wilcoxon']:.3f}"
        start = f"| {pair['arm']} | {pair['other']} | {pair['radius']} | {shown(pair['difference'])} "
        yield f"{start}| {wilcoxon} | {pair['holm']:.3f} | {pair['conclusion']} |"
    yield "\n" + "\n".join(f"- {line}" for line in [*expected(found, metrics), *found["notes"]])
    yield "\n" + ", ".join(f"{name} {version}" for name, version in found["versions"].items())


def expected(found: dict[str, Any], metrics: Metrics) -> Iterator[str]:
    """Yield the expectations of the study, the results, and whether these meet them."""
    peaks = {head: mean_of(found, f"{head}-D2", "peaks_distance") for head in ("bin_enc", CONTROL)}
    if peaks["bin_enc"] is not None and peaks[CONTROL] is not None:
        ratio = peaks["bin_enc"] / peaks[CONTROL]
        verdict = peaks["bin_enc"] >= 4 and ratio >= 1.3
        share = f"{ratio:.2f} times lin_pen's (at least 1.3)"
        yield met(verdict, f"peaks distance of bin_enc {peaks['bin_enc']:.2f} (at least 4), {share}")
    tests = [right_share(found, f"bin_enc-{way}") for way in ("D1", "D2")]
    if tests[0] is not None and tests[1] is not None:
        loss = 100 * (tests[0] - tests[1])
        yield met(loss <= 3, f"snapping costs bin_enc {loss:.2f} points of test accuracy (at most 3)")
    ours, theirs = (metrics.get((arm, 1, "code_stable")) for arm in ("bin_enc-D3", LATENT))
    if ours and theirs:
        shares = [f"{100 * estimate['low']:.1f} %" for estimate in (ours, theirs)]
        sentence = f"{shares[0]} of the codes of bin_enc-D3 are stable at radius 1, {shares[1]} of nonlin_pen's (at least twice)"
        yield met(0 < ours["low"] >= 2 * theirs["low"], sentence)
    for pair in found["paired_comparisons"]:
        if (pair["arm"], pair["radius"]) == ("bin_enc-D3", 1) and pair["other"] in (REFERENCE, LATENT):
            yield f"CA(1) of bin_enc-D3 minus {pair['other']}: {shown(pair['difference'])} points, {pair['conclusion']}"


def met(holds: bool, sentence: str) -> str:
    return f"{'met' if holds else 'NOT met'}: {sentence}"


def mean_of(found: dict[str, Any], arm: str, name: str) -> float | None:
    """Return the mean of a binarity metric of the latent over the seeds of an arm; all deployments share it."""
    head = arm.split("-")[0]
    models = [model for model in found["models"] if model["arm"].split("-")[0] == head]
    records = {model["seed"]: model["record"].get("binarity") for model in models}
    values = [record[name] for record in records.values() if record and record.get(name) is not None]
    return sum(values) / len(values) if values else None


def right_share(found: dict[str, Any], arm: str) -> float | None:
    """Return the test accuracy over all test samples, mean of the seeds of an arm."""
    parts = [model["record"]["accuracy"]["test"] for model in found["models"] if model["arm"] == arm]
    return sum(right / total for right, total in parts) / len(parts) if parts else None


def main() -> None:
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    options.out.mkdir(parents=True, exist_ok=True)
    words = command(options)
    found = compared(words)
    store = Path(words[words.index("--store") + 1])
    pairs = checked(found, Path(f"{store}.models"), options.checks)
    name = "latents-mnist" if options.mnist else "latents"
    text = "\n".join(report(found, pairs, shlex.join(words)))
    (options.out / f"{name}.md").write_text(text + "\n")
    names = ("data", "radii", "arms", "models", "metrics", "paired_comparisons", "terms", "wanted", "seconds", "notes")
    brief = {key: found[key] for key in names}
    brief |= {"samples": [s["index"] for s in found["samples"]], "checked_pairs": pairs, "command": shlex.join(words)}
    (options.out / f"{name}.json").write_text(json.dumps({**brief, "versions": found["versions"]}, indent=1) + "\n")
    print(text)


if __name__ == "__main__":
    main()
