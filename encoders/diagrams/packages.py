"""The seam to the two packages of decision diagrams. Nothing else imports dd or oxidd, and one set of tests holds for both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

Node = Any  # a node of either package; nodes do not leave encoders/diagrams

CACHE = 1 << 22  # entries of the table of known results


class Package(Protocol):
    """The seam: what a diagram package must do. Nodes also have & and | and ~, and are equal exactly when their sets are."""

    true: Node
    false: Node

    def variables(self, n: int) -> list[Node]:
        """Return the first n variables, in the order of the diagrams."""

    def minus(self, f: Node, g: Node) -> Node:
        """Return f and not g."""

    def either(self, f: Node, g: Node) -> Node:
        """Return f or g, but not both."""

    def choose(self, f: Node, high: Node, low: Node) -> Node:
        """Return high where f, else low."""

    def joined(self, f: Node, g: Node, forgotten: Sequence[Node]) -> Node:
        """Return where f and g both hold for some values of the forgotten variables."""

    def count(self, f: Node, n: int) -> int:
        """Return at how many of the 2^n values of the first n variables f holds; f reads no other."""

    def pick(self, f: Node, n: int) -> list[int]:
        """Return values of the first n variables for which f holds; f is not false."""

    def out_of_memory(self, error: Exception) -> bool:
        """Return whether this package raises such an error when it is full."""


class Oxidd:
    """oxidd's plain diagrams: faster on conjunction, exact counts, no reordering; its node table has a fixed size."""

    def __init__(self, memory: int) -> None:
        from oxidd.bdd import BDDManager

        self._manager = BDDManager(max(1 << 16, min(memory // 32, 1 << 27)), min(CACHE, max(1 << 16, memory >> 8)), 1)
        self.true, self.false = self._manager.true(), self._manager.false()

    def variables(self, n: int) -> list[Node]:
        self._manager.add_vars(max(0, n - self._manager.num_vars()))
        return [self._manager.var(i) for i in range(n)]

    def minus(self, f: Node, g: Node) -> Node:
        return g.imp_strict(f)

    def either(self, f: Node, g: Node) -> Node:
        return f ^ g

    def choose(self, f: Node, high: Node, low: Node) -> Node:
        return f.ite(high, low)

    def joined(self, f: Node, g: Node, forgotten: Sequence[Node]) -> Node:
        from oxidd.util import BooleanOperator

        if not forgotten:
            return f & g
        cube = self.true
        for variable in reversed(forgotten):
            cube = variable & cube
        return f.apply_exists(BooleanOperator.AND, g, cube)

    def count(self, f: Node, n: int) -> int:
        return int(f.sat_count(n))

    def pick(self, f: Node, n: int) -> list[int]:
        return [int(value or 0) for value in f.pick_cube()[:n]]

    def out_of_memory(self, error: Exception) -> bool:
        return isinstance(error, MemoryError)


class Cudd:
    """CUDD through dd: reordering is switched off before the first variable, and counts are made here, in whole numbers."""

    def __init__(self, memory: int) -> None:
        from dd.cudd import BDD

        cache = min(CACHE, max(1 << 16, memory >> 8))
        self._manager = BDD(memory_estimate=min(memory, 1 << 30), initial_cache_size=cache)
        self._manager.configure(reordering=False, max_memory=memory, max_cache_hard=4 * cache)
        self.true, self.false = self._manager.true, self._manager.false

    def variables(self, n: int) -> list[Node]:
        self._manager.declare(*(str(i) for i in range(len(self._manager.vars), n)))
        return [self._manager.var(str(i)) for i in range(n)]

    def minus(self, f: Node, g: Node) -> Node:
        return f & ~g

    def either(self, f: Node, g: Node) -> Node:
        return self._manager.apply("xor", f, g)

    def choose(self, f: Node, high: Node, low: Node) -> Node:
        return self._manager.ite(f, high, low)

    def joined(self, f: Node, g: Node, forgotten: Sequence[Node]) -> Node:
        from dd.cudd import and_exists

        if not forgotten:
            return f & g
        return and_exists(f, g, [variable.var for variable in forgotten])

    def count(self, f: Node, n: int) -> int:
        # Row by row from the top: how many values of the variables above lead to each node. dd's own count is a float.
        rows: list[dict[Node, int]] = [{} for _ in range(n + 1)]
        self._lead(rows, f, 0, 1)
        for level in range(n):
            for node, ways in rows[level].items():
                for child in self._children(node):
                    self._lead(rows, child, level + 1, ways)
            rows[level].clear()
        return sum(rows[n].values())

    def _lead(self, rows: list[dict[Node, int]], node: Node, level: int, ways: int) -> None:
        """Add to node's row the ways that reach it from level; the variables it skips may be either."""
        if node != self.false:
            below = len(rows) - 1 if node == self.true else node.level
            rows[below][node] = rows[below].get(node, 0) + (ways << (below - level))

    def _children(self, node: Node) -> tuple[Node, Node]:
        # dd names the children of the stored node, which a negated edge turns around
        return (~node.low, ~node.high) if node.negated else (node.low, node.high)

    def pick(self, f: Node, n: int) -> list[int]:
        values = self._manager.pick(f)
        return [int(values.get(str(i), False)) for i in range(n)]

    def out_of_memory(self, error: Exception) -> bool:
        is_null = isinstance(error, ValueError) and "NULL" in str(error)
        return is_null or isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "out of memory" in str(error))


PACKAGES: dict[str, Callable[[int], Package]] = {"oxidd": Oxidd, "cudd": Cudd}
