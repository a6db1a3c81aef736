"""The options of ``python -m experiments.run chorales`` and other sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from experiments.cli import Choice, Count, File, Number, Switch
from experiments.place_options import PlaceOptions
from experiments.scale import Scale
from experiments.sequences.config import (
    CorpusName,
    LawName,
    ModelName,
    SequenceExperimentName,
)
from experiments.training_options import TrainingOptions
from inference import Divergence, Estimator
from pyro_nem.checks import at_least
from pyro_nem.data import MoveScale, TuneName

__all__ = ["SequenceOptions"]


@dataclass(frozen=True)
class _SequenceOptions:
    """What only runs on sequences are asked."""

    experiment: tyro.conf.Positional[SequenceExperimentName]
    """What to run: chorales (piano rolls), strokes (digits of MNIST as movements of a pen), speech
    (frames of a waveform) or handwriting (recorded movements of a pen)."""

    tunes: Annotated[TuneName | None, Choice] = None
    """chorales: jsb (229 chorales of Bach to train on, a step is a quarter note) or nottingham (694
    folk tunes). Default: jsb."""

    corpus: Annotated[CorpusName | None, Choice] = None
    """speech: digits (the Free Spoken Digits), timit or blizzard; handwriting: omniglot or iam
    (IAM-OnDB). timit, blizzard and iam want --data-dir. Default: digits, omniglot."""

    data_dir: File = None
    """timit, blizzard, iam: the folder where you have them."""

    law: Annotated[LawName | None, Choice] = None
    """speech: the law of a frame. gaussian and mixture are those of the paper; in autoregressive,
    which is ours, samples see those before them. Default: autoregressive, at the paper scale
    gaussian."""

    components: Count = None
    """Gaussians of the law of a step (speech with --law mixture, handwriting). Default: 20."""

    normalisation: Annotated[MoveScale | None, Choice] = None
    """handwriting: pooled divides movements by the standard deviation of both coordinates,
    published by what the released code of the VRNN takes for it, 1.41 times as much. Default:
    pooled."""

    scale: Annotated[Scale | None, Choice] = None
    """How large: smoke (seconds, only to see that it runs), laptop (minutes on two CPU cores) or
    paper (the published sizes and updates). Default: paper where PyTorch finds a CUDA device, else
    laptop."""

    model: Annotated[ModelName | None, Choice] = None
    """vrnn, vrnn-i (its prior knows nothing of the past) or rnn (no latents). Default: vrnn."""

    objective: Annotated[Literal["elbo", "vae", "iwae", "fivo"] | None, Choice] = None
    """The bound that is trained: elbo, vae (its name beside iwae), iwae, or fivo (iwae whose
    particles are resampled when fewer than half of them count). Default: elbo."""

    particles: Count = None
    """S, draws of the latents for each sequence; for fivo at least 2. Default: 1, for iwae and fivo
    4."""

    gradient: Annotated[Estimator | None, Choice] = None
    """Estimator of the bound's gradient: standard, stl (leaves out the score of q) or dreg (doubly
    reparameterised, for iwae). Default: dreg for iwae below the paper scale (not with
    --batch-norm), else standard."""

    divergence: Annotated[Divergence | None, Choice] = None
    """The KL of the latents: sampled at the draws, or analytic. Default: analytic where the bound
    allows it."""

    kl_warmup: Count = None
    """Updates over which the weight of that KL rises to 1 (elbo and vae); 0 for none. Default: a
    share of --updates, at the laptop scale a third to three fifths by the data, at the paper's
    none."""

    free_nats: Number = None
    """KL of a step that costs nothing in training, in nats (elbo and vae). Default: 0."""

    latent_size: Count = None
    """H, the size of the latents of a step."""

    hidden_size: Count = None
    """G, the size of what the recurrence carries."""

    width: Count = None
    """Size of the layers of all networks."""

    layers: Count = None
    """Number of layers before each head."""

    layer_norm: Annotated[Switch | None, Choice] = None
    """Layer-normalise them."""

    batch_norm: Annotated[Switch | None, Choice] = None
    """Batch-normalise the posterior's means, with --residual its corrections: they keep a variance
    over the data. With --gradient standard only. Default: off."""

    residual: Annotated[Switch | None, Choice] = None
    """Let the posterior correct the prior's mean. Default: on, at the paper scale off."""

    smoothing: Annotated[Switch | None, Choice] = None
    """Let the posterior read what is still to come. Default: on, at the paper scale off."""

    chunk: Count = None
    """Cut training sequences into pieces of so many steps; validation and test have whole ones.
    The law of a step knows the step before a piece, the recurrence begins anew. Default: at
    the laptop scale 100 for nottingham and handwriting and 40 for speech, at the smoke scale 20 for
    all, else not cut."""

    replay: Number = None
    """Share of each batch that is drawn again from what was new in the last updates. Default: 0."""

    memory: Count = None
    """How many updates those are. Default: 50."""

    curriculum: Count = None
    """Updates over which training sequences are cut, to a length that grows to that of the longest;
    at most --updates, 0 for whole sequences at once. Default: 0."""

    shortest: Count = None
    """The length with which that begins, in steps. Default: 2."""

    posterior_sequences: Count = None
    """Test sequences that posterior.nc describes, at most as many as are scored; 0 for no such
    file. Default: 20."""


# The help lists the options of the last base first.
@dataclass(frozen=True)
class SequenceOptions(PlaceOptions, TrainingOptions, _SequenceOptions):
    """Train a variational recurrent network on sequences and bound their log-likelihood.

    Everything lands in one folder: config.json, metrics.jsonl, checkpoints/, figures/ and, at the
    end, posterior.nc, summary.json and report.html. Stop with Ctrl-C at any time and continue with
    --resume.
    """

    def __post_init__(self) -> None:
        at_least(0, **{"--posterior-sequences": self.posterior_sequences})
