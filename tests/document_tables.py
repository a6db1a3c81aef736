"""Which committed results the tables and sentences of the documents show.

A row or a table that the documents get is added here, else a test fails.
"""

from document_bound_tables import BOUND_TABLES
from document_cells import Block, Table

TABLES = [
    *BOUND_TABLES,
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
