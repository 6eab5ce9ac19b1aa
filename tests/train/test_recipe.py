import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import pixelmine.train
from pixelmine.core.errors import UsageError
from pixelmine.preprocess import Normalise, Resize
from pixelmine.preprocess.augment import Mixup, RandomAffine
from pixelmine.train.recipe import load_recipe, parse_recipe, recipe_names

TEXT = (Path(pixelmine.train.__file__).parent / "recipes/cnn_article.toml").read_text("utf-8")


def test_the_article_s_recipe_is_the_article_s() -> None:
    recipe = load_recipe("cnn-article")
    assert "cnn-article" in recipe_names()
    assert (recipe.optimizer, recipe.loss) == ("adam", "sparse_categorical_crossentropy")
    assert (recipe.batch_size, recipe.epochs, recipe.patience) == (32, 10, None)
    assert round(60_000 * recipe.held_back) == 5_000
    found = recipe.preprocessing(recipe.height, recipe.width, 1)
    assert found.steps == (Resize(height=28, width=28), Normalise(mean=0.0, std=255.0))
    assert found.decode.colour == "grey"
    assert recipe.augmentations == ()


def test_every_recipe_says_what_to_expect() -> None:
    for name in recipe_names():
        header = load_recipe(name).header
        assert all((header.source, header.cost, header.expected)), name
        assert f"--recipe {name}" in header.command


def test_an_unknown_recipe_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"one of .*cnn-article.* Got 'resnet'"):
        load_recipe("resnet")


@pytest.mark.parametrize(
    ("field", "value"),
    [("epochs", 0), ("batch_size", -1), ("channels", 2), ("held_back", 0.6), ("std", 0.0),
     ("optimizer", "sgd"), ("loss", "mse"), ("patience", 0), ("interpolation", "lanczos")],
)  # fmt: skip
def test_a_value_out_of_range_is_refused(field: str, value: object) -> None:
    with pytest.raises(UsageError, match=field):
        replace(load_recipe("cnn-article"), **{field: value})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("epochs = 10", "epoch = 10", "epoch"),
        ("epochs = 10", "", "epochs"),
        ("[training]", "[train]", "training"),
        ("epochs = 10", "epochs = [", "cannot be read"),
        ('cost = "', 'price = "', "price"),
    ],
)
def test_a_recipe_with_a_slip_is_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_recipe(TEXT.replace(old, new, 1))


AUGMENT = """
augment = [
    { step = "random_affine", degrees = [-10, 10], border = "edge" },
    { step = "mixup", alpha = 0.4 },
]
"""


def test_a_recipe_lists_its_augmentation() -> None:
    recipe = parse_recipe(TEXT + AUGMENT)
    assert recipe.augmentations == (
        RandomAffine(degrees=(-10, 10), border="edge"),
        Mixup(alpha=0.4),
    )
    assert replace(recipe, epochs=3).augmentations == recipe.augmentations
    # the defaults are in it too: a checkpoint is known by them
    assert recipe.augment[1] == {"step": "mixup", "alpha": 0.4, "probability": 1.0}
    assert parse_recipe(TEXT + "augment = []").augment == ()


@pytest.mark.parametrize(
    ("augment", "said"),
    [
        ('[{ step = "spin" }]', "one of random_flip"),
        ('[{ step = "mixup", alpha = 0 }]', "alpha must be above 0"),
        ('["mixup"]', "cannot be used"),
        ('"mixup"', "cannot be used"),
        ("3", "cannot be used"),
    ],
)
def test_an_augmentation_with_a_slip_is_refused(augment: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_recipe(f"{TEXT}\naugment = {augment}")


def test_few_pictures_get_more_epochs() -> None:
    recipe = replace(load_recipe("cnn-strong"), epochs=9, batch_size=100, least_steps=50)
    assert [recipe.epochs_for(n) for n in (10, 100, 101, 10_000)] == [50, 50, 25, 9]
    assert load_recipe("cnn-article").epochs_for(1) == 10


def test_a_longer_training_is_a_recipe_of_its_own() -> None:
    recipe = load_recipe("cnn-strong")
    longer = recipe.given_time
    assert recipe.builders == ["cnn-strong", "cnn-strong-large"]
    assert (longer.recipe.builder, longer.recipe.longer) == ("cnn-strong-large", None)
    assert longer.recipe.weight_decay == recipe.weight_decay
    assert "random_erasing" in [step["step"] for step in longer.recipe.augment]
    assert [longer.fits(minutes, 15) for minutes in (29.9, 30.1)] == [False, True]


@pytest.mark.parametrize(
    ("longer", "said"),
    [
        ({"times": 6}, "must have times and least_epochs"),
        ({"times": 0, "least_epochs": 2}, "times"),
        ({"times": 6, "least_epochs": 2, "depth": 3}, "depth"),
        ({"times": 6, "least_epochs": 2, "optimizer": "sgd"}, "sgd"),
    ],
)
def test_a_longer_training_with_a_slip_is_refused(longer: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        replace(load_recipe("cnn-strong"), longer=longer)


def test_recipes_load_no_training_framework() -> None:
    code = "import sys, pixelmine.train.recipe as r; r.recipe_names(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"keras", "tensorflow", "h5py"} & set(done.stdout.split())
