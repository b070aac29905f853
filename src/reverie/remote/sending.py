"""From one row of Observations to the request of a server, as its Description says."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reverie.core import Observations, ObservationSpec
from reverie.core.rotations import matrix_to_rotvec, matrix_to_rpy, quat_to_matrix
from reverie.remote.description import INSTRUCTION, Description, Sent, SentImage, SentPiece


def request_of(description: Description, observations: Observations, row: int, seed: int) -> dict[str, Any]:
    """observations [B, n_obs_steps, ...], of which one row goes out; the axis of time only where there are several steps."""
    spec = description.observation_spec
    seen = observations[row : row + 1]
    return {key: _value(sent, seen, spec, seed) for key, sent in description.send.items()}


def _value(sent: Sent, seen: Observations, spec: ObservationSpec, seed: int) -> Any:
    if isinstance(sent, str):
        return seen.instructions[0] if sent == INSTRUCTION else seed
    if isinstance(sent, SentImage):
        found = np.stack([picture(sent, image) for image in seen.images[sent.camera][0]])
    else:
        found = np.concatenate([_piece(p, seen, spec) for p in sent], axis=-1)
    return found if spec.n_obs_steps > 1 else found[0]


def picture(sent: SentImage, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] RGB -> as the server wants it."""
    fitted = _fitted(image, *sent.sent, keep_aspect=sent.fit == "pad")
    ordered = fitted[..., ::-1] if sent.channels == "bgr" else fitted
    return np.ascontiguousarray(ordered.transpose(2, 0, 1) if sent.layout == "chw" else ordered)


def _fitted(image: NDArray[np.uint8], height: int, width: int, keep_aspect: bool) -> NDArray[np.uint8]:
    """Bilinear. With the aspect ratio kept the picture lies in the middle and the rest is black, sizes rounded down."""
    if image.shape[:2] == (height, width):
        return image
    ratio = max(image.shape[0] / height, image.shape[1] / width)
    size = (int(image.shape[0] / ratio), int(image.shape[1] / ratio)) if keep_aspect else (height, width)
    resized = np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR))
    whole = np.zeros((height, width, 3), np.uint8)
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    whole[top : top + size[0], left : left + size[1]] = resized
    return whole


def _piece(piece: SentPiece, seen: Observations, spec: ObservationSpec) -> NDArray[np.float32]:
    """[n_obs_steps, D]"""
    offered: Mapping[str, tuple[NDArray[np.float32] | None, tuple[str, ...]]] = {
        "commanded": (seen.commanded, spec.commanded),
        "measured": (seen.measured, spec.measured),
    }
    state, names = offered[piece.part]
    assert state is not None  # the specs were compared with the world's
    found = state[0][..., [names.index(n) for n in piece.names]].astype(np.float64)
    if piece.rotation != "none":
        matrix = quat_to_matrix(found)
        found = matrix_to_rotvec(matrix) if piece.rotation == "rotvec" else matrix_to_rpy(matrix)
    found = 1 - found if piece.flip else found
    return np.asarray(-found if piece.negate else found, np.float32)
