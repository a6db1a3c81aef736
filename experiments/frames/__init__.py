"""Experiments on frames: spatial mixtures and the guides that invert them."""
