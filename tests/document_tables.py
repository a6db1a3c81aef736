"""Which committed results the tables and sentences of the documents show.

A row or a table that the documents get is added here, else a test fails.
"""

from typing import NamedTuple


class Block(NamedTuple):
    """Rows of a table that show the same.

    Attributes
    ----------
    columns
        For each cell behind the label what it shows: "SETTING | METRIC", with places for the words
        of the row; "SETTING | METRIC | FIELD" for another field than the mean; several of them
        with ";" between, where the cell has several numbers, or one that is that of all. Cells
        behind the last one are empty.
    rows
        Label -> words, or several with " | " between. A label has no "(KL 0.14)", which the test
        looks up itself; several cells have " | " between.
    """

    columns: list[str]
    rows: dict[str, str]


class Table(NamedTuple):
    """A table of a document.

    Attributes
    ----------
    document
        Its name.
    header
        The first line, as written.
    results
        The file of the results, or several with " + " between.
    blocks
        Which rows show what.
    labels
        How many cells of a row are its label.
    """

    document: str
    header: str
    results: str
    blocks: list[Block]
    labels: int = 1


BOUNDS = ("nll_elbo", "kl", "nll_iwae_4", "nll_fivo_4", "nll_iwae_64", "nll_fivo_64")
SAMPLE = "sample_log_likelihood"

