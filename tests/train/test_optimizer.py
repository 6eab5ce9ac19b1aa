from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pixelmine.core.errors import UsageError


def stepped(keras: ModuleType, steps: int = 1, **changes: Any) -> tuple[Any, list[np.ndarray]]:
    """A network after steps whose gradients are zero or one, and its weights before."""
    from pixelmine.train.optimizer import Changes, make_optimizer, make_rate

    network = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(2, bias_initializer="ones", name="dense"),
            keras.layers.BatchNormalization(beta_initializer="ones"),
        ]
    )
    made = Changes(**changes)
    network.compile(optimizer=make_optimizer(made, make_rate(made)))
    before = [variable.numpy() for variable in network.trainable_variables]
    gradient = 1.0 if "average" in changes else 0.0
    for _ in range(steps):
        network.optimizer.apply(
            [keras.ops.full(v.shape, gradient) for v in network.trainable_variables],
            network.trainable_variables,
        )
    return network, before


def test_kernels_decay_and_nothing_else_does(keras: ModuleType) -> None:
    network, before = stepped(keras, optimizer="adamw", learning_rate=0.1, weight_decay=0.5)
    kernel, *others = zip(network.trainable_variables, before, strict=True)
    np.testing.assert_allclose(kernel[0].numpy(), kernel[1] * (1 - 0.1 * 0.5), rtol=1e-5)
    assert [variable.name for variable, _ in others] == ["bias", "gamma", "beta"]
    for variable, value in others:
        np.testing.assert_array_equal(variable.numpy(), value)


def test_averaged_puts_the_average_in_and_the_weights_back(keras: ModuleType) -> None:
    from pixelmine.train.optimizer import averaged

    network, before = stepped(keras, 2, optimizer="adamw", learning_rate=0.1, average=0.75)
    own = [variable.numpy() for variable in network.trainable_variables]
    # Adam's steps by a gradient that stays are of the rate's length; the average begins with the
    # weights after the first step
    with averaged(network):
        for variable, value in zip(network.trainable_variables, before, strict=True):
            mean = 0.75 * (value - 0.1) + 0.25 * (value - 0.2)
            np.testing.assert_allclose(variable.numpy(), mean, atol=1e-5)
    for variable, value in zip(network.trainable_variables, own, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_a_variable_s_rate_is_its_share_of_the_learning_rate(
    keras: ModuleType, optimizer: str
) -> None:
    from pixelmine.train.optimizer import Changes, make_optimizer

    changes = Changes(optimizer=optimizer, learning_rate=0.1)
    own, shared = (keras.Variable(np.ones(3), dtype="float32") for _ in range(2))
    shared.rate = 0.25
    make_optimizer(changes, 0.1).apply([keras.ops.ones(3), keras.ops.ones(3)], [own, shared])
    np.testing.assert_allclose(own.numpy(), 1 - 0.1, rtol=1e-5)
    np.testing.assert_allclose(shared.numpy(), 1 - 0.025, rtol=1e-5)


def test_without_an_average_nothing_changes_places(keras: ModuleType) -> None:
    from pixelmine.train.optimizer import averaged

    network, before = stepped(keras, optimizer="adam")
    with averaged(network):
        for variable, value in zip(network.trainable_variables, before, strict=True):
            np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": "sgd"}, "optimizer must be one of"),
        ({"schedule": "steps"}, "schedule must be one of"),
        ({"learning_rate": 0.0}, "learning_rate must be"),
        ({"warm_up": 1.0}, "warm_up must be above 0 and below 1"),
        ({"weight_decay": -0.1}, "weight_decay must be 0, or more"),
        ({"optimizer": "adam", "weight_decay": 0.1}, "Got 0.1 with adam"),
        ({"average": 1.0}, "average must be above 0 and below 1"),
    ],
)
def test_what_cannot_be_is_refused(keras: ModuleType, changes: Any, message: str) -> None:
    from pixelmine.train.optimizer import Changes

    with pytest.raises(UsageError, match=message):
        Changes(**{"optimizer": "adamw", **changes})
