"""Which committed results the tables on sequences and images show."""

from document_cells import Block, Table

BOUNDS = ("nll_elbo", "kl", "nll_iwae_4", "nll_fivo_4", "nll_iwae_64", "nll_fivo_64")
SAMPLE = "sample_log_likelihood"

BOUND_TABLES = [
    Table(
        "sequences.md",
        "| trained with | ELBO | KL | IWAE-4 | FIVO-4 | IWAE-64 | FIVO-64 |",
        "chorales",
        [
            Block(
                [f"jsb-vrnn-{{}} | test.{name}" for name in BOUNDS],
                {
                    "default: ELBO, smoothing, KL warm-up": "elbo",
                    "ELBO, `--smoothing off`": "elbo-no-smoothing",
                    "ELBO, `--kl-warmup 0`": "elbo-kl-warmup0",
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
        "| `--tunes nottingham` | ELBO | KL | IWAE-4 | FIVO-4 | IWAE-64 | FIVO-64 |",
        "chorales",
        [
            Block([f"nottingham-vrnn-{{}} | test.{name}" for name in BOUNDS], {"default": "elbo"}),
            Block(
                ["nottingham-floor | floor.{}"],
                {"independent notes": "independent", "each note a Markov chain": "markov"},
            ),
        ],
    ),
    Table(
        "sequences.md",
        "| nats a step | 1,000 digits | all digits |",
        "strokes",
        [
            Block(
                ["{} | test.nll_{}", "{}, all digits | test.nll_{}"],
                {
                    "`vrnn`, ELBO": "vrnn-elbo | elbo",
                    "`rnn`, exact": "rnn | exact",
                },
            ),
            Block(
                ["vrnn-elbo | test.nll_{}"],
                {"`vrnn`, IWAE-4": "iwae_4", "`vrnn`, FIVO-4": "fivo_4"},
            ),
            Block(
                ["floor | floor.{}", "floor, all digits | floor.{}"],
                {
                    "five counted movements": "5-gram",
                    "three": "3-gram",
                    "two": "2-gram",
                    "one": "1-gram",
                },
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
        "images.md",
        "| latents | Adam, ELBO | KL | active | Adagrad, ELBO | KL | active |",
        "vae_mnist_sizes",
        [
            Block(
                [
                    f"dynamic-elbo{{}}{optimizer} | test.{name}"
                    for optimizer in ("", "-adagrad")
                    for name in ("nll_elbo", "kl", "active_z_1")
                ],
                {
                    "20": "",
                    **{
                        size: f"-latent-size{size}" for size in ("2", "5", "10", "50", "100", "200")
                    },
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
                    "`gaussian`, ELBO": "gaussian-vrnn-elbo | elbo",
                    "`gaussian`, IWAE-4": "gaussian-vrnn-elbo | iwae_4",
                    "`gaussian`, FIVO-4": "gaussian-vrnn-elbo | fivo_4",
                    "`gaussian`, `--model rnn`, exact": "gaussian-rnn | exact",
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
]
