"""Serving: a policy behind a websocket, for robots and evaluations elsewhere."""

from reverie.serving.server import serve

__all__ = ["serve"]
