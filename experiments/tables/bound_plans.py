"""What the tables of experiments on sequences and images consist of."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from experiments.kinds import AnyExperimentName
from experiments.sweeping.grid import Axes
from experiments.tables.options import TableName
from experiments.tables.plan import TablePlan

__all__ = ["BOUND_PLANS"]

_PUBLISHED = " Published figures are of other training budgets, see the documents."
_SEQUENCES = (
    "Scores of the test sequences: nll in nats a step, lower is better; log-likelihoods, higher is "
    "better; kl is a part of the ELBO. Rows of the section floors are trivial models." + _PUBLISHED
)
_IMAGES = (
    "Scores of the test images, nll in nats an image, lower is better; kl is a part of the ELBO. "
    "active_z_l counts latents that are used. The standard error is that over the test images, of "
    "which iwae_5000 has as many as test.likelihood_images in summary.json says." + _PUBLISHED
)
_IDEAS = (
    "The vrnn on strokes and the same with one change each, with equally many updates: nll of the "
    "test sequences in nats a step, lower is better."
)

# Tables 1 and 2 of Burda et al. (2015).
_MODELS: Mapping[str, Mapping[str, str]] = {
    "": {},
    "two layers, ": {"--layers": "2"},
    "fixed bits, ": {"--binarization": "fixed"},
}
_BOUNDS: Mapping[str, Mapping[str, str]] = {
    "vae": {"--objective": "vae"},
    "iwae 5": {"--particles": "5"},
    "iwae 50": {"--particles": "50"},
}

# A curriculum counts in updates, so that it is a part of these.
_SHORT = {"--updates": "400", "--kl-warmup": "100"}


def _plan(
    experiment: AnyExperimentName,
    note: str,
    settings: Mapping[str, Mapping[str, str]],
    file: str | None = None,
    learning: tuple[str, str] | None = None,
) -> TablePlan:
    axes: dict[str, Axes] = {
        name: {option: (value,) for option, value in options.items()}
        for name, options in settings.items()
    }
    return TablePlan(
        experiment=experiment,
        file=experiment if file is None else file,
        settings=axes,
        main=tuple(axes),
        tests=(),
        predicting=(),
        long=(),
        note=note,
        learning=learning,
    )


BOUND_PLANS: Mapping[TableName, TablePlan] = MappingProxyType(
    {
        "chorales": _plan(
            "chorales",
            _SEQUENCES,
            {
                "smoothing": {"--smoothing": "on", "--residual": "on"},
                "elbo": {"--smoothing": "off", "--kl-warmup": "0"},
                "iwae": {"--smoothing": "off", "--objective": "iwae", "--gradient": "dreg"},
                "iwae standard": {
                    "--smoothing": "off",
                    "--objective": "iwae",
                    "--gradient": "standard",
                },
                "fivo": {"--smoothing": "off", "--objective": "fivo"},
            },
        ),
        "strokes": _plan("strokes", _SEQUENCES, {"vrnn": {}, "rnn": {"--model": "rnn"}}),
        "speech": _plan(
            "speech",
            _SEQUENCES,
            {
                "vrnn": {"--law": "autoregressive"},
                "rnn": {"--law": "autoregressive", "--model": "rnn"},
                "vrnn gaussian": {"--law": "gaussian"},
                "vrnn-i gaussian": {"--law": "gaussian", "--model": "vrnn-i"},
                "rnn gaussian": {"--law": "gaussian", "--model": "rnn"},
                "vrnn mixture": {"--law": "mixture"},
                "rnn mixture": {"--law": "mixture", "--model": "rnn"},
            },
        ),
        "handwriting": _plan("handwriting", _SEQUENCES, {"vrnn": {}, "rnn": {"--model": "rnn"}}),
        "vae_mnist": _plan(
            "vae_mnist",
            _IMAGES,
            {"adam": {"--optimizer": "adam"}, "adagrad": {"--optimizer": "adagrad"}},
        ),
        "iwae_mnist": _plan(
            "iwae_mnist",
            _IMAGES,
            {
                f"{model}{bound}": {**options, **bounded}
                for model, options in _MODELS.items()
                for bound, bounded in _BOUNDS.items()
            },
        ),
        "ideas": _plan(
            "strokes",
            _IDEAS,
            {
                "vrnn": _SHORT,
                "replay": {**_SHORT, "--replay": "0.5"},
                "curriculum": {**_SHORT, "--curriculum": "150"},
                "layer norm": {**_SHORT, "--layer-norm": "on"},
                "batch norm": {**_SHORT, "--batch-norm": "on"},
            },
            file="ideas",
            learning=("validation.loss", "validation bound, nats a step"),
        ),
    }
)
"""The tables by name."""
