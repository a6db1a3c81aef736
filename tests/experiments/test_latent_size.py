"""posterior.nc of runs on sequences and images stays below 50 MB whatever is run."""

import pytest

from experiments.images.options import ImageOptions
from experiments.images.resolving import resolve as resolve_images
from experiments.sequences.options import SequenceOptions
from experiments.sequences.resolving import resolve as resolve_sequences
from inference.images import diagnose_images
from inference.images.diagnosis_schema import image_variables
from inference.sequences import diagnose_sequences
from inference.sequences.diagnosis_schema import SEQUENCE_VARIABLES

# Numbers of a step, and the mean number of steps of a sequence: NaN behind an end compresses well.
DATA = {
    ("chorales", "jsb"): (88, 100),
    ("chorales", "nottingham"): (88, 260),
    ("strokes", None): (1, 40),
    ("speech", "digits"): (200, 20),
    ("speech", "timit"): (200, 250),
    ("speech", "blizzard"): (200, 40),
    ("handwriting", "omniglot"): (3, 80),
    ("handwriting", "iam"): (3, 700),
}


def size(variables, sizes, defaults):
    """Bytes of what cannot be compressed, at the defaults of a function."""
    chains, draws, kept = (defaults[name] for name in ("restarts", "draws", "kept_draws"))
    total = 0
    for path, (dims, _) in variables.items():
        if path.startswith(("observed", "constant")):
            continue
        number = 8 if "log_weight" in path else 4
        for dim in dims:
            of_all = path.endswith("log_weight")
            number *= {"chain": chains, "draw": draws if of_all else kept, **sizes}[dim]
        total += number
    return total


@pytest.mark.parametrize(("experiment", "collection"), DATA)
def test_sequences(experiment, collection, tmp_path):
    name = "tunes" if experiment == "chorales" else "corpus"
    options = {} if collection is None else {name: collection}
    if collection in ("timit", "blizzard", "iam"):
        options["data_dir"] = tmp_path
    asked = SequenceOptions(experiment, device="cpu", scale="paper", **options)
    settings, _ = resolve_sequences(asked)
    defaults = diagnose_sequences.__kwdefaults__
    features, steps = DATA[experiment, collection]
    sizes = {
        "sequence": defaults["sequences"],
        "step": steps,
        "latent": settings.latent_size,
        "feature": features,
        "shown_sequence": defaults["shown_sequences"],
        "shown_step": min(steps, defaults["shown_steps"]),
    }
    assert 1e5 < size(SEQUENCE_VARIABLES, sizes, defaults) < 45e6


@pytest.mark.parametrize("layers", [1, 2])
def test_images(layers):
    settings, _ = resolve_images(
        ImageOptions("iwae_mnist", device="cpu", scale="paper", layers=layers)
    )
    defaults = diagnose_images.__kwdefaults__
    latents = {f"latent_{n}": size for n, size in enumerate(settings.latent_sizes, 1)}
    # Bits take a quarter of a byte at most when compressed, a sixteenth of a number.
    sizes = {"image": defaults["images"], "row": 28, "column": 28 / 16, **latents}
    assert 1e5 < size(image_variables(layers), sizes, defaults) < 45e6
