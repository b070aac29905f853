"""The one door from a checkpoint's weights into a network."""

from pathlib import Path

from torch import nn

from reverie.checkpoints.folder import Checkpoint
from reverie.core import ReverieError


def load_weights(network: nn.Module, checkpoint: Checkpoint, where: Path | str) -> None:
    """Fill `network`; an error lists the first names and shapes that do not fit."""
    weights, want = checkpoint.weights, network.state_dict()
    wrong = [f"{k}: missing" for k in want.keys() - weights.keys()]
    wrong += [f"{k}: not in the network" for k in weights.keys() - want.keys()]
    wrong += [
        f"{k}: {tuple(weights[k].shape)}, expected {tuple(want[k].shape)}"
        for k in want.keys() & weights.keys()
        if weights[k].shape != want[k].shape
    ]
    if wrong:
        shown = "; ".join(sorted(wrong)[:5])
        raise ReverieError(f"weights in {where} do not fit its configuration ({len(wrong)} differ): {shown}")
    network.load_state_dict(dict(weights))
