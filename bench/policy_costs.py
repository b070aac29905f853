"""What a policy costs and how well it imitates: parameters, training, one inference, open-loop action error."""

import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from record import number, rate
from reverie.checkpoints import load
from reverie.collection import CollectConfig, collect
from reverie.core import Episode, Policy
from reverie.data import open_dataset
from reverie.evaluation.loaders import SHIPPED
from reverie.evaluation.open_loop import open_loop, shown_at
from reverie.policies import LEARNED

CALLS = 30


def held_out_takes(folder: Path, episodes: int, processes: int) -> dict[str, Episode]:
    """Demonstrations in validation scenes, collected once."""
    dataset = open_dataset(collect(CollectConfig(episodes, split="validation", depth=False), folder, processes))
    return {str(i): dataset.episode(i) for i in range(len(dataset))}


def parameters(family: str) -> dict[str, Any]:
    """Of the published size, by construction; that of the checkpoint is counted in its weights."""
    paper = LEARNED[family].paper
    with torch.device("meta"):
        model = LEARNED[family].build(paper.config, paper.shapes)
    built = sum(p.numel() for p in model.parameters())
    published = {} if paper.published is None else {"published": number(paper.published, "M")}
    return {"built": number(built / 1e6, "M"), "source": paper.source, "difference": paper.difference} | published


def training(name: str) -> dict[str, Any]:
    """From the receipt. Minutes on two cores: a training of one process takes half of the machine's time."""
    checkpoint = load(SHIPPED / "policies" / name)
    receipt = checkpoint.receipt
    processes = int(receipt.get("processes", 1))
    return {
        "family": checkpoint.family,
        "weights": number(sum(w.numel() for w in checkpoint.weights.values()) / 1e6, "M"),
        "episodes": number(receipt["episodes"]),
        "samples": number(receipt["samples"]),
        "minutes": number(receipt["seconds"] / 60 * processes / 2, "min on 2 cores"),
    }


def latency(policy: Policy, take: Episode) -> dict[str, Any]:
    """One row on one thread, median."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seen = shown_at(policy, take, np.zeros(1, np.int64))
        policy.infer(seen, None, [0])
        times = []
        for seed in range(CALLS):
            start = time.perf_counter()
            policy.infer(seen, None, [seed])
            times.append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(before)
    return number(1000 * median(times), "ms", n=CALLS)


def action_error(policy: Policy, takes: dict[str, Episode]) -> dict[str, Any]:
    """Of the next action at every frame of held-out demonstrations, in their standard deviations."""
    actions = np.concatenate([take.actions for take in takes.values()])
    return rate(open_loop(policy, takes, actions).policy.by_step["normalised"][0])
