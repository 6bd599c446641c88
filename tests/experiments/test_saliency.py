import re
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm.classifier import classifier_backward, classifier_forward, init_classifier
from numpy_lstm.experiments import reviews, saliency
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.plots import COLORS
from numpy_lstm.training import Evaluation
from tests.experiments.hand_made import drawn, only, prepared, reviews_of, state_of, trials
from tests.on_record import contents, prose

# Of 31, 45, 29, 46 and 30 words; three of them are between 30 and 45.
LENGTHS = (31, 45, 29, 46, 30)
DATA = prepared(
    reviews_of([0], [2]),
    reviews_of([1, 0, 1, 0, 1], *[[2 + (k + n) % 10 for k in range(n)] for n in LENGTHS]),
    reviews_of([0], [3]),
)
CONDITIONS = saliency.conditions(False)


def run(model, seed=0, **patched):
    given = []
    best = init_classifier(model, DATA.vectors, 4, readout="last", rng=np.random.default_rng(0))

    def fit(*arguments):
        given.append(arguments)
        return state_of(best, [0.5, 0.4], [0.6, 0.7])

    with (
        patch.object(reviews, "data", only(DATA, seed, False, vector_size=64)),
        patch.object(reviews, "fit", fit),
        patch.object(reviews, "evaluate", lambda *_: Evaluation(0.25, 0.875)),
        patch.multiple(saliency, **patched) if patched else patch.dict({}),
    ):
        return saliency.run({**CONDITIONS[model], "hidden_size": 4}, seed, False), given[0], best


def test_both_models_read_one_word_a_step():
    assert list(CONDITIONS) == ["rnn", "lstm"]
    for model, settings in CONDITIONS.items():
        assert settings["model"] == model and settings["bag_size"] == 1
    without = [{**settings, "model": None} for settings in CONDITIONS.values()]
    assert without[0] == without[1]
    assert (without[0]["epochs"], without[0]["patience"], without[0]["max_length"]) == (4, 0, 100)


def hand_made(logits):
    """In place of the classifier: word t of review k has a gradient of norm 100 k + t + 1."""

    def forward(classifier, tokens, lengths):
        assert classifier.bag_size == 1
        assert {array.dtype for array in classifier.parameters.values()} == {np.dtype(float)}
        return np.array(logits), (tokens, lengths)

    def backward(dlogits, cache):
        np.testing.assert_array_equal(dlogits, [1, 1, 1])  # of the logit itself
        tokens, lengths = cache
        assert lengths.tolist() == [45, 31, 30]
        size = 100 * np.arange(3) + np.arange(len(tokens))[:, np.newaxis] + 1.0
        size = np.where(tokens > 0, size, 0)
        return SimpleNamespace(dxs=size[:, :, np.newaxis] * np.array([0.6, 0, -0.8]))

    return {"classifier_forward": forward, "classifier_backward": backward}


def test_the_ratio_is_that_of_the_first_ten_words_to_each_reviews_own_last_ten():
    result, (model, splits, vectors, own), _ = run("lstm", **hand_made([1.0, -2.5, 0.5]))
    firsts = [5.5, 105.5, 205.5]  # means of the first ten
    lasts = [40.5, 126.5, 225.5]  # of 36 to 45, of 22 to 31 and of 21 to 30
    assert result["first_to_last"] == pytest.approx(sum(firsts) / sum(lasts))
    assert result["test_accuracy"] == 0.875 and result["val_accuracy"] == 0.7
    assert model == "lstm" and vectors is DATA.vectors and own.bag_size == 1
    assert splits.validation.lengths.tolist() == list(LENGTHS)


def test_the_shortest_reviews_are_shown_with_their_words_norms_and_truth():
    result, _, _ = run("rnn", **hand_made([1.0, -2.5, 0.54321]))
    one, other = result["reviews"]
    assert (len(one["words"]), len(other["words"])) == (31, 30)
    assert "".join(one["words"][:4]) == "bcde"  # ids 3, 4, 5, 6
    assert "".join(other["words"][:4]) == "abcd"
    assert one["norms"] == [101.0 + t for t in range(31)]
    assert other["norms"] == [201.0 + t for t in range(30)]
    assert (one["logit"], one["label"]) == (-2.5, 1)
    assert (other["logit"], other["label"]) == (0.5432, 1)
    of_another_seed, (*_, own), _ = run("rnn", seed=1, **hand_made([1.0, -2.5, 0.5]))
    assert of_another_seed["reviews"] == [] and own.seed == 1


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_gradients_are_those_of_the_logit_at_the_best_epoch(model):
    result, _, best = run(model)
    shown = result["reviews"][-1]
    tokens = np.array([2 + k % 10 for k in range(30)])[:, np.newaxis]
    exact = {name: array.astype(np.float64) for name, array in best.items()}
    classifier = saliency.Classifier(exact, 1, "last")
    logits, cache = classifier_forward(classifier, tokens, np.array([30]))
    gradients = classifier_backward(np.ones(1), cache).dxs[:, 0]
    np.testing.assert_allclose(shown["norms"], np.linalg.norm(gradients, axis=1), rtol=1e-3)
    assert shown["logit"] == pytest.approx(float(logits[0]), rel=1e-3)


def a_review(words, norms, logit=1.5, label=1):
    return {"words": words, "norms": norms, "logit": logit, "label": label}


