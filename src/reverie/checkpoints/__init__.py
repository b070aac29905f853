"""Checkpoints: everything needed to reproduce an action, as safetensors and JSON. No pickle."""

from reverie.checkpoints.folder import Checkpoint, load, save, weights_hash
from reverie.checkpoints.receipt import machine_receipt

__all__ = ["Checkpoint", "load", "machine_receipt", "save", "weights_hash"]
