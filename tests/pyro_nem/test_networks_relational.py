"""Effects of components on each other, against loops over the pairs."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pyro_nem.networks import GatedRelationalCell, Interaction, RelationalCell

CELLS = (RelationalCell, GatedRelationalCell)


def randomised(module):
    """The module in float64 with no bias at 0 and no gain at 1, so that a test sees them all."""
    for parameter in module.double().parameters():
        nn.init.normal_(parameter, std=0.5)
    return module


def normed(x, norm):
    centred = x - x.mean(-1, keepdim=True)
    variance = (centred**2).mean(-1, keepdim=True)
    return centred / (variance + 1e-12).sqrt() * norm.weight + norm.bias


def layer(x, linear, norm, activation):
    return activation(normed(x @ linear.weight.T + linear.bias, norm))


def effects_by_pairs(module, codes):
    """Concatenates every pair, as the released code does; codes [B, K, F]."""
    components = codes.shape[1]
    effects = []
    for k in range(components):
        total = codes.new_zeros(len(codes), module.effect_size)
        for j in range(components):
            if j == k:
                continue
            pair = torch.cat([codes[:, k], codes[:, j]], dim=1)
            core = layer(pair, module.core, module.core_norm, torch.relu)
            effect = layer(core, *module.context[:2], torch.relu)
            if module.attention is not None:
                hidden = layer(core, *module.attention[0][:2], torch.tanh)
                last = module.attention[1]
                effect = effect * torch.sigmoid(hidden @ last.weight.T + last.bias)
            total = total + effect
        effects.append(total)
    return torch.stack(effects, dim=1)


def effects_of(cell, hidden):
    """The codes and effects of a cell's carried state by the loop."""
    state = hidden if isinstance(cell, RelationalCell) else (1 + hidden) / 2
    codes = layer(state, *cell.encoder[:2], torch.relu)
    return codes, effects_by_pairs(cell.interaction, codes)


def small(cell, **options):
    return randomised(cell(3, 6, encoded_size=5, attention_size=4, **options))


def sample(components=4, batch=3):
    return torch.randn(batch, components, 3).double(), torch.rand(batch, components, 6).double()


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("components", [2, 5])
def test_effects_and_their_gradients_are_those_of_the_loop_over_pairs(attention, components):
    module = randomised(Interaction(3, 5, attention=attention, attention_size=4))
    codes = torch.randn(2, components, 3, requires_grad=True, dtype=torch.double)
    weights = torch.randn(2, components, 5).double()
    inputs = [codes, *module.parameters()]
    found, expected = module(codes), effects_by_pairs(module, codes)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        torch.autograd.grad((found * weights).sum(), inputs),
        torch.autograd.grad((expected * weights).sum(), inputs),
    )


def test_the_relational_cell_is_that_of_the_paper():
    cell = small(RelationalCell)
    features, hidden = sample()
    a = torch.cat([*effects_of(cell, hidden), features], dim=-1)
    a = a @ cell.linear.weight.T + cell.linear.bias
    found = cell(features, hidden)
    torch.testing.assert_close(found.hidden, a.sigmoid())
    torch.testing.assert_close(found.theta, normed(a, cell.norm).sigmoid())


def test_the_gated_relational_cell_reads_features_and_effects():
    cell = small(GatedRelationalCell)
    features, hidden = sample()
    _, effects = effects_of(cell, hidden)
    inputs = torch.cat([features, effects], dim=-1)
    expected = cell.cell.gru(inputs.flatten(0, 1), hidden.flatten(0, 1)).view(3, 4, 6)
    found = cell(features, hidden)
    torch.testing.assert_close(found.hidden, expected)
    torch.testing.assert_close(found.theta, (1 + expected) / 2)


@pytest.mark.parametrize("cell", CELLS)
def test_permuting_the_components_permutes_the_states(cell):
    module, order = small(cell), torch.tensor([2, 0, 3, 1])
    features, hidden = sample()
    torch.testing.assert_close(
        module(features[:, order], hidden[:, order]),
        type(module(features, hidden))(*(part[:, order] for part in module(features, hidden))),
    )


@pytest.mark.parametrize("cell", CELLS)
def test_a_component_is_moved_by_the_others_of_its_sequence_only(cell):
    module = small(cell)
    features, hidden = sample()
    before = module(features, hidden).theta
    hidden[0, 1] += 0.5
    moved = (module(features, hidden).theta - before).abs().amax(-1) > 0
    assert moved[0].all()
    assert not moved[1:].any()


@pytest.mark.parametrize("cell", CELLS)
def test_a_single_component_has_no_effect_and_every_weight_a_gradient(cell):
    module = small(cell)
    features, hidden = sample(components=1)
    assert not module.interaction(torch.randn(3, 1, 5).double()).any()
    state = module(features, hidden)
    assert state.theta.shape == (3, 1, 6)
    state.theta.sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in module.parameters())


@pytest.mark.parametrize("cell", CELLS)
def test_the_number_of_components_and_leading_axes_are_free(cell):
    module = small(cell)
    features, hidden = torch.randn(2, 7, 4, 3).double(), torch.rand(2, 7, 4, 6).double()
    found = module(features, hidden)
    for index in (0, 1):
        rows = module(features[index], hidden[index])
        torch.testing.assert_close(rows.theta, found.theta[index])
        torch.testing.assert_close(rows.hidden, found.hidden[index])


@pytest.mark.parametrize("cell", CELLS)
def test_states_begin_and_stay_where_the_prior_lives(cell):
    module = cell(3, 6)
    hidden, theta = module.initial(torch.empty(2, 4, 0))
    assert hidden.shape == theta.shape == (2, 4, 6)
    assert not hidden.any()
    assert (theta == (0.0 if cell is RelationalCell else 0.5)).all()
    for _ in range(3):
        hidden, theta = module(10 * torch.randn(2, 4, 3), hidden)
        assert theta.min() >= 0
        assert theta.max() <= 1


def test_gradients_of_the_first_step_are_finite():
    # All codes of the first step come from a constant state, whose layer norm divides by 1e-6.
    cell = RelationalCell(3, 6)
    features = torch.randn(2, 4, 3)
    F.mse_loss(cell(features, cell.initial(features).hidden).theta, torch.rand(2, 4, 6)).backward()
    assert all(parameter.grad.isfinite().all() for parameter in cell.parameters())
