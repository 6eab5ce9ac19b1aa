"""One contract that every registered augmentation passes; what each does is in its own file."""

import json
import pickle
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.preprocess.augment import (
    AUGMENTATIONS,
    ColourJitter,
    CutMix,
    Mixing,
    Mixup,
    RandAugment,
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomFlip,
    RandomResizedCrop,
    RandomShift,
    augment,
    from_card,
    mixes,
    to_card,
)

CASES = {
    "random_flip": [RandomFlip(), RandomFlip(horizontal=0.3, vertical=0.6)],
    "random_affine": [
        RandomAffine(degrees=(-20, 30), translate_x=(-0.2, 0.1), scale=(0.8, 1.3)),
        RandomAffine(translate_y=(0, 0.4), shear_degrees=(-9, 9), border="reflect"),
        RandomAffine(degrees=(-20, 30), border="edge"),
    ],
    "random_crop": [RandomCrop(), RandomCrop(padding=9, border="reflect"), RandomCrop(value=7)],
    "random_resized_crop": [
        RandomResizedCrop(),
        RandomResizedCrop(area=(0.01, 0.2), ratio=(0.1, 10), interpolation="bilinear"),
    ],
    "colour_jitter": [ColourJitter(), ColourJitter(brightness=1, hue_degrees=180, saturation=1)],
    "random_erasing": [RandomErasing(), RandomErasing(probability=1, area=(0, 1), value=255)],
    "rand_augment": [RandAugment(), RandAugment(count=5, magnitude=10, value=0)],
    "random_shift": [RandomShift(), RandomShift(pixels=5, tolerance=0)],
    "mixup": [Mixup(), Mixup(alpha=1.0, probability=0.5)],
    "cutmix": [CutMix(), CutMix(alpha=0.3, probability=0.5)],
}
ALL = [pytest.param(step, id=f"{step}") for steps in CASES.values() for step in steps]
SIZES = [(1, 1), (1, 9), (9, 1), (12, 17)]


def noise(count=6, height=12, width=17, channels=3):
    random = np.random.default_rng(count * 1000 + height * 10 + width + channels)
    return random.integers(0, 256, (count, height, width, channels)).astype(np.uint8)


def labels_of(batch):
    return np.eye(4, dtype=np.float32)[np.arange(len(batch)) % 4]


def run(step, batch, seed=1):
    """The pictures and the labels, from a generator of this seed."""
    return augment([step], batch, labels_of(batch), np.random.default_rng(seed))


def test_every_registered_augmentation_has_its_cases():
    assert CASES.keys() == AUGMENTATIONS.keys()
    for name, steps in CASES.items():
        assert {type(step) for step in steps} == {AUGMENTATIONS[name]}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("step", ALL)
