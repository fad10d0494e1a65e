"""An experiment trains the models of several arms with several seeds; an arm is a head and its deployment, such as bin_enc-D3."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bnnverify.data.samples import Samples
from bnnverify.errors import BadInput, BadQuery, WorkLost
from bnnverify.formats import load, save
from bnnverify.model.network import Network
from bnnverify.queries.execution.events import Lost, Worker
from bnnverify.queries.execution.pool import run
from bnnverify.queries.execution.process_pool import processes
from bnnverify.results.progress import Steps, no_steps
from bnnverify.training.data.sources import Source, read_source
from bnnverify.training.networks.recipes import HEADS, Recipe, recipe_named

Training = tuple[str, int, tuple[str, ...]]  # head, seed and deployments: one training serves all deployments


@dataclass(frozen=True)
class Experiment:
    """The data and the passes of all trainings, and the folder of the models. epochs: None for those of the recipe."""

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

    def test_samples(self, arms: Sequence[str]) -> Samples:
        """Return the samples that no training of these arms uses."""
        heads = [head for head, _ in map(head_and_deployment, arms)]
        return self.source(heads[0]).parts.test

    def path(self, arm: str, seed: int) -> Path:
        return self.folder / f"{arm}-seed{seed}.npz"

    def stored(self, arm: str, seed: int) -> Network | None:
        """Return the model that an earlier run stored, or None; refuse one of another training."""
        path = self.path(arm, seed)
        if not path.exists():
            return None
        network, expected = load(path), self._record(arm, seed)
        if {name: network.record.get(name) for name in expected} != expected:
            raise BadInput(f"{path}: expected {arm}, seed {seed}, trained on {self.data} by the same recipe, got another model")
        return network

    def _record(self, arm: str, seed: int) -> dict[str, Any]:
        """Return the part of a model's record that this experiment determines, as it is read back from a file."""
        head, _ = head_and_deployment(arm)
        record = {"arm": arm, "seed": seed, "recipe": asdict(self.recipe(head)), "data": self.source(head).parts.test.name}
        return dict(json.loads(json.dumps(record)))


@cache
def _source(data: str, head: str, data_dir: Path | None) -> Source:
    return read_source(data, recipe_named(head), data_dir=data_dir)


def head_and_deployment(arm: str) -> tuple[str, str]:
    """Return head and deployment of an arm; raise BadQuery with the known arms where there is no such arm."""
    head, _, deployment = arm.partition("-")
    if head in HEADS and (deployment or "none") in recipe_named(head).deployments:
        return head, deployment or "none"
    deployments = {name: recipe_named(name).deployments for name in HEADS}
    known = [name if way == "none" else f"{name}-{way}" for name in HEADS for way in deployments[name]]
    raise BadQuery(f"arms: expected some of {', '.join(known)}, got {arm}")


def train_arms(
    experiment: Experiment, arms: Sequence[str], seeds: int, *, jobs: int, progress: Steps = no_steps
) -> list[Network]:
    """Return the model of every arm and seed, seed by seed; models that the folder has already are not trained again.

    seeds: their number, from seed 0 on. jobs: trainings at the same time, each in a process of its own. progress(done, total) is
    called after each training.
    """
    experiment.folder.mkdir(exist_ok=True)
    trainings = _missing(experiment, arms, range(seeds))
    questions = (((head, seed), (experiment, (head, seed, wanted))) for head, seed, wanted in trainings)
    with processes(max(1, min(jobs, len(trainings)))) as pool:
        for done, ((head, seed), answer) in enumerate(run(pool, train_in_worker, questions), 1):
            if isinstance(answer, Lost):
                raise WorkLost(f"training {head}, seed {seed}: {answer.reason}; nothing is compared")
            progress(done, len(trainings))
    models = (experiment.stored(arm, seed) for seed in range(seeds) for arm in arms)
    return [model for model in models if model is not None]


def _missing(experiment: Experiment, arms: Iterable[str], seeds: Iterable[int]) -> list[Training]:
    """Return the trainings whose models the folder does not have yet."""
    missing: dict[tuple[str, int], list[str]] = {}
    seeds = tuple(seeds)
    for arm in arms:
        head, deployment = head_and_deployment(arm)
        for seed in seeds:
            if experiment.stored(arm, seed) is None:
                missing.setdefault((head, seed), []).append(deployment)
    return [(head, seed, tuple(deployments)) for (head, seed), deployments in missing.items()]


def train_in_worker(worker: Worker, experiment: Experiment, training: Training) -> None:  # noqa: ARG001 - what a pool calls
    """Train a head once and save its deployments: the work of a worker process."""
    from bnnverify.training.loop import deployments  # brings torch

    head, seed, wanted = training
    source = experiment.source(head)
    made = deployments(experiment.recipe(head), source.parts, seed=seed, wanted=wanted, coding=source.coding, name=head)
    for model in made.values():
        save(model.network, experiment.path(model.record["arm"], seed))
