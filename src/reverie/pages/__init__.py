"""Local pages: one server for everything that a person does in a browser on this machine. What pages are about, `Site`s know."""

from reverie.pages.pictures import Encoded, encoded
from reverie.pages.server import Reply, Site, Stale, serving

__all__ = ["Encoded", "Reply", "Site", "Stale", "encoded", "serving"]
