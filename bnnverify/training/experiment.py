"""Models of arms by name, trained side by side where they are not there yet. An arm is a head and its deployment: bin_enc-D3."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from bnnverify.errors import BadInput, BadQuery, WorkLost
from bnnverify.formats import load, save
from bnnverify.model.network import Network
from bnnverify.queries.execution.pool import Lost, side_by_side
from bnnverify.training.data.sources import Source, read_source
from bnnverify.training.networks.recipes import HEADS, Recipe, recipe_named


@dataclass(frozen=True)
class Course:
    """What all models of a comparison are trained on, and where they are kept. epochs: None for the recipe's own."""

    data: str
    data_dir: Path | None
    epochs: int | None
    folder: Path

    def recipe(self, head: str) -> Recipe:
        """Return the recipe of a head for these data."""
        recipe = recipe_named(head)
        return recipe.for_epochs(self.epochs) if self.epochs else recipe.for_many(len(self.source(head).parts.train))

    def source(self, head: str) -> Source:
        """Return the samples in three parts, and their coding."""
        return _source(self.data, head, self.data_dir)

    def path(self, arm: str, seed: int) -> Path:
        return self.folder / f"{arm}-seed{seed}.npz"

    def kept(self, arm: str, seed: int) -> Network | None:
        """Return the model that an earlier run left here, or None; refuse one that was trained otherwise."""
        path = self.path(arm, seed)
        if not path.exists():
            return None
        network = load(path)
        head, _ = parted(arm)
        wanted = {"arm": arm, "seed": seed, "recipe": asdict(self.recipe(head)), "data": self.source(head).parts.test.name}
        came = {name: network.record.get(name) for name in wanted}
        if came != json.loads(json.dumps(wanted)):
            raise BadInput(f"{path}: expected {arm}, seed {seed}, trained on {self.data} by the same recipe, got another model")
        return network


@cache
def _source(data: str, head: str, data_dir: Path | None) -> Source:
    return read_source(data, recipe_named(head), data_dir=data_dir)


def parted(arm: str) -> tuple[str, str]:
    """Return head and deployment of an arm, or say which there are."""
    head, _, deployment = arm.partition("-")
    if head in HEADS and (deployment or "none") in recipe_named(head).deployments:
        return head, deployment or "none"
    ways = {name: recipe_named(name).deployments for name in HEADS}
    known = [name if way == "none" else f"{name}-{way}" for name in HEADS for way in ways[name]]
    raise BadQuery(f"arms: expected some of {', '.join(known)}, got {arm}")


def trained(
    course: Course, arms: Sequence[str], seeds: int, *, jobs: int, progress: Callable[[int, int], None]
) -> Iterator[Network]:
    """Yield the model of every arm and seed, seed by seed; those that an earlier run left in the folder are not trained again."""
    course.folder.mkdir(exist_ok=True)
    todo: dict[tuple[str, int], list[str]] = {}  # deployments by head and seed: one training serves all of them
    for arm in arms:
        head, deployment = parted(arm)
        for seed in range(seeds):
            if course.kept(arm, seed) is None:
                todo.setdefault((head, seed), []).append(deployment)
    questions = (((head, seed), (head, seed, tuple(wanted))) for (head, seed), wanted in todo.items())
    answers = side_by_side("bnnverify.training.experiment:taught", course, questions, max(1, min(jobs, len(todo))))
    for done, ((head, seed), answer) in enumerate(answers, 1):
        if isinstance(answer, Lost):
            raise WorkLost(f"training {head}, seed {seed}: {answer}; nothing is compared")
        progress(done, len(todo))
    for seed in range(seeds):
        yield from (network for arm in arms if (network := course.kept(arm, seed)) is not None)


def taught(course: Course, lesson: tuple[str, int, tuple[str, ...]]) -> None:
    """Train a head once and save its deployments: what a process at the side does."""
    head, seed, wanted = lesson
    recipe, source = course.recipe(head), course.source(head)
    from bnnverify.training.loop import deployments  # brings torch

    made = deployments(recipe, source.parts, seed=seed, wanted=wanted, coding=source.coding, name=head)
    for model in made.values():
        save(model.network, course.path(model.record["arm"], seed))
