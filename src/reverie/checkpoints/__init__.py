"""Checkpoints: everything needed to reproduce an action, as safetensors and JSON. No pickle."""

from reverie.checkpoints.filling import load_weights
from reverie.checkpoints.folder import Checkpoint, amend_receipt, load, save, weights_hash
from reverie.checkpoints.receipt import machine_receipt

__all__ = ["Checkpoint", "amend_receipt", "load", "load_weights", "machine_receipt", "save", "weights_hash"]
