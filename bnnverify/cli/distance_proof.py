"""A distance with a proof: distance --proof."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bnnverify.cli.arguments import Setting
from bnnverify.cli.progress import pulse

if TYPE_CHECKING:
    from bnnverify.model.arrays import Bits
    from bnnverify.model.network import Network
    from bnnverify.problem.event import Event
    from bnnverify.results.answers import Distance
    from bnnverify.results.proofs import Proven

INTERRUPTED = "interrupted"  # the reason of answers that Ctrl-C ended


def provable(network: Network, center: Bits, event: Event, folder: Path) -> None:
    """Raise, before anything takes long, where the proof could not be written, or not of this event."""
    from bnnverify.problem.event import Leaves
    from bnnverify.queries.proofs.folder import unused

    if event != Leaves(network(center)):
        raise click.UsageError(f"--proof is of leaving class {network(center)}: expected the event leaves, got {event}")
    unused(folder)


def proved(network: Network, source: str, found: Distance, free: Any, folder: Path, setting: Setting) -> Proven:
    """Return what is proved of a distance that was found by flips of free positions; a search that was interrupted ends here."""
    from bnnverify.data.samples import read_samples
    from bnnverify.queries.proofs.prove_distance import prove_distance
    from bnnverify.results.finding import Verdict
    from bnnverify.results.proofs import Proven

    if found.reason == INTERRUPTED:
        return Proven(str(folder), found.low - 1, Verdict.UNKNOWN, 0.0, INTERRUPTED)
    sample = read_samples(source, network, data_dir=setting.data_dir)
    label = None if sample.labels is None else int(sample.labels[0])
    about: dict[str, Any] = {"folder": folder, "free": free, "index": sample.indices[0], "label": label}
    with pulse(f"proving at radius {found.low - 1}", quiet=setting.as_json):
        return prove_distance(network, sample.bits[0], found, **about, timeout=setting.timeout, memory=setting.memory)
