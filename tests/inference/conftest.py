"""Fixtures that several tests of inference need."""

import pyro
import pytest
import torch
from brightness import gaussian_model, image

from inference.reference import sample_states


@pytest.fixture
def double_precision():
    torch.set_default_dtype(torch.double)
    yield
    torch.set_default_dtype(torch.float)


@pytest.fixture
def empty_param_store():
    pyro.clear_param_store()
    yield
    pyro.clear_param_store()


@pytest.fixture(scope="session")
def gaussian_samples():
    """Samples of one posterior, which are expensive."""
    return sample_states(gaussian_model(), image(8), samples=80, warmup=60, seed=2)
