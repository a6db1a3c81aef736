"""The generative model of a variational autoencoder, and what it draws."""

import pytest
import torch
from pyro import poutine
from small_images import MEAN, PIXELS, build
from torch import nn

from inference.images import ImagePosterior
from models import BernoulliOutput, ImageVAE
from pyro_nem.networks import glorot_


@pytest.mark.parametrize(
    ("sizes", "widths", "layers", "model", "guide"),
    [
        # Kingma and Welling (2013).
        ((20,), (500,), 1, [(20, 500), (500, 784)], [(784, 500), (500, 40)]),
        # Burda et al. (2015).
        (
            (100, 50),
            (200, 100),
            2,
            [(100, 200), (200, 200), (200, 784), (50, 100), (100, 100), (100, 200)],
            [(784, 200), (200, 200), (200, 200), (100, 100), (100, 100), (100, 100)],
        ),
    ],
)
def test_layers_have_the_sizes_of_the_papers(sizes, widths, layers, model, guide):
    vae = ImageVAE(BernoulliOutput(784), latent_sizes=sizes, widths=widths, layers=layers)
    for module, expected in ((vae, model), (ImagePosterior(vae), guide)):
        found = [
            (layer.in_features, layer.out_features)
            for layer in module.modules()
            if isinstance(layer, nn.Linear)
        ]
        assert found == expected
        activations = [layer for layer in module.modules() if isinstance(layer, nn.Tanh)]
        assert len(activations) == layers * len(sizes)
        assert not any(isinstance(layer, nn.ReLU) for layer in module.modules())


def test_glorots_weights_keep_the_size_of_what_goes_through():
    torch.manual_seed(0)
    stack = nn.Sequential(*(nn.Linear(300, 300) for _ in range(4)))
    x = torch.randn(100, 300)
    assert stack(x).std() < 0.2
    assert 0.8 < stack.apply(glorot_)(x).std() < 1.2
    assert stack[0].weight.abs().max() <= (6 / 600) ** 0.5


def test_a_new_model_predicts_the_mean_of_the_images():
    model = ImageVAE(BernoulliOutput(PIXELS, MEAN), latent_sizes=(2,), widths=(5,))
    model.decoders[0][1].weight.data.zero_()
    model.decoders[0][1].bias.data.zero_()
    torch.testing.assert_close(model.imagine(3), MEAN.expand(3, -1))


def test_images_are_drawn_from_the_top_down():
    model, _ = build(2)
    trace = poutine.trace(model.imagine).get_trace(7)
    names = [name for name, site in trace.nodes.items() if name.startswith("z_")]
    assert names == ["z_2", "z_1"]
    z_2, z_1 = (trace.nodes[name]["value"] for name in names)
    torch.testing.assert_close(
        trace.nodes["_RETURN"]["value"],
        (model.decoders[0](z_1) + MEAN.double().logit()).sigmoid(),
    )
    assert trace.nodes["_RETURN"]["value"].shape == (7, PIXELS)
    law = model.prior_law(1, z_2)
    torch.testing.assert_close(trace.nodes["z_1"]["fn"].base_dist.loc, law.loc)
    torch.testing.assert_close(model.descend(z_2), model.mean_image(law.loc))
