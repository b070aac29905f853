"""Randomness as an argument: every seed is a hash of what it is for.

Scene and physics draw from (scene, replicate), an edit from (scene, edit), policy noise from (scene, replicate, policy). So
all policies, both worlds and both arms share the scene, and nothing depends on the order in which trials run.
"""

import hashlib
import json

import numpy as np


def seed_for(*parts: str | int) -> int:
    """A 63-bit seed from names and numbers; equal parts give equal seeds on every machine."""
    text = json.dumps(parts, separators=(",", ":"), ensure_ascii=True)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator(*parts: str | int) -> np.random.Generator:
    """A NumPy generator seeded by `seed_for(*parts)`."""
    return np.random.default_rng(seed_for(*parts))


def content_hash(value: object) -> str:
    """The first 16 hexadecimal digits of the BLAKE2b hash of a JSON value (keys sorted)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
