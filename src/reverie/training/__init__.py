"""Fit a policy, a world, a judge: one loop for all of them, and the batches that each learns from."""
