"""Policies: one file or small folder each, readable against its paper; `catalog` lists them, `load_policy` opens one."""

from reverie.policies.catalog import LEARNED, Family, load_policy
from reverie.policies.learned import LearnedPolicy, PolicyShapes

__all__ = ["LEARNED", "Family", "LearnedPolicy", "PolicyShapes", "load_policy"]
