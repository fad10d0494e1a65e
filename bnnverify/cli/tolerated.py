"""How far an input may be changed while few enough inputs change the answer: distance --tolerance."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from bnnverify.cli.nouns import Setting
from bnnverify.cli.progress import pulse

if TYPE_CHECKING:
    from bnnverify.cli.aim import Aim
    from bnnverify.network import Bits, Network
    from bnnverify.queries.engine import Progress
    from bnnverify.safe_radius import SafeRadius


def tolerated(network: Network, center: Bits, aim: Aim, setting: Setting, jobs: int | None) -> SafeRadius:
    """Return both safe radii, or on Ctrl-C what is known of them by then."""
    from bnnverify.queries.tolerance import tolerance
    from bnnverify.safe_radius import SafeRadius

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