LISTED = trials(
    {
        "rnn": [
            {
                "first_to_last": 0.25,
                "test_accuracy": 0.5,
                "reviews": [
                    a_review(["a<b", "c"], [1.0, 4.0], -2.25, 0),
                    a_review(["d"], [0.0]),
                ],
            },
            {"first_to_last": 0.75, "test_accuracy": 1.0, "reviews": []},
        ],
        "lstm": [
            {
                "first_to_last": 2.0,
                "test_accuracy": 0.75,
                "reviews": [
                    a_review(["e", "f", "g"], [3.0, 1.5, 2.25], 1.0, 1),
                    a_review(["long" * 20, "longer" * 5], [1.0, 0.5], 1.5, 0),
                ],
            }
        ],
    }
)


def test_the_summary_has_the_ratio_of_first_to_last_words():
    summary = saliency.summarize(LISTED)
    assert summary["rnn"]["first_to_last"]["median"] == 0.5
    assert summary["rnn"]["test_accuracy"]["mean"] == 0.75
    assert summary["lstm"]["first_to_last"]["median"] == 2.0


def test_words_are_as_deep_as_their_norm_in_the_color_of_their_model(tmp_path):
    figure = drawn(saliency.draw, LISTED, tmp_path / "saliency.png")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [
        "vanilla RNN: log-odds of positive -2.2, truth negative",
        "LSTM: log-odds of positive +1.0, truth positive",
        "vanilla RNN: log-odds of positive +1.5, truth positive",
        "LSTM: log-odds of positive +1.5, truth negative",
    ]
    shown = [
        [
            (text.get_text(), text.get_bbox_patch().get_alpha(), text.get_color())
            for text in axes.texts
        ]
        for axes in figure.axes
    ]
    assert shown[0] == [("a<b", 0.25, "black"), ("c", 1.0, "black")]
    assert not any(axes.axison for axes in figure.axes)  # words alone
    # Of the two the one with more contrast, which on the vanilla RNN's color is always black.
    assert shown[1] == [("e", 1.0, "white"), ("f", 0.5, "black"), ("g", 0.75, "white")]
    # The places are counted in letters, which must be of one width.
    assert {text.get_family()[0] for axes in figure.axes for text in axes.texts} == {"monospace"}
    assert shown[2] == [("d", 0.0, "black")]
    for axes, model in zip(figure.axes, ("rnn", "lstm", "rnn", "lstm"), strict=True):
        color = tuple(int(COLORS[model][k : k + 2], 16) / 255 for k in (1, 3, 5))
        assert axes.texts[0].get_bbox_patch().get_facecolor()[:3] == pytest.approx(color)
    # Words stand one after another, and what does not fit begins a new line.
    assert [text.get_position() for text in figure.axes[0].texts] == [(0, 0), (1.02 * 4, 0)]
    assert [text.get_position() for text in figure.axes[3].texts] == [(0, 0), (0, -1)]
    assert "darkest: a review's largest" in figure.get_suptitle()


def test_the_page_says_the_same(tmp_path):
    with patch.object(saliency.plots, "write_atomically", lambda *_: None):
        saliency.draw(tmp_path / "saliency.png", LISTED)
    page = (tmp_path / "saliency.html").read_text(encoding="utf-8")
    assert re.findall("<h2>(.*?)</h2>", page) == [
        "vanilla RNN: log-odds of positive -2.2, truth negative",
        "LSTM: log-odds of positive +1.0, truth positive",
        "vanilla RNN: log-odds of positive +1.5, truth positive",
        "LSTM: log-odds of positive +1.5, truth negative",
    ]
    spans = re.findall(r'<span style="background:rgba\((.*?)\);color:(\w+)">(.*?)</span>', page)
    assert spans[:4] == [
        ("187,85,102,0.25", "black", "a&lt;b"),
        ("187,85,102,1.00", "black", "c"),
        ("0,68,136,1.00", "white", "e"),
        ("0,68,136,0.50", "black", "f"),
    ]
    assert spans[4] == ("0,68,136,0.75", "white", "g")
    assert len(spans) == 8


def test_the_page_in_docs_says_what_the_results_say():
    page, results = prose("saliency"), by_condition(contents("saliency")["trials"])
    rnn, lstm = (sorted(of["first_to_last"] for of in results[cell]) for cell in ("rnn", "lstm"))
    assert (
        f"In four of five vanilla RNNs the logit is {rnn[0]:.2f} to {rnn[3]:.2f} times as sensitive"
    ) in page
    assert f"in the fifth it is {rnn[4]:.2f} times as sensitive." in page
    assert f"about as sensitive to both, {lstm[0]:.2f} to {lstm[4]:.2f} times." in page
    shades: dict[str, list[list[tuple[float, str]]]] = {}  # from 0 to 1, of each review's words
    for model, (of_seed, *_) in results.items():
        for of in of_seed["reviews"]:
            assert model == "lstm" or (of["logit"] > 0) == of["label"]
            shares = np.array(of["norms"]) / max(of["norms"])
            shades.setdefault(model, []).append(list(zip(shares, of["words"], strict=True)))
    assert (
        "colour is spread over the first review, and sits on the last words of the second" in page
    )
    spread_out, at_the_end = shades["rnn"]
    assert min(spread_out)[0] > 0.15
    assert max(at_the_end[:10])[0] < 0.02 < 0.75 < min(at_the_end[-3:])[0]
    assert "Both of its verdicts are right" in page
    assert 'In the first it is darkest on "this is" and "american", in the second on "bolts' in page
    darkest = [{word for _, word in sorted(of)[-3:]} for of in shades["lstm"]]
    assert darkest == [{"this", "is", "american"}, {"bolts", "of", "lightning"}]
    assert '"great", "recommend" and "botched" are lighter.' in page
    lighter = {"great", "recommend", "botched"}
    assert max(share for of in shades["lstm"] for share, word in of if word in lighter) < 0.5
