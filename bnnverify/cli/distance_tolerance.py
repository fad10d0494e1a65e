"""How far an input may be changed while few enough inputs change the answer: distance --tolerance."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from bnnverify.cli.arguments import Setting
from bnnverify.cli.progress import pulse

if TYPE_CHECKING:
    from bnnverify.cli.distance_options import Aim
    from bnnverify.model.arrays import Bits
    from bnnverify.model.network import Network
    from bnnverify.results.progress import Progress
    from bnnverify.results.tolerance import SafeRadius


def tolerated(network: Network, center: Bits, aim: Aim, setting: Setting, jobs: int | None) -> SafeRadius:
    """Return both safe radii, or on Ctrl-C what is known of them by then."""
    from bnnverify.queries.verbs.tolerance import tolerance
    from bnnverify.results.tolerance import SafeRadius

    asked, share, started = aim.asked(network, center), aim.tolerated or Fraction(0), time.monotonic()
    known = SafeRadius(setting.engine, str(asked["event"]), network(center), share, (), aim.largest or 0, 0.0)
    with pulse("counting", quiet=setting.as_json) as tell:

        def heard(now: SafeRadius, progress: Progress) -> None:
            nonlocal known
            known = now
            tell(f"radius {now.searched}: {progress.done} of {progress.total} inputs")

        try:
            limits: dict[str, Any] = {"engine": setting.engine, "budget": setting.budget(), "jobs": jobs}
            return tolerance(network, center, share=share, **asked, **limits, report=heard)
        except KeyboardInterrupt:
            return replace(known, seconds=time.monotonic() - started, reason="interrupted")
