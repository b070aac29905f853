"""Policies behind a server that speaks the openpi protocol (msgpack over a websocket): what is sent, what comes back.

`wire` packs, `description` says what a server wants and means (`reading`: out of YAML, `own`: of a server of ours), `sending` and `answers` convert, `connection` asks, `policy` is the Policy.
"""

from reverie.remote.description import Description
from reverie.remote.own import described_by, own_metadata
from reverie.remote.policy import RemotePolicy, open_remote
from reverie.remote.reading import read_description

__all__ = ["Description", "RemotePolicy", "described_by", "open_remote", "own_metadata", "read_description"]
