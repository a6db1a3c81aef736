import math

import numpy as np

from pyro_nem.plots import learning_curves


def lines(axes):
    return {line.get_label(): line for line in axes.lines}


def test_each_key_is_a_line_in_its_panel():
    records = [
        {
            "update": update,
            "train.loss": 9.0 - update,
            "train.ari": 0.1,
            "train.ari_last": 0.2,
            "train.effective_components": 2.5,
        }
        for update in range(3)
    ]
    records += [
        {
            "update": 2,
            "validation.loss": 8.0,
            "validation.ari": 0.3,
            "validation.ari_last": 0.4,
            "validation.effective_components": 2.0,
        }
    ]
    loss, ari, components = learning_curves(records).axes
    assert list(lines(loss)) == list(lines(components)) == ["training", "validation"]
    assert list(lines(ari)) == [
        "training, all steps",
        "training, last step",
        "validation, all steps",
        "validation, last step",
    ]
    np.testing.assert_array_equal(lines(loss)["training"].get_xydata(), [[0, 9], [1, 8], [2, 7]])
    np.testing.assert_array_equal(lines(ari)["validation, last step"].get_xydata(), [[2, 0.4]])
    for axes in (loss, ari, components):
        # Readable in grey: no two lines of a panel share a style.
        styles = [line.get_linestyle() for line in axes.lines]
        assert len(set(styles)) == len(styles)
        assert axes.get_xlabel() == "updates"
        assert axes.get_legend() is not None


def test_a_stochastic_guides_divergence_has_its_own_panel():
    plain = learning_curves([{"update": 1, "train.loss": 2.0}])
    assert len(plain.axes) == 1
    found = learning_curves([{"update": 1, "train.kl": 2.0}, {"update": 2, "validation.kl": 3.0}])
    panel = found.axes[1]
    assert [line.get_label() for line in panel.lines] == ["training", "validation"]
    assert list(panel.lines[1].get_ydata()) == [3.0]


def test_updates_are_sorted_and_a_repeated_one_counts_once():
    records = [
        {"update": 20, "train.loss": 2.0},
        {"update": 10, "train.loss": 3.0},
        {"update": 20, "train.loss": 1.0},
    ]
    data = lines(learning_curves(records).axes[0])["training"].get_xydata()
    np.testing.assert_array_equal(data, [[10, 3], [20, 1]])


def test_records_without_an_update_are_left_out():
    assert not learning_curves([{"train.loss": 1.0}]).axes[0].lines


def test_values_that_are_not_finite_leave_a_gap():
    values = [1.0, math.inf, math.nan, 2.0]
    records = [{"update": u, "train.loss": value} for u, value in enumerate(values)]
    data = lines(learning_curves(records).axes[0])["training"].get_ydata()
    np.testing.assert_array_equal(data, [1.0, math.nan, math.nan, 2.0])


def test_without_a_loss_its_panel_says_so():
    figure = learning_curves([])
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["not recorded"]
    figure.draw_without_rendering()


def test_only_what_has_values_has_a_panel():
    unknown = {"train.ari": math.nan, "train.ari_last": math.nan, "validation.ari": math.nan}
    records = [{"update": 1, "train.loss": 2.0, "train.kl": 0.5, **unknown}]
    panels = learning_curves(
        records, unit="nats an image", kl="KL of the latents, nats an image"
    ).axes
    assert [axes.get_title(loc="left") for axes in panels] == [
        "loss, nats an image",
        "KL of the latents, nats an image",
    ]
    records.append({"update": 2, "validation.ari": 0.5})
    assert len(learning_curves(records).axes) == 3
    panels = learning_curves(records).axes
    assert panels[0].get_title(loc="left") == "loss, nats a clip"
    assert panels[2].get_title(loc="left") == "KL of the states, nats a step"


def test_no_line_is_under_a_legend():
    records = [{"update": 1, "train.ari": 0.9, "validation.ari": 0.1, "validation.ari_last": 0.5}]
    figure = learning_curves(records)
    figure.draw_without_rendering()
    panel = figure.axes[1]
    label = panel.xaxis.label.get_window_extent()
    assert panel.get_legend().get_window_extent().y1 < label.y0
    assert panel.get_legend().get_window_extent().y0 >= figure.bbox.y0
