"""The class of "write your own guide" in the documents learns, through the public protocol only."""

from pathlib import Path

import torch

from inference import TrainingConfig, fit
from models import SpatialMixture
from pyro_nem.data import ShapesConfig, generate_shapes
from pyro_nem.networks import LocatedDecoder

ROOT = Path(__file__).parents[1]


def test_the_guide_of_the_documents_learns():
    text = (ROOT / "docs" / "guides.md").read_text(encoding="utf-8")
    begun = text.index("\nclass Residual")
    example = text[: text.index("\ndata = ", begun)].split("```python\n")[-1]
    names = {}
    exec(compile(example, "guides.md", "exec"), names)
    torch.manual_seed(0)
    config = ShapesConfig(objects=2, frames=5, training=64, validation=1, test=1)
    block = next(generate_shapes(config, "training"))
    model = SpatialMixture(LocatedDecoder((28, 28, 1)), num_components=2)
    settings = TrainingConfig(updates=60, batch_size=8, warmup=5, log_every=10)
    run = fit(
        model, names["Residual"](model), block.features, config=settings, report=lambda line: None
    )
    losses = [record["train.loss"] for record in run.records]
    assert losses[-1] < 0.95 * losses[0]