def test_the_shape_and_the_dtype_stay(step, size):
    for channels in (1, 3):
        for count in (0, 1, 5):
            batch = noise(count, *size, channels)
            found, labels = run(step, batch)
            assert (found.shape, found.dtype) == (batch.shape, np.uint8)
            assert (labels.shape, labels.dtype) == ((count, 4), np.float32)
            np.testing.assert_allclose(labels.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("step", ALL)
def test_the_input_is_not_changed_and_need_not_be_writeable(step):
    batch = noise()
    before = batch.copy()
    batch.flags.writeable = False
    found, _ = run(step, batch)
    np.testing.assert_array_equal(batch, before)
    assert not np.shares_memory(found, batch)


@pytest.mark.parametrize("step", ALL)
def test_a_seed_gives_the_same_and_another_gives_another(step):
    batch = np.pad(noise(8), ((0, 0), (3, 3), (3, 3), (0, 0)))  # on an empty ground: it can shift
    first = run(step, batch)
    with ThreadPoolExecutor(4) as pool:
        for again in pool.map(lambda _: run(step, batch), range(8)):
            np.testing.assert_array_equal(again[0], first[0])
            np.testing.assert_array_equal(again[1], first[1])
    assert any(not np.array_equal(run(step, batch, seed)[0], first[0]) for seed in (2, 3))


@pytest.mark.parametrize("step", ALL)
def test_how_the_pixels_lie_in_memory_does_not_matter(step):
    batch = noise(8, 14, 14)
    for view in (batch[::-1], batch[:, ::-1, ::-1], batch.transpose(0, 2, 1, 3), batch[::2, 1::2]):
        plain = np.ascontiguousarray(view)
        np.testing.assert_array_equal(run(step, view)[0], run(step, plain)[0])


@settings(deadline=None, max_examples=60, database=None)
@given(
    st.sampled_from([s for steps in CASES.values() for s in steps if not isinstance(s, Mixing)]),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 2**32),
)
def test_where_a_batch_is_divided_does_not_matter(step, first, second, seed):
    batch = noise(first + second)
    whole = step(batch, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    parts = [step(batch[:first], rng), step(batch[first:], rng)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("step", ALL)
def test_an_augmentation_is_a_value(step):
    again = pickle.loads(pickle.dumps(step))
    assert again == step
    assert hash(again) == hash(step)
    np.testing.assert_array_equal(run(again, noise())[0], run(step, noise())[0])
    with pytest.raises(FrozenInstanceError):
        setattr(step, fields(step)[0].name, 1)
    with pytest.raises(TypeError):
        type(step)(0.5)


@pytest.mark.parametrize("step", ALL)
def test_a_card_and_a_recipe_give_it_back(step):
    assert from_card(json.loads(json.dumps(to_card([step])))) == (step,)
    (card,) = to_card([step])
    text = ", ".join(f"{name} = {json.dumps(value)}" for name, value in card.items())
    assert from_card(tomllib.loads(f"augment = [{{ {text} }}]")["augment"]) == (step,)


def test_they_run_in_order():
    batch, labels = noise(), labels_of(noise())
    steps = [RandomFlip(), Mixup(alpha=1.0), RandomErasing()]
    found = augment(steps, batch, labels, np.random.default_rng(5))
    rng = np.random.default_rng(5)
    mixed, mixed_labels = steps[1](steps[0](batch, rng), labels, rng)
    np.testing.assert_array_equal(found[0], steps[2](mixed, rng))
    np.testing.assert_array_equal(found[1], mixed_labels)
    other = augment(steps[::-1], batch, labels, np.random.default_rng(5))
    assert not np.array_equal(other[0], found[0])


def test_without_mixing_the_labels_stay_as_they_are():
    labels = np.arange(6)
    assert augment([RandomFlip()], noise(), labels, np.random.default_rng(1))[1] is labels
    assert augment([], noise(), labels, np.random.default_rng(1))[1] is labels
    assert [mixes(s) for s in ([], [RandomFlip()], [RandomFlip(), CutMix()], [Mixup()])] == [
        *(False, False, True, True)
    ]


@pytest.mark.parametrize(
    "card",
    [
        *({"step": "random_spin"}, {}, {"horizontal": 0.5}, {"step": ["mixup"]}, "mixup", 3),
        *({"step": "mixup", "beta": 1}, {"step": "mixup", "alpha": "x"}),
        {"step": "random_affine", "degrees": 5},
    ],
)
def test_an_entry_that_is_not_understood(card):
    with pytest.raises(UsageError, match=r"cannot be used.*one of random_flip"):
        from_card([card])


REFUSED = [
    (RandomFlip, {"horizontal": 1.1}),
    (RandomFlip, {"vertical": -0.1}),
    (RandomAffine, {"degrees": (10, -10)}),
    (RandomAffine, {"degrees": (0, 361)}),
    (RandomAffine, {"degrees": 5}),
    (RandomAffine, {"degrees": ("a", "b")}),
    (RandomAffine, {"translate_x": (-2, 0)}),
    (RandomAffine, {"translate_y": (0, float("nan"))}),
    (RandomAffine, {"scale": (0, 1)}),
    (RandomAffine, {"shear_degrees": (0, 90)}),
    (RandomAffine, {"border": "wrap"}),
    (RandomAffine, {"value": 300}),
    (RandomCrop, {"padding": 0}),
    (RandomCrop, {"padding": 1.5}),
    (RandomCrop, {"border": "wrap"}),
    (RandomResizedCrop, {"area": (0, 1)}),
    (RandomResizedCrop, {"area": (0.5, 1.5)}),
    (RandomResizedCrop, {"ratio": (0, 1)}),
    (RandomResizedCrop, {"interpolation": "lanczos"}),
    (ColourJitter, {"brightness": -0.1}),
    (ColourJitter, {"contrast": 1.1}),
    (ColourJitter, {"saturation": float("nan")}),
    (ColourJitter, {"hue_degrees": 181}),
    (RandomErasing, {"probability": 2}),
    (RandomErasing, {"area": (-0.1, 1)}),
    (RandomErasing, {"value": -1}),
    (RandAugment, {"count": 0}),
    (RandAugment, {"count": 15}),
    (RandAugment, {"magnitude": 11}),
    (RandomShift, {"pixels": 0}),
    (Mixup, {"alpha": 0}),
    (Mixup, {"alpha": float("nan")}),
    (CutMix, {"alpha": -1}),
    (CutMix, {"probability": 1.5}),
]


@pytest.mark.parametrize(("kind", "options"), REFUSED)
def test_bad_options_are_refused(kind, options):
    with pytest.raises(UsageError, match=next(iter(options))):
        kind(**options)


def test_every_augmentation_refuses_something():
    assert {kind for kind, _ in REFUSED} == set(AUGMENTATIONS.values())
