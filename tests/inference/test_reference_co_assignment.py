"""Which pixels belong together, from responsibilities."""

import pytest
import torch

from inference.reference import co_assignment
from pyro_nem.errors import ConfigError


def test_co_assignment_is_the_probability_of_equal_draws():
    gamma = torch.rand(4, 2, 3, 5).softmax(-2)
    together = co_assignment(gamma)
    assert together.shape == (4, 2, 5, 5)
    by_hand = sum(gamma[1, 0, k, 2] * gamma[1, 0, k, 4] for k in range(3))
    torch.testing.assert_close(together[1, 0, 2, 4], by_hand)
    pairs = torch.tensor([[2, 4], [0, 1], [4, 2]])
    torch.testing.assert_close(co_assignment(gamma, pairs), together[..., pairs[:, 0], pairs[:, 1]])


def test_co_assignment_does_not_know_the_numbering():
    gamma = torch.rand(3, 5).softmax(-2)
    torch.testing.assert_close(co_assignment(gamma[[2, 0, 1]]), co_assignment(gamma))


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (torch.zeros(2, dtype=torch.long), r"pairs: expected a LongTensor \[P, 2\]"),
        (torch.zeros(1, 2), r"pairs: expected a LongTensor \[P, 2\], got torch.float32"),
        (torch.tensor([[0, 5]]), "pairs: expected indices of 5 pixels, 0 to 4, got 0 to 5"),
        (torch.tensor([[-1, 2]]), "pairs: expected indices of 5 pixels"),
    ],
)
def test_bad_pairs(pairs, message):
    with pytest.raises(ConfigError, match=message):
        co_assignment(torch.rand(3, 5), pairs)


def test_gamma_without_components():
    with pytest.raises(ConfigError, match="gamma: expected shape"):
        co_assignment(torch.rand(5))
