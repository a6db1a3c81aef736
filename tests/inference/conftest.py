"""Fixtures that several tests of inference need."""

import pyro
import pytest
import torch


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
