"""The options of ``python -m experiments.run``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from experiments.cli import Choice, Count, File, Number, Switch, Text
from experiments.frames.config import (
    ExperimentName,
    GuideName,
    NetworkName,
    RecipeName,
    Variant,
)
from experiments.place_options import PlaceOptions
from experiments.scale import Scale
from experiments.training_options import TrainingOptions
from inference import Divergence, Estimator, Precision
from pyro_nem.errors import ConfigError

__all__ = ["RunOptions"]


@dataclass(frozen=True)
class _FrameOptions:
    """What only runs on frames are asked."""

    experiment: tyro.conf.Positional[ExperimentName]
    """What to run: shapes flying through a video, static images of shapes, grey digits of MNIST
    flying through a video, balls of different mass that collide, in the open or behind a curtain,
    or coloured sprites that hide each other."""

    variant: Annotated[Variant | None, Choice] = None
    """flying_mnist: how many digits there are to train on, the first 20 or 500 of MNIST or the full
    50,000; it is tested on others. Default: full."""

    staged: bool = False
    """flying_mnist: train with 20 digits, then with 500, then with all, each stage from the best
    weights of the one before. Earlier stages are runs in RUN_DIR/stages/."""

    scale: Annotated[Scale | None, Choice] = None
    """How large: smoke (seconds, only to see that it runs), laptop (minutes on two CPU cores, and
    it learns) or paper (the published protocol; wants a GPU). Default: paper where PyTorch finds
    a CUDA device, else laptop."""

    recipe: Annotated[RecipeName | None, Choice] = None
    """How it is trained: official (as the released code does) or improved (the small network, and
    a learning rate that rises and falls). The options of the parts change a recipe. Default:
    official at the paper scale, but for static_shapes, else improved."""

    guide: Annotated[GuideName | None, Choice] = None
    """How the mixture is inverted: n-em (gradient ascent with a learned step, meant for static
    images), rnn-em (a recurrent M-step), r-nem (the same with interaction of the components) or
    vrnn (stochastic states with a learned prior). Default: r-nem for balls, else rnn-em."""

    network: Annotated[NetworkName | None, Choice] = None
    """official (the paper's layers) or located (small; a component draws one thing at one place).
    Default: the recipe's."""

    views: Text = None
    """What a component sees, a list with commas: masked-residual, normalised-residual, gamma, psi,
    frame, unexplained. The located network looks closely where psi is if that is the last one.
    Default: the network's."""

    gradient_psi: Annotated[Switch | None, Choice] = None
    """Back-propagate through the psi that a component sees. Default: on, for the located network
    off."""

    step_weights: Annotated[Literal["all", "last"] | None, Choice] = None
    """Which steps count in the loss. Default: all; of static images under the official network, the
    last."""

    attention: Annotated[Switch | None, Choice] = None
    """Weight the effects of other components by attention (guide r-nem). Default: on."""

    objective: Annotated[Literal["trace_enum", "elbo", "vae", "iwae"] | None, Choice] = None
    """The bound: elbo, vae (its name beside iwae), iwae, or trace_enum (Pyro's own elbo, the
    reference). Point-mass guides have one exact bound, whatever its name. Default: elbo."""

    particles: Count = None
    """S, draws of the states for each sequence (guide vrnn). Default: 1."""

    gradient: Annotated[Estimator | None, Choice] = None
    """Estimator of the bound's gradient (guide vrnn): standard, stl (leaves out the score of q) or
    dreg (doubly reparameterised, for iwae; it also back-propagates through what the components
    see). Default: standard."""

    divergence: Annotated[Divergence | None, Choice] = None
    """The KL of the states (guide vrnn): sampled at the draws, or analytic. Default: sampled."""

    kl_warmup: Count = None
    """Updates over which the weight of that KL rises to 1 (not for iwae). Default: 0, at once."""

    free_nats: Number = None
    """KL of a component and step that costs nothing in training, in nats (not for iwae). Default:
    0."""

    components: Count = None
    """K, the number of components. Default: as many as there can be objects, and one to spare for
    static shapes, balls (two behind the curtain) and sprites."""

    objects: Count = None
    """Objects in each generated video or image."""

    most_objects: Count = None
    """Balls and sprites: from --objects to this many in each video. Default: 6 for sprites, unless
    --objects is given."""

    steps: Count = None
    """T, the steps of the recurrence; each explains the next frame."""

    data: File = None
    """An HDF5 file in the published layout to use instead of generated data."""

    data_dir: File = None
    """Folder of the papers' own files, downloaded by hand: the one of the experiment and --objects
    is found by its published name, as flying_shapes_4.h5."""

    noise: Number = None
    """Probability that a pixel of the guide's input is flipped; of digits and sprites, that a
    channel of it is replaced by a random value."""

    test_sequences: Count = None
    """Test sequences to score at the end, at most as many as there are."""

    posterior_sequences: Count = None
    """Test sequences that posterior.nc describes; 0 for no such file. Default: 100, of a vrnn
    20."""

    precision: Annotated[Precision | None, Choice] = None
    """float32, tf32 (faster products on CUDA, with 10 bits of mantissa) or bfloat16 (within the
    networks; 7 bits, which costs accuracy; the rest on CUDA as tf32). Default: tf32 on CUDA, else
    float32."""

    compile: Annotated[Switch | None, Choice] = None
    """Fuse the layers of the networks with torch.compile; it takes a minute at the start. Default:
    on for CUDA."""

    capture: Annotated[Switch | None, Choice] = None
    """Replay updates as one CUDA graph. Default: on for CUDA."""

    resident: Annotated[Switch | None, Choice] = None
    """Hold the training frames in the device's memory, as bytes. Default: on for CUDA, if they
    fit."""


# The help lists the options of the last base first.
@dataclass(frozen=True)
class RunOptions(PlaceOptions, TrainingOptions, _FrameOptions):
    """Train a neural expectation maximization model and score its segmentation.

    Everything lands in one folder: config.json, metrics.jsonl, checkpoints/, figures/ and, at the
    end, posterior.nc, summary.json and report.html, the one to open first. Stop with Ctrl-C at any
    time and continue with --resume.

    Sequences (chorales, strokes, speech, handwriting) and images (vae_mnist, iwae_mnist) have other
    options: python -m experiments.run chorales --help, python -m experiments.run vae_mnist --help.
    """

    def __post_init__(self) -> None:
        if (self.posterior_sequences or 0) < 0:
            raise ConfigError(
                f"--posterior-sequences: expected 0 or more, got {self.posterior_sequences}"
            )
