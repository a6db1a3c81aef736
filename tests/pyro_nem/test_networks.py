"""Layers against their definition, and the parameter counts of the original."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from inference.guides import RNNEM, GradientNEM
from models import SpatialMixture
from pyro_nem.errors import ConfigError
from pyro_nem.networks import (
    ConvDecoder,
    ConvEncoder,
    DenseDecoder,
    FlatEncoder,
    GatedCell,
    LocatedDecoder,
    PatchEncoder,
    RelationalCell,
    SigmoidCell,
    TiedDecoder,
    UpsampleConv,
)
from pyro_nem.networks.layers import channel_layer_norm, flat_pixels, image_of

SHAPE = (28, 28, 1)


def count(*modules):
    return sum(p.numel() for module in modules for p in module.parameters())


def test_static_rnn_em_has_the_originals_parameters():
    model = SpatialMixture(DenseDecoder(SHAPE), 4)
    encoder = FlatEncoder(SHAPE)
    guide = RNNEM(
        model,
        encoder,
        SigmoidCell(encoder.num_features, 250),
        views=("masked-residual",),
        gradient_psi=True,
    )
    assert count(model, guide) == 455_534


def test_flying_shapes_rnn_em_has_the_originals_parameters():
    model = SpatialMixture(ConvDecoder(SHAPE), 3)
    guide = RNNEM(
        model,
        ConvEncoder(SHAPE),
        SigmoidCell(512, 100, normalise=True),
        views=("masked-residual",),
        gradient_psi=True,
    )
    assert count(model, guide) == 3_403_389


def test_the_networks_of_relational_nem_have_three_convolutions():
    shape, channels = (64, 64, 1), (16, 32, 64)
    encoder = ConvEncoder(shape, channels=channels)
    decoder = ConvDecoder(shape, 250, channels=channels)
    # Layer by layer: weights; bias of the layer, gain and bias of its norm.
    convolutions = 16 * 1 * 16 + 3 * 16 + 16 * 16 * 32 + 3 * 32 + 16 * 32 * 64 + 3 * 64
    assert count(encoder) == convolutions + 4096 * 512 + 3 * 512
    upsampling = 16 * 64 * 32 + 3 * 32 + 16 * 32 * 16 + 3 * 16 + 16 * 16 * 1 + 1
    assert count(decoder) == 250 * 512 + 3 * 512 + 512 * 4096 + 3 * 4096 + upsampling
    dense = ((250, 250), (500, 250), (250, 250), (250, 100))
    assert count(RelationalCell(512)) == (
        sum(i * o + 3 * o for i, o in dense) + 100 + 1 + (250 + 250 + 512) * 250 + 3 * 250
    )
    assert encoder(torch.randn(2, 4096, 1)).shape == (2, 512)
    assert decoder(torch.rand(2, 250)).shape == (2, 4096, 1)


def test_a_decoder_passes_the_channels_in_reverse():
    decoder = ConvDecoder((8, 16, 3), 5, channels=(2, 4, 7), bernoulli=False)
    convolutions = [m.conv for m in decoder.modules() if isinstance(m, UpsampleConv)]
    assert [(c.in_channels, c.out_channels) for c in convolutions] == [(7, 4), (4, 2), (2, 3)]
    psi = decoder(torch.rand(6, 5))
    assert psi.shape == (6, 8 * 16, 3)
    assert psi.min() < 0


@pytest.mark.parametrize("cell", [SigmoidCell(4, 6, normalise=True), GatedCell(4, 6)])
@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (2, 0, 3)])
def test_cells_take_any_number_of_leading_axes(cell, shape):
    features, hidden = torch.randn(*shape, 4), torch.rand(*shape, 6)
    found, start = cell(features, hidden), cell.initial(features)
    assert start.hidden.shape == start.theta.shape == found.theta.shape == (*shape, 6)
    rows = cell(features.reshape(-1, 4), hidden.reshape(-1, 6))
    torch.testing.assert_close(found.hidden, rows.hidden.view(*shape, 6))
    torch.testing.assert_close(found.theta, rows.theta.view(*shape, 6))


def test_gradient_nem_has_the_originals_parameters():
    model = SpatialMixture(TiedDecoder(SHAPE), 4)
    assert count(model, GradientNEM(model)) == 196_001


def test_convolution_layer_norm_is_joint_over_rows_columns_and_channels():
    x = torch.randn(3, 5, 4, 4, dtype=torch.double)
    norm = channel_layer_norm(5).double()
    nn.init.normal_(norm.weight)
    mean, variance = x.mean((1, 2, 3), keepdim=True), x.var((1, 2, 3), correction=0, keepdim=True)
    expected = (x - mean) / (variance + 1e-12).sqrt() * norm.weight[:, None, None]
    torch.testing.assert_close(norm(x), expected)


@pytest.mark.parametrize(("rows", "columns"), [(3, 3), (1, 4), (5, 2)])
def test_upsampling_equals_its_definition_in_value_and_gradient(rows, columns):
    layer = UpsampleConv(2, 3).double()
    x = torch.randn(2, 2, rows, columns, dtype=torch.double, requires_grad=True)
    large = x.repeat_interleave(2, -1).repeat_interleave(2, -2)
    # One pixel before and two behind.
    padded = F.pad(large, (1, 2, 1, 2))
    expected = F.conv2d(padded, layer.conv.weight, layer.conv.bias)
    found = layer(x)
    assert found.shape == (2, 3, 2 * rows, 2 * columns)
    torch.testing.assert_close(found, expected)
    inputs, weights = (x, *layer.parameters()), torch.randn_like(expected)
    for ours, theirs in zip(
        torch.autograd.grad((weights * found).sum(), inputs),
        torch.autograd.grad((weights * expected).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


def test_upsampling_has_the_state_of_its_convolution():
    assert set(UpsampleConv(2, 3).state_dict()) == {"conv.weight", "conv.bias"}


def test_sigmoid_cell_normalises_its_output_but_not_its_state():
    cell = SigmoidCell(4, 6, normalise=True).double()
    features, hidden = torch.randn(3, 4).double(), torch.rand(3, 6).double()
    a = torch.cat([features, hidden], 1) @ cell.linear.weight.T + cell.linear.bias
    found = cell(features, hidden)
    torch.testing.assert_close(found.hidden, a.sigmoid())
    normalised = (a - a.mean(1, keepdim=True)) / a.var(1, correction=0, keepdim=True).sqrt()
    torch.testing.assert_close(found.theta, normalised.sigmoid())


def test_gated_cell_maps_the_state_into_the_unit_interval():
    cell = GatedCell(4, 6)
    features, hidden = 100 * torch.randn(50, 4), torch.rand(50, 6) * 2 - 1
    found = cell(features, hidden)
    torch.testing.assert_close(found.theta, (1 + found.hidden) / 2)
    assert found.theta.min() >= 0
    assert found.theta.max() <= 1


def test_glorot_limits_and_zero_biases():
    linear = SigmoidCell(100, 50).linear
    limit = (6 / (150 + 50)) ** 0.5
    assert 0.95 * limit < linear.weight.abs().max() <= limit
    assert not linear.bias.any()


def test_pixels_and_images_are_inverse_row_by_row():
    pixels = torch.arange(2 * 12 * 3).view(2, 12, 3)
    images = image_of(pixels, (3, 4, 3))
    assert images.shape == (2, 3, 3, 4)
    assert images[1, 2, 2, 1] == pixels[1, 2 * 4 + 1, 2]
    assert torch.equal(flat_pixels(images), pixels)


@pytest.mark.parametrize(
    "decoder",
    [DenseDecoder, ConvDecoder, TiedDecoder, LocatedDecoder],
)
@pytest.mark.parametrize("shape", [(28, 28, 1), (8, 12, 3)])
def test_decoders_give_probabilities_of_the_right_shape(decoder, shape):
    module = decoder(shape, 7)
    psi = module(torch.rand(5, 7))
    assert psi.shape == (5, shape[0] * shape[1], shape[2])
    assert psi.min() >= 0
    assert psi.max() <= 1 + 1e-6


def test_located_decoder_is_the_expectation_over_places():
    decoder = LocatedDecoder((6, 8, 2), 4, template=3).double()
    theta = torch.rand(2, 4).double()
    parts = decoder.head(decoder.hidden(2 * theta - 1)).split([6, 8, 18], dim=-1)
    rows, columns = parts[0].softmax(-1), parts[1].softmax(-1)
    template = torch.sigmoid(parts[2].view(2, 2, 3, 3) - 1)
    expected = torch.zeros(2, 6, 8, 2).double()
    for r in range(6):
        for c in range(8):
            weight = (rows[:, r] * columns[:, c])[:, None]
            for u in range(3):
                for v in range(3):
                    i, j = r - (u - 1), c - (v - 1)
                    if 0 <= i < 6 and 0 <= j < 8:
                        expected[:, i, j] += weight * template[:, :, u, v]
    torch.testing.assert_close(decoder(theta), expected.view(2, 48, 2))


@pytest.mark.parametrize("module", [ConvDecoder, ConvEncoder, PatchEncoder])
def test_images_that_a_network_cannot_take_are_refused(module):
    with pytest.raises(ConfigError, match=r"multiples of 4.*got 27x28"):
        module((27, 28, 1))


@pytest.mark.parametrize("module", [ConvDecoder, ConvEncoder])
def test_channels_say_how_often_the_image_is_halved(module):
    with pytest.raises(ConfigError, match=r"3 convolutions.*multiples of 8, got 28x28"):
        module(SHAPE, channels=(16, 32, 64))
    with pytest.raises(ConfigError, match="at least one convolution"):
        module(SHAPE, channels=())


def test_a_template_needs_a_centre():
    with pytest.raises(ConfigError, match="odd"):
        LocatedDecoder(SHAPE, template=4)


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1, 1), (28, 28, 1.0), (28, 0, 1), 28])
@pytest.mark.parametrize(
    "network",
    [
        LocatedDecoder,
        PatchEncoder,
        DenseDecoder,
        TiedDecoder,
        ConvDecoder,
        ConvEncoder,
        FlatEncoder,
    ],
)
def test_a_shape_of_images_has_rows_columns_and_channels(network, shape):
    with pytest.raises(
        ConfigError, match=r"image_shape: expected \(rows, columns, channels\), such"
    ):
        network(shape)
