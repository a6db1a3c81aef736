"""What a report says of posteriors made by hand."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from posterior_trees import CHAINS, DRAWS, SEQUENCES, by_chain, make

from experiments.report.findings_section import findings
from experiments.report.page import Picture, Table, Text
from experiments.report.posterior_sections import posterior_sections
from experiments.report.wording import first, interval, number, plural, time_span
from inference.diagnostics import PROBLEMS, find_problems

TOTAL = CHAINS * DRAWS


def sections(tree, name):
    # What the maps need; elsewhere restarts may be of any kind.
    tree.attrs["guide"] = "VRNN"
    gamma = tree["sample_stats/gamma"]
    tree["sample_stats"]["gamma"] = gamma / gamma.sum("component")
    found = posterior_sections(SimpleNamespace(posterior=tree))
    return next(section.blocks for section in found if section.name == name)


def generator():
    return np.random.default_rng(0)


def of(kind, blocks):
    return [block for block in blocks if isinstance(block, kind)]


def test_numbers_that_are_none_are_words():
    assert number(1234.567, 1, "") == "1,234.6"
    assert number(None, 1, "no pairs") == number(math.nan, 1, "no pairs") == "no pairs"
    assert number(math.inf, 1, "") == "infinitely large"
    assert number(-math.inf, 1, "") == "infinitely small"
    assert interval(10.0, 0.5, 2) == "9.02 to 10.98"
    assert interval(10.0, None, 2) == "none: there is a single value"
    assert interval(None, 0.5, 2) == interval(math.nan, 0.5, 2) == "none"
    assert (plural(1, "draw"), plural(2000, "draw")) == ("1 draw", "2,000 draws")
    assert (first(1, "video"), first(3, "video")) == ("the first video", "the first 3 videos")
    assert (time_span(75), time_span(3600)) == ("1:15 min", "1:00:00 h")


def test_restarts_that_agree_differ_or_do_not_vary_are_told_apart():
    frame = np.zeros((CHAINS, DRAWS, SEQUENCES, 2))
    frame[1] = 3.0  # without spread within restarts, and 6 nats apart
    number_of = np.ones((CHAINS, DRAWS, SEQUENCES))
    number_of[:, :, 1] = generator().normal(size=(CHAINS, DRAWS))
    tree = make(log_likelihood__frame=frame, sample_stats__effective_components=number_of)
    blocks = sections(tree, "restarts")
    likelihood, components, pairs = of(Table, blocks)[0].rows
    none = "none: no spread within restarts"
    assert likelihood[1:] == ("none", "none", "0 of 0", "0", "0", "2", none, "6.00", "6.00")
    assert components[3:7] == ("0 of 1", "1", "0", "0")
    assert float(components[1]) == pytest.approx(1.0, abs=0.05)
    assert float(components[7].replace(",", "")) > 0.5 * TOTAL
    assert pairs[3] == "0 of 8"
    assert len(of(Picture, blocks)) == 1


def test_a_sequence_without_a_scored_pixel_is_counted():
    number_of = generator().normal(size=(CHAINS, DRAWS, SEQUENCES))
    number_of[..., 1] = math.nan
    table = of(Table, sections(make(sample_stats__effective_components=number_of), "restarts"))[0]
    column = table.head.index("none: no scored pixel")
    assert [row[column] for row in table.rows] == ["0", "1", "0"]


def test_restarts_without_any_spread_have_no_rank_plot():
    blocks = sections(make(sample_stats__effective_components=2.0), "restarts")
    assert of(Picture, blocks) == []


def test_weights_are_described_or_it_is_said_why_not():
    (text,) = sections(make(stochastic=0), "weights")
    assert "point masses" in text.text
    weight = generator().normal(size=(CHAINS, DRAWS, SEQUENCES))
    weight[..., 1] = 0.0  # the exact posterior
    blocks = sections(make(sample_stats__log_weight=weight), "weights")
    assert of(Text, blocks)[0].text == (
        "0 of 2 sequences are above 0.7; 1 have equal weights, as under the exact posterior."
    )
    assert len(of(Picture, blocks)) == 1
    blocks = sections(make(sample_stats__log_weight=0.0), "weights")
    assert of(Picture, blocks) == []


def test_calibration_needs_pairs():
    (text,) = sections(make(constant_data__pair_same=-1), "calibration")
    assert "there are no pairs" in text.text
    (text,) = sections(make(labels=0), "calibration")
    assert "no true objects" in text.text
    same = np.array([[1, 1, 1, 0], [1, 1, 0, 1]])
    blocks = sections(make(constant_data__pair_same=same), "calibration")
    # All pairs have probability 0.9, and 6 of 8 are of one object.
    brier = (6 * 0.1**2 + 2 * 0.9**2) / 8
    assert of(Table, blocks)[0].rows == [
        ("expected calibration error (ECE)", "0.1500"),
        ("Brier score", f"{brier:.4f}"),
    ]


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_frames_of_some_channels_have_maps(channels):
    tree = make()
    frames = generator().uniform(size=(SEQUENCES, 2, 2, 3, channels))
    dims = ("shown_sequence", "shown_step", "row", "column", "channel")
    tree["observed_data"] = xr.DataTree(xr.Dataset({"x": (dims, frames)}))
    tree["posterior_predictive"] = xr.DataTree(
        xr.Dataset({"x": (("chain", "draw", *dims), frames[None, None])})
    )
    blocks = sections(tree, "uncertainty")
    assert len(of(Picture, blocks)) == (channels != 2)


def test_findings_come_with_advice():
    summary = {"posterior_sequences": SEQUENCES}
    quiet = findings(SimpleNamespace(posterior=make(), summary=summary)).blocks
    assert (quiet[0].title, quiet[0].warning) == ("Nothing suspicious was found", False)
    assert all(words in quiet[-1].text for words in PROBLEMS.values())
    blank = make(sample_stats__component_share=math.nan, stochastic=0, sample_stats__log_weight=0.0)
    texts = [
        b.text for b in of(Text, findings(SimpleNamespace(posterior=blank, summary=summary)).blocks)
    ]
    assert texts[0].endswith(f"2 test sequences: {PROBLEMS['restarts disagree']}.")
    assert texts[1].startswith("Not looked for, as no pixel's true object is known: one component")
    assert texts[2] == (
        f"Not looked for, as point masses have no weights: {PROBLEMS['unreliable weights']}."
    )
    blank["constant_data/pair_same"][:] = -1
    first, *reasons = findings(SimpleNamespace(posterior=blank, summary=summary)).blocks
    assert (first.title, first.warning) == ("Nothing was checked", True)
    assert all(block.text.startswith("Not looked for, as") for block in reasons)
    share = np.zeros((CHAINS, SEQUENCES, 3))
    share[..., 0] = 1.0
    tree = make(
        sample_stats__component_share=share,
        sample_stats__entropy=1.09,
        sample_stats__pair_probability=by_chain([0.0, 1.0, 1.0]),
        sample_stats__log_weight=5 * generator().exponential(size=(CHAINS, DRAWS, SEQUENCES)),
    )
    loud = findings(SimpleNamespace(posterior=tree, summary=summary)).blocks[:-1]
    found = find_problems(tree)
    assert {one.name for one in found} == set(PROBLEMS)
    assert [note.title.lower() for note in loud] == [one.name for one in found]
    assert all(note.warning and ". Advice: " in note.text for note in loud)
