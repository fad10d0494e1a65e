"""The latent code changes in many bits."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from bnnverify.errors import BadQuery
from bnnverify.model.arrays import Bits, as_integer
from bnnverify.model.network import Head, Network
from bnnverify.problem.events.base import Setting, event


@dataclass(frozen=True)
class CodeFlips:
    """The latent code after the first cut blocks differs from the code at the centre in at least so many bits."""

    cut: int
    at_least: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "cut", as_integer(self.cut, "codeflips: block number"))
        object.__setattr__(self, "at_least", as_integer(self.at_least, "codeflips: number of bits"))

    def posed(self, network: Network, center: Bits) -> tuple[Network, frozenset[int]]:
        """Return the first blocks with a head of two classes: 1 where so many bits differ.

        A bit that is 1 at the centre differs by 1 - bit, any other by bit: class 1 scores the sum of these less at_least, class 0
        scores 0, and of equal scores class 1 is preferred.
        """
        if not 1 <= self.cut <= len(network.blocks):
            raise BadQuery(f"codeflips: expected a block number from 1 to {len(network.blocks)}, got {self.cut}")
        prefix = network.prefix(self.cut)
        width = prefix.widths[-1]
        if not 1 <= self.at_least <= width:
            raise BadQuery(f"codeflips: expected from 1 to {width} bits of the code after block {self.cut}, got {self.at_least}")
        code = prefix(center).astype(np.int64)
        weights = np.stack([np.zeros(width, dtype=np.int64), 1 - 2 * code])
        head = Head(weights, np.array([0, code.sum() - self.at_least]), np.array([1, 0]))
        return replace(prefix, head=head), frozenset({1})

    def __str__(self) -> str:
        return f"codeflips:{self.at_least}@{self.cut}"


def says(text: str | None, predicted: int) -> tuple[str, str]:  # noqa: ARG001 - the centre's class plays no part
    at_least, _, cut = (text or "").partition("@")
    return f"the latent code after block {cut}", f"changes in {at_least} or more bits"


@event(
    *("codeflips", "codeflips:K", "codeflips:K@BLOCK"),
    help="K or more bits of the latent code change, by default after the last block",
    says=says,
)
def read(text: str | None, setting: Setting) -> CodeFlips | None:
    """Return the event; None where the text is no number of bits."""
    match = re.fullmatch(r"\s*(\d{1,18})\s*(?:@\s*(\d{1,18})\s*)?", text or "")
    return CodeFlips(int(match[2] or len(setting.network.blocks)), int(match[1])) if match else None
