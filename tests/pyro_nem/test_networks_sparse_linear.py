"""A layer that is told the places of ones against the product with them."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pyro_nem.networks import SparseLinear, perceptron

NUM_INPUTS, WIDTH = 7, 3


@pytest.mark.parametrize("bias", [True, False])
def test_places_are_read_as_the_ones_that_they_stand_for(bias):
    torch.manual_seed(0)
    layer = SparseLinear(NUM_INPUTS, WIDTH, bias=bias).double()
    places = torch.randint(0, NUM_INPUTS, (5, 4, 2))
    ones = F.one_hot(places, NUM_INPUTS).sum(-2).double()
    expected = F.linear(ones, layer.weight, layer.bias)
    weights = torch.randn(5, 4, WIDTH).double()
    found = layer(places)
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(layer(ones), expected, rtol=0, atol=0)
    parameters = list(layer.parameters())
    ours, theirs = (
        torch.autograd.grad((weights * value).sum(), parameters) for value in (found, expected)
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-14, atol=1e-14)
    assert all(part.abs().sum() > 0 for part in ours)


def test_weights_are_those_of_a_linear_layer():
    torch.manual_seed(0)
    layer = SparseLinear(NUM_INPUTS, WIDTH)
    torch.manual_seed(0)
    plain = nn.Linear(NUM_INPUTS, WIDTH)
    found, expected = layer.state_dict(), plain.state_dict()
    assert list(found) == list(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_only_int64_are_places():
    layer = SparseLinear(NUM_INPUTS, WIDTH)
    with pytest.raises(RuntimeError, match="same dtype"):
        layer(torch.ones(NUM_INPUTS, dtype=torch.uint8))
    with pytest.raises(IndexError, match="out of range"):
        layer(torch.tensor([NUM_INPUTS]))


def test_a_perceptron_takes_places():
    stack = perceptron(NUM_INPUTS, WIDTH, layers=2)
    torch.testing.assert_close(stack(torch.tensor([[4]])), stack(torch.eye(NUM_INPUTS)[4:5]))
