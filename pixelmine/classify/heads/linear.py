"""Logistic regression on standardised features."""

from dataclasses import dataclass

from pixelmine.core.checks import check_positive

from .affine import Affine
from .convex import constant_rows, fit_affine, sigmoid, softmax
from .examples import Examples
from .head import HeadKind, HeadOptions

__all__ = ["LINEAR", "LinearOptions"]


@dataclass(frozen=True, kw_only=True)
class LinearOptions(HeadOptions):
    """How smooth, and what a mistake costs.

    `c`: the inverse strength of the L2 penalty, scikit-learn's `C`: .01, which is known to do well
    on 1,280 dimensions of some thousand photographs; few dimensions and many rows bear more.
    `balanced`: classes cost the same however rare they are; off, since it takes the frequencies out
    of the probabilities.
    """

    c: float = 0.01
    balanced: bool = False

    def __post_init__(self) -> None:
        check_positive("c", self.c)


def fit_linear(examples: Examples, options: LinearOptions) -> Affine:
    """Multinomial, or, with several labels a picture, one sigmoid each.

    With a start, the weights are held to those of the start, not to zero, as firmly: few pictures
    move them little, many as far as they want. A class that the data lack keeps what it had.
    """
    theta = constant_rows(examples, examples.z.shape[1])
    if examples.start:
        known = examples.start.known
        theta[known] = examples.start.theta[known]
    loss = sigmoid if examples.multi else softmax
    costs = examples.costs(options.balanced)
    return Affine.of(fit_affine(examples.z, examples, costs, loss, options.c, theta))


LINEAR = HeadKind(LinearOptions, fit_linear, continues=True)
