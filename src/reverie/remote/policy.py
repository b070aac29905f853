"""RemotePolicy: a policy server behind the Policy contract.

The protocol has no batches, no seeds and no way to begin anew: each row of a batch has a connection of its own, opened at
the start of a trial, so that a server that remembers per connection remembers one trial. What a server draws by lot is its
own affair: the same trial may end differently.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np

from reverie.core import ActionChunk, ActionSpec, Memory, Observations, ObservationSpec, ReverieError, content_hash
from reverie.remote.answers import actions_of, spec_of
from reverie.remote.connection import Connection
from reverie.remote.description import Description
from reverie.remote.own import OWN, described_by
from reverie.remote.reading import read_description
from reverie.remote.sending import request_of

ROW = "remote.row"
"""In the memory: the number of the row's connection."""
KEPT = 32  # connections of earlier trials that stay open: somebody may still hold their memory


class RemotePolicy:
    """`uri`: ws://HOST:PORT. `description`: of the server; it can be asked at once, and has been (`prove`)."""

    def __init__(self, uri: str, description: Description, metadata: Mapping[Any, Any], name: str) -> None:
        self.uri, self.description, self.metadata, self.name = uri, description, metadata, name
        self._connections: dict[int, Connection] = {}
        self._n_opened = 0

    @property
    def observation_spec(self) -> ObservationSpec:
        return self.description.observation_spec

    @property
    def action_spec(self) -> ActionSpec:
        return spec_of(self.description.answer)

    @property
    def n_action_steps(self) -> int:
        return self.description.n_action_steps

    @property
    def fingerprint(self) -> str:
        """Of what the server says of itself and of what is made of it; whether its weights changed only the server knows."""
        return content_hash(["remote", self.about])

    @property
    def about(self) -> Mapping[str, Any]:
        """For the receipt; not the address, which may change."""
        return {"description": self.description.to_dict(), "metadata": _plain(self.metadata)}

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        rows = self._begin(len(seeds)) if memory is None else memory[ROW]
        answers = [self._ask(int(c), observations, row, int(seeds[row])) for row, c in enumerate(rows)]
        shortest = min(map(len, answers))
        return ActionChunk(np.stack([a[:shortest] for a in answers]), self.action_spec), {ROW: rows}

    def prove(self) -> None:
        """Ask once, about nothing: what the description has wrong is known before the first trial.

        Errors: ReverieError with what the server, or its answer, says.
        """
        try:
            self.infer(blank(self.observation_spec), None, [0])
        except ReverieError as error:
            raise ReverieError(f"the server does not do what its description says, asked about a blank observation: {error}") from None  # fmt: skip

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections = {}

    def _begin(self, rows: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        for old in list(self._connections)[:-KEPT]:
            self._connections.pop(old).close()
        numbers = np.arange(self._n_opened, self._n_opened + rows, dtype=np.int64)
        self._connections |= {int(n): Connection(self.uri, self.description.timeout_s) for n in numbers}
        self._n_opened += rows
        return numbers

    def _ask(self, connection: int, observations: Observations, row: int, seed: int) -> Any:
        reply = self._connections[connection].ask(request_of(self.description, observations, row, seed))
        return actions_of(self.description.answer, reply, self.n_action_steps)


def open_remote(address: str) -> RemotePolicy:
    """`//HOST:PORT?spec=FILE&name=NAME`; the file may be left out for a server that describes itself (`reverie serve`).

    Errors: ReverieError for no server, a description that is wrong or missing, or a server that does not do what it says.
    """
    parts = urlsplit(f"openpi:{address}")
    options = dict(parse_qsl(parts.query))
    if not parts.hostname or parts.path.strip("/") or options.keys() - {"spec", "name"}:
        raise ReverieError(f"openpi:{address}: expected openpi://HOST:PORT, with ?spec=FILE.yaml unless the server describes itself")  # fmt: skip
    uri = f"ws://{parts.hostname}:{parts.port or 8000}"
    given = read_description(Path(options["spec"])) if "spec" in options else None
    first = Connection(uri, given.timeout_s if given else 60.0)
    first.close()
    description = given or described_by(first.metadata)
    if description is None:
        raise ReverieError(f"openpi:{address}: the server says {sorted(map(str, first.metadata)) or 'nothing'} of itself, not what its numbers mean; say it in a file: openpi:{address}?spec=FILE.yaml (see reverie/remote/description.py)")  # fmt: skip
    policy = RemotePolicy(uri, description, first.metadata, options.get("name") or description.name or parts.netloc)
    policy.prove()
    return policy


def blank(spec: ObservationSpec) -> Observations:
    """[1, n_obs_steps, ...]: grey pictures, a state of zeros with any quaternion at rest."""
    lead = (1, spec.n_obs_steps)

    def state(names: tuple[str, ...]) -> Any:
        at_rest = np.array([1.0 if n.lower() in ("qw", "w") else 0.0 for n in names], np.float32)
        return np.tile(at_rest, (*lead, 1)) if names else None

    return Observations(
        images={c.name: np.full((*lead, c.height, c.width, 3), 128, np.uint8) for c in spec.cameras},
        time_s=np.zeros(lead),
        instructions=("do nothing",),
        commanded=state(spec.commanded),
        measured=state(spec.measured),
    )


def _plain(metadata: Any) -> Any:
    """Ready for JSON; of what a server of ours says the hash is enough."""
    if isinstance(metadata, Mapping):
        return {str(k): v["fingerprint"] if k == OWN else _plain(v) for k, v in metadata.items()}
    if isinstance(metadata, list | tuple):
        return [_plain(v) for v in metadata]
    return metadata if isinstance(metadata, str | int | float | bool | None) else repr(metadata)
