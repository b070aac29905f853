"""A server of ours describes itself in the first message, so that nobody has to write a file about it."""

from collections.abc import Mapping
from typing import Any, get_args

from reverie.core import ActionSpec, ObservationSpec
from reverie.remote.description import INSTRUCTION, SEED, Answer, Description, Part, Sent, SentImage, SentPiece

OWN = "reverie"
"""The key of the metadata under which it does."""


def own_metadata(
    name: str, fingerprint: str, seen: ObservationSpec, action: ActionSpec, n_action_steps: int
) -> dict[str, Any]:
    """What our server says of its policy in the first message."""
    about = {"name": name, "fingerprint": fingerprint, "n_action_steps": n_action_steps}
    return {OWN: {**about, "observation_spec": seen.to_dict(), "action_spec": action.to_dict()}}


def described_by(metadata: Mapping[str, Any]) -> Description | None:
    """The description of a server that describes itself; None for a stranger's."""
    if OWN not in metadata:
        return None
    own = metadata[OWN]
    seen = ObservationSpec.from_dict(own["observation_spec"], "the server's observation_spec")
    action = ActionSpec.from_dict(own["action_spec"], "the server's action_spec")
    send: dict[str, Sent] = {f"images/{c.name}": SentImage(c.name, (c.height, c.width), (c.height, c.width)) for c in seen.cameras}  # fmt: skip
    for part in get_args(Part):
        if names := getattr(seen, part):
            send[part] = (SentPiece(part, names),)
    return Description(
        send=send | {"prompt": INSTRUCTION, SEED: SEED},
        answer=Answer("actions", action, tuple((n, n) for n in action.names)),
        n_action_steps=int(own["n_action_steps"]),
        name=str(own["name"]),
        frame_every=seen.frame_every,
        n_obs_steps=seen.n_obs_steps,
        obs_stride=seen.obs_stride,
    )
