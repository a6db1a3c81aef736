"""What holds for all tests."""

import os

import pytest
import torch

if "PYTEST_XDIST_WORKER" in os.environ:
    # Each process of tests has a core.
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(autouse=True)
def numbers_of_each_test():
    """Give a test the same random numbers, whichever tests ran before it."""
    torch.manual_seed(0)
