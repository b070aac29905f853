"""A checkpoint is a folder of two files: `weights.safetensors` and `checkpoint.json`, which names the weights' hash.

The description is written last and renamed into place, so a folder with a description is complete; a description that
does not fit its weights is an interrupted or mixed copy and is refused. It knows nothing of models.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_bytes
from safetensors.torch import save as save_bytes
from torch import Tensor

from reverie.core import ActionSpec, ObservationSpec, ReverieError
from reverie.core.files import write_whole

FORMAT = 1
WEIGHTS, DESCRIPTION = "weights.safetensors", "checkpoint.json"
Precision = Literal["float32", "float16", "bfloat16"]


@dataclass(frozen=True)
class Checkpoint:
    """kind: "policy", "grounding", "world", "judge"; family: the name in that kind's catalog; name: of this one.

    config and shapes rebuild the network; specs and transforms say what its numbers mean; receipt says how it was made.
    weights are float32 in memory, whatever they are on disk.
    """

    kind: str
    family: str
    name: str
    config: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    shapes: Mapping[str, Any] = field(default_factory=dict)
    observation_spec: Mapping[str, Any] = field(default_factory=dict)
    action_spec: Mapping[str, Any] = field(default_factory=dict)
    transforms: tuple[Mapping[str, Any], ...] = ()
    receipt: Mapping[str, Any] = field(default_factory=dict)

    def expect(self, kind: str, where: Path | str) -> "Checkpoint":
        """This, if it is of `kind`; an error that says what it is otherwise."""
        if self.kind != kind:
            raise ReverieError(
                f"{where} holds a checkpoint of kind {self.kind!r}, expected {kind!r}: give another path"
            )
        return self


def weights_hash(weights: Mapping[str, Tensor]) -> str:
    """16 hexadecimal digits over names, shapes and values."""
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(weights):
        values = weights[name].detach().cpu().contiguous()
        digest.update(f"{name} {tuple(values.shape)} {values.dtype}".encode())
        digest.update(values.view(-1).view(torch.uint8).numpy().tobytes() if values.numel() else b"")
    return digest.hexdigest()


def save(path: Path | str, checkpoint: Checkpoint, precision: Precision = "float32") -> None:
    """Write the folder; an older description there is removed first, so that no mixture can be read."""
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DESCRIPTION).unlink(missing_ok=True)
    dtype = getattr(torch, precision)
    stored = {k: (v.to(dtype) if v.is_floating_point() else v).detach().cpu().contiguous() for k, v in checkpoint.weights.items()}  # fmt: skip
    encoded = save_bytes(stored)
    described = {f: v for f, v in asdict(_without_weights(checkpoint)).items() if f != "weights"}
    described |= {"format": FORMAT, "weights_sha256": hashlib.sha256(encoded).hexdigest(), "precision": precision}
    write_atomically(folder / WEIGHTS, encoded)
    write_atomically(folder / DESCRIPTION, (json.dumps(described, indent=1) + "\n").encode())


def amend_receipt(path: Path | str, entries: Mapping[str, Any]) -> None:
    """Put entries into the receipt of a whole checkpoint; its weights, and all else that is said of them, stay."""
    described = _read_description(Path(path))
    _read_weights(Path(path), described)
    described["receipt"] = {**described.get("receipt", {}), **entries}
    write_atomically(Path(path) / DESCRIPTION, (json.dumps(described, indent=1) + "\n").encode())


def load(path: Path | str) -> Checkpoint:
    """The checkpoint in a folder, weights as float32 on the CPU.

    Errors: ReverieError that names the file: for one that is missing, damaged or of another save or version, and for
    entries that are unknown, missing or not what they should be (specs are read once to see that).
    """
    folder = Path(path)
    described = _read_description(folder)
    encoded = _read_weights(folder, described)
    try:
        weights = {k: v.float() if v.is_floating_point() else v for k, v in load_bytes(encoded).items()}
    except SafetensorError as error:
        raise ReverieError(f"{folder / WEIGHTS} cannot be read: {error}; copy or train the checkpoint again") from error
    fields = {k: v for k, v in described.items() if k not in ("format", "weights_sha256", "precision")}
    try:
        return Checkpoint(**{**fields, "transforms": tuple(fields["transforms"]), "weights": weights})
    except (TypeError, KeyError) as error:
        raise ReverieError(f"{folder / DESCRIPTION} lacks or has unknown entries: {error}") from error


def write_atomically(path: Path, content: bytes) -> None:
    """All or nothing, also across a power cut."""
    write_whole(path, lambda temporary: temporary.write_bytes(content))


def _without_weights(checkpoint: Checkpoint) -> Checkpoint:
    return Checkpoint(**{**checkpoint.__dict__, "weights": {}})


def _read_description(folder: Path) -> dict[str, Any]:
    file = folder / DESCRIPTION
    if not file.is_file():
        found = sorted(p.name for p in folder.iterdir())[:5] if folder.is_dir() else "nothing"
        raise ReverieError(f"no checkpoint at {folder}: expected {DESCRIPTION} and {WEIGHTS}, found {found}")
    try:
        described = json.loads(file.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ReverieError(f"{file} is not valid JSON ({error}): it is damaged, copy the checkpoint again") from error
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        raise ReverieError(f"{file} is not a checkpoint description of format {FORMAT}, which this version reads")
    _check_entries(file, described)
    return described


def _check_entries(file: Path, described: Mapping[str, Any]) -> None:
    """What is there is of the right kind; Checkpoint itself says what is unknown or missing."""
    for name in ("config", "shapes", "observation_spec", "action_spec", "receipt"):
        if not isinstance(described.get(name, {}), dict):
            raise ReverieError(
                f"{file}, {name}: found {described[name]!r}, expected an object; copy the checkpoint again"
            )
    transforms = described.get("transforms", [])
    if not isinstance(transforms, list) or not all(isinstance(t, dict) and "name" in t for t in transforms):
        raise ReverieError(f"{file}, transforms: found {transforms!r}, expected a list of objects that have a name")
    if described.get("observation_spec"):
        ObservationSpec.from_dict(described["observation_spec"], f"{file}, observation_spec")
    if described.get("action_spec"):
        ActionSpec.from_dict(described["action_spec"], f"{file}, action_spec")


def _read_weights(folder: Path, described: Mapping[str, Any]) -> bytes:
    file = folder / WEIGHTS
    if not file.is_file():
        raise ReverieError(f"{file} is missing beside {DESCRIPTION}: copy the checkpoint again")
    encoded = file.read_bytes()
    if hashlib.sha256(encoded).hexdigest() != described.get("weights_sha256"):
        raise ReverieError(
            f"{file} ({len(encoded)} bytes) is not the file that {DESCRIPTION} describes: it is truncated, or of another "
            "save; copy the checkpoint again"
        )
    return encoded
