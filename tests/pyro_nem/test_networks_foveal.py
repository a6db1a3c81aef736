"""The foveal encoder against a window cut out by hand."""

import pytest
import torch

from pyro_nem.errors import ConfigError
from pyro_nem.networks import FovealEncoder
from pyro_nem.networks.layers import image_of

ROWS, COLUMNS, SIDE = 12, 16, 5


def encoder(channels=3, psi_channels=1):
    torch.manual_seed(0)
    built = FovealEncoder((ROWS, COLUMNS, channels), 8, psi_channels=psi_channels, side=SIDE)
    return built.double()


def frames(row, column, channels=3, psi_channels=1):
    """Return one random input [1, D, channels] whose psi is a blob around (row, column)."""
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(1, ROWS, COLUMNS, channels, generator=generator, dtype=torch.float64)
    image[..., -psi_channels:] = 0
    for r in (row - 1, row, row + 1):
        image[:, r, column, -psi_channels:] = 1000.0  # Beside it the uniform share is nothing.
    return image.flatten(1, 2)


def cut(u, row, column, channels=3):
    """Return the window around a whole pixel, a loop over its pixels."""
    image = image_of(u, (ROWS, COLUMNS, channels))
    window = torch.zeros(1, channels, SIDE, SIDE, dtype=u.dtype)
    for i in range(SIDE):
        for j in range(SIDE):
            r, c = row + i - SIDE // 2, column + j - SIDE // 2
            if 0 <= r < ROWS and 0 <= c < COLUMNS:
                window[:, :, i, j] = image[:, :, r, c]
    return window


def seen(network, u):
    """Return what the layers behind the fovea get."""
    found = []
    network.fovea.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0]))
    network(u)
    return found[0]


@pytest.mark.parametrize(("row", "column"), [(5, 7), (1, 0), (10, 15)])
def test_fovea_is_the_window_around_the_centre_of_psi(row, column):
    u = frames(row, column)
    # psi is left out, whose values are large here.
    near = seen(encoder(), u)[:, :-1]
    torch.testing.assert_close(near, cut(u, row, column)[:, :-1], rtol=0, atol=1e-3)


def test_between_two_pixels_the_window_is_their_mean():
    u = frames(5, 7)
    image = u.view(1, ROWS, COLUMNS, 3)
    image[:, 4:7, 8, -1] = 1000.0
    near = seen(encoder(), image.flatten(1, 2))[:, :-1]
    expected = (cut(u, 5, 7) + cut(u, 5, 8))[:, :-1] / 2
    torch.testing.assert_close(near, expected, rtol=0, atol=1e-3)


def test_all_channels_of_psi_place_the_fovea():
    network = encoder(channels=5, psi_channels=3)
    u = frames(6, 9, channels=5, psi_channels=3)
    u[..., -1] = 0
    near = seen(network, u)[:, :2]
    torch.testing.assert_close(near, cut(u, 6, 9, channels=5)[:, :2], rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("row", "column", "place"), [(1, 0, (-9 / 11, -1.0)), (10, 15, (9 / 11, 1.0))]
)
def test_the_place_is_a_feature(row, column, place):
    features = encoder()(frames(row, column))
    assert features.shape == (1, 18)
    expected = torch.tensor([place], dtype=torch.float64)
    torch.testing.assert_close(features[:, -2:], expected, rtol=0, atol=1e-3)


def test_without_psi_the_fovea_is_in_the_middle():
    u = torch.rand(2, ROWS * COLUMNS, 3, dtype=torch.float64)
    u[..., -1] = 0
    torch.testing.assert_close(encoder()(u)[:, -2:], torch.zeros(2, 2, dtype=torch.float64))


def test_no_gradient_flows_through_the_place():
    u = frames(5, 7)
    still = u.clone().requires_grad_()
    encoder()(still)[:, -2:].sum().backward()
    assert not still.grad.any()
    moved = u.clone().requires_grad_()
    encoder()(moved).square().sum().backward()
    assert moved.grad[..., :-1].any()


@pytest.mark.parametrize(
    ("shape", "options", "word"),
    [
        ((12, 16, 3), {"side": 4}, "side"),
        ((12, 16, 3), {"side": -1}, "side"),
        ((12, 16, 3), {"psi_channels": 0}, "psi_channels"),
        ((12, 16, 1), {}, "psi_channels"),
        ((13, 16, 3), {}, "image_shape"),
    ],
)
def test_refuses(shape, options, word):
    with pytest.raises(ConfigError, match=word):
        FovealEncoder(shape, **options)