TABLES = [
    Table(
        "sequences.md",
        "| trained with | ELBO | KL | IWAE-4 | FIVO-4 | IWAE-64 | FIVO-64 |",
        "chorales",
        [
            Block(
                [f"jsb-vrnn-{{}} | test.{name}" for name in BOUNDS],
                {
                    "default: ELBO, smoothing, KL warm-up": "elbo",
                    "ELBO, `--smoothing off --kl-warmup 0`": "elbo-no-smoothing-kl-warmup0",
                    "the same, mean of 4 draws: `--objective vae --particles 4`": (
                        "vae4-no-smoothing-kl-warmup0"
                    ),
                    "IWAE-4, `--smoothing off`": "iwae4-no-smoothing",
                    "the same by `--gradient standard`": "iwae4-no-smoothing-standard",
                    "FIVO-4, `--smoothing off`": "fivo4-no-smoothing",
                },
            ),
            Block(
                ["jsb-floor | floor.{}"],
                {"independent notes": "independent", "each note a Markov chain": "markov"},
            ),
        ],
    ),
    Table(
        "sequences.md",
        "| | nats a step |",
        "strokes",
        [
            Block(
                ["{} | test.nll_{}"],
                {"`vrnn`, ELBO": "vrnn-elbo | elbo", "`rnn`, exact": "rnn | exact"},
            ),
            Block(
                ["vrnn-elbo | test.nll_iwae_4; vrnn-elbo | test.nll_fivo_4"],
                {"`vrnn`, IWAE-4 and FIVO-4": ""},
            ),
            Block(["floor | floor.5-gram"], {"five counted movements": ""}),
            Block(
                ["floor | floor.3-gram; floor | floor.2-gram; floor | floor.1-gram"],
                {"three, two, one": ""},
            ),
        ],
    ),
    Table(
        "ideas.md",
        "| | ELBO | KL | IWAE-4 |",
        "ideas",
        [
            Block(
                [f"vrnn-elbo-{{}} | test.{name}" for name in ("nll_elbo", "kl", "nll_iwae_4")],
                {
                    "`vrnn`": "kl-warmup100-updates400",
                    "`--replay 0.5`": "kl-warmup100-replay0.5-updates400",
                    "`--curriculum 150`": "kl-warmup100-curriculum150-updates400",
                    "`--layer-norm on`": "layer-norm-kl-warmup100-updates400",
                    "`--batch-norm on`": "batch-norm-kl-warmup100-updates400",
                },
            ),
            Block(["floor | floor.5-gram"], {"five counted movements": ""}),
        ],
    ),
    Table(
        "images.md",
        "| two latents, seed 0 | nats an image |",
        "vae_mnist",
        [
            Block(
                ["dynamic-elbo-latent-size2 | test.nll_{}"],
                {
                    "ELBO": "elbo",
                    "IWAE-5000": "iwae_5000",
                    "HMC, 400 samples": "hmc",
                    "quadrature, 401 x 401 points": "quadrature",
                },
            )
        ],
    ),
    Table(
        "speech.md",
        "| | scaled | units of the recordings |",
        "speech",
        [
            Block(
                [f"digits-{{}} | test.{SAMPLE}_{{}}", f"digits-{{}} | test.{SAMPLE}_recorded_{{}}"],
                {
                    "`autoregressive`, ELBO": "autoregressive-vrnn-elbo | elbo",
                    "`autoregressive`, IWAE-4": "autoregressive-vrnn-elbo | iwae_4",
                    "`autoregressive`, FIVO-4": "autoregressive-vrnn-elbo | fivo_4",
                    "`autoregressive`, `--model rnn --updates 1000`, exact": (
                        "autoregressive-rnn-updates1000 | exact"
                    ),
                    "`gaussian`, `--model rnn --updates 1000`, exact": (
                        "gaussian-rnn-updates1000 | exact"
                    ),
                },
            ),
            Block(
                [
                    f"digits-floor | floor.{SAMPLE}_{{}}",
                    f"digits-floor | floor.{SAMPLE}_recorded_{{}}",
                ],
                {
                    "linear prediction from 20 samples, moving variance": "moving_variance",
                    "volume of a frame from the one before": "frame_volume",
                },
            ),
        ],
    ),
    Table(
        "diagnostics.md",
        "| | k-hat, median | share above 0.7 | effective draws, median | IWAE less ELBO, nats "
        "| active latents |",
        "chorales + ideas",
        [
            Block(
                [
                    f"{{}} | test.{name}"
                    for name in (
                        *("k_hat", "k_hat_above_0.7", "effective_draws", "bound_gap"),
                        "active_z",
                    )
                ],
                {
                    "`chorales`": "jsb-vrnn-elbo",
                    "`chorales`, IWAE-4, `--smoothing off`": "jsb-vrnn-iwae4-no-smoothing",
                    "`chorales`, FIVO-4, `--smoothing off`": "jsb-vrnn-fivo4-no-smoothing",
                    "`strokes --updates 400`": "vrnn-elbo-kl-warmup100-updates400",
                    "the same with `--batch-norm on`": (
                        "vrnn-elbo-batch-norm-kl-warmup100-updates400"
                    ),
                },
            )
        ],
    ),
    Table(
        "handwriting.md",
        "| | scaled | units of the recorder |",
        "handwriting",
        [
            Block(
                ["omniglot-{} | test.nll_{}", "omniglot-{} | test.nll_recorded_{}"],
                {
                    "`vrnn`, ELBO": "vrnn-elbo-kl-warmup100-updates300 | elbo",
                    "`vrnn`, IWAE-4": "vrnn-elbo-kl-warmup100-updates300 | iwae_4",
                    "`vrnn`, FIVO-4": "vrnn-elbo-kl-warmup100-updates300 | fivo_4",
                    "`rnn`, exact": "rnn-updates300 | exact",
                },
            ),
            Block(
                ["omniglot-floor | floor.{}", "omniglot-floor | floor.nll_recorded_{}"],
                {
                    "linear prediction from five movements": "linear_moves",
                    "independent movements": "independent_moves",
                },
            ),
        ],
    ),
    Table(
        "experiments.md",
        "| | direct, mean over steps | last step | paper "
        "| staged, mean over steps | last step | paper |",
        "flying_mnist",
        [
            Block(
                [
                    f"{how}{{}} | test.{what}"
                    for how in ("direct", "staged")
                    for what in ("ami", "ami_last", "ami | paper")
                ],
                {
                    "2 digits, 20 steps": "",
                    "3 digits, K = 3, no new training": ", tested with 3/3",
                    "2 still digits, 50 steps": ", tested with still frames, 50 steps",
                },
            )
        ],
    ),
    Table(
        "experiments.md",
        "| trained with | tested with | AMI, mean over steps | last step | paper |",
        "flying_shapes",
        [
            Block(
                [
                    f"{{}}, tested with {{}} | test.{what}"
                    for what in ("ami", "ami_last", "ami | paper")
                ],
                {
                    f"{trained} | {tested}": f"{trained} | {tested}"
                    for trained, tested in (
                        ("3/3", "3/5"),
                        ("3/5", "3/3"),
                        ("5/3", "3/3"),
                        ("5/5", "3/5"),
                        ("5/5", "3/3"),
                        ("3/3", "4/4"),
                        ("3/3", "5/5"),
                    )
                },
            )
        ],
        labels=2,
    ),
    Table(
        "experiments.md",
        "| recipe | AMI, last step |",
        "recipe + equal_compute/static_shapes",
        [
            Block(
                ["rnn-em, {} | test.ami_last"],
                {
                    "improved": "updates 1000",
                    "without the close look": (
                        "updates 1000, views normalised-residual frame gamma"
                    ),
                    "without it, and with the official network": (
                        "official network, updates 1000, views normalised-residual frame gamma "
                        "psi, gradient psi off, step weights all"
                    ),
                    "without it, and seeing the masked residual only": (
                        "updates 1000, views masked-residual"
                    ),
                    "gradient through what it sees": "updates 1000, gradient psi on",
                    "the last step alone in the loss": "updates 1000, step weights last",
                    "1e-3, constant": (
                        "updates 1000, learning rate 0.001, warmup 0, decay constant"
                    ),
                    "official": "official recipe, updates 1000",
                    "official, 1,750 updates": "official recipe, updates 1750",
                },
            )
        ],
    ),
    Table(
        "guides.md",
        "| setting | seeds | AMI, mean over steps | bound | KL | IWAE-100 | ELBO of the same draws "
        "| next-step BCE, posterior | prior |",
        "vrnn/flying_shapes",
        [
            Block(
                [
                    f"{{}} | test.{what}"
                    for what in (
                        *("ami | seeds", "ami", "bound", "kl", "iwae", "iwae_elbo"),
                        *("next_step_bce", "prior_bce"),
                    )
                ],
                {
                    setting: setting
                    for setting in (
                        "3/3 vrnn",
                        "3/3 vrnn, batch 40, updates 500",
                        "3/3 vrnn iwae-5, batch 8, updates 500",
                    )
                },
            )
        ],
    ),
]

SENTENCES = {
    "experiments.md": [
        ("flying_mnist", "two digits have {} at", ["direct, tested with 2/3 | test.ami_last"]),
        (
            "flying_shapes",
            "five shapes with K = 5 go from {} at step 20 to {}, and",
            ["5/5, 50 steps | test.ami, step 20", "5/5, 50 steps | test.ami, step 50"],
        ),
        (
            "static_shapes",
            "trained with three and K = 4, have {}, and without new training with two and K = 3 "
            "{}, with four and K = 5 {}, with three and K = 6 {} (",
            [
                "rnn-em | test.ami_last",
                *(f"rnn-em, tested with {n} | test.ami_last" for n in ("2/3", "4/5", "3/6")),
            ],
        ),
    ],
    "speed.md": [
        (
            "flying_shapes",
            "against {} and {} of float32",
            ["3/3 | test.ami", "3/3 | test.ami_last"],
        ),
    ],
}
"""Document -> file of the results, words around means with deviations, and which these are."""
