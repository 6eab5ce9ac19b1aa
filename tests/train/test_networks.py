from types import ModuleType

import numpy as np
import pytest

from pixelmine.core.errors import UsageError


def test_the_article_s_network_has_its_parameters(keras: ModuleType) -> None:
    from pixelmine.train.networks import NETWORKS, build_article

    assert NETWORKS.get("cnn-article") is build_article
    network = build_article(28, 28, 1, 10)
    assert network.count_params() == 225_034
    assert [type(layer).__name__ for layer in network.layers] == [
        "Conv2D",
        "MaxPooling2D",
        "Conv2D",
        "MaxPooling2D",
        "Flatten",
        "Dense",
        "Dense",
    ]


def test_the_smallest_picture_it_takes(keras: ModuleType) -> None:
    from pixelmine.train.networks import build_article

    assert build_article(10, 10, 3, 2).output_shape == (None, 2)
    with pytest.raises(UsageError, match="at least 10x10 pixels"):
        build_article(9, 28, 1, 2)


def test_the_smallest_picture_the_strong_network_takes(keras: ModuleType) -> None:
    from pixelmine.train.networks import NETWORKS

    build = NETWORKS.get("cnn-strong")
    assert build(16, 19, 3, 2).output_shape == (None, 2)
    assert build(28, 28, 1, 10).count_params() == 323_714
    assert build(96, 64, 3, 5).get_layer("residual").output.shape[1:] == (3, 2, 128)
    large = NETWORKS.get("cnn-strong-large")
    assert large(16, 19, 3, 2).output_shape == (None, 2)
    assert large(28, 28, 1, 10).count_params() == 918_954
    assert large(96, 64, 3, 5).get_layer("residual_5").output.shape[1:] == (3, 2, 128)
    with pytest.raises(UsageError, match="at least 16x16 pixels"):
        build(15, 28, 1, 2)


@pytest.mark.parametrize("name", ["cnn-article", "cnn-strong-large"])
def test_the_mean_over_a_mirror_image_has_the_same_weights(keras: ModuleType, name: str) -> None:
    from pixelmine.train.networks import NETWORKS, built, mean_over_mirror
    from pixelmine.train.peel import peel
    from pixelmine.train.recipe_network import MIRRORED

    plain = NETWORKS.get(name)(20, 16, 1, 3)
    both = mean_over_mirror(plain)
    pixels = np.random.default_rng(1).random((5, 20, 16, 1), np.float32)
    ask = peel(plain).network
    one, other = ask(pixels), ask(pixels[:, :, ::-1])
    found = peel(both).network(pixels)
    for output in ("logits", "embedding"):
        mean = (np.asarray(one[output]) + np.asarray(other[output])) / 2
        np.testing.assert_allclose(found[output], mean, atol=1e-5)
    again = built(name + MIRRORED, 20, 16, 1, 3)
    again.set_weights(plain.get_weights())
    np.testing.assert_array_equal(again(pixels), both(pixels))
    with pytest.raises(UsageError, match="no network named"):
        built("other" + MIRRORED, 20, 16, 1, 3)
