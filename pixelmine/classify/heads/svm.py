"""Support vector machine on standardised features: one class against the rest."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from pixelmine.core.checks import check_one_of, check_positive

from .affine import Affine
from .choose import choose_examples
from .convex import constant_rows, fit_affine, hinge
from .distance import Distances
from .examples import Examples
from .graph import Graph
from .head import HeadKind, HeadOptions, Scorer, check_count

__all__ = ["SVM", "SvmOptions"]

_FLOOR = 1e-3
"""Added to the kernel's eigenvalues, so that float32 rounding is not raised above 1e-5."""


@dataclass(frozen=True, kw_only=True)
class SvmOptions(HeadOptions):
    """What is fitted, and how smooth.

    `kernel`: `linear`, which is fast and small, or `rbf`, for classes that no plane parts. `c`: the
    inverse strength of the penalty; None: .001 for `linear`, since the squared hinge is steeper
    than the logistic loss, 1 for `rbf`, scikit-learn's default. `gamma`: of the kernel
    exp(-gamma d^2 / D): 1 is scikit-learn's `scale`. `landmarks`: examples that stand for all in
    the kernel: 1,000 of 1,280 dimensions are 5 MB, and on scikit-learn's digits they come within
    .003 of all. `balanced`: classes cost the same however rare they are; off, so that a rare class
    does not take what is the frequent one's.
    """

    kernel: str = "linear"
    c: float | None = None
    gamma: float = 1.0
    landmarks: int = 1000
    balanced: bool = False

    def __post_init__(self) -> None:
        check_one_of("kernel", self.kernel, ("linear", "rbf"))
        check_positive("gamma", self.gamma)
        check_count("landmarks", self.landmarks)
        if self.c is not None:
            check_positive("c", self.c)


@dataclass(frozen=True)
class Likeness:
    """exp(-gamma d^2 / D) to each of M landmarks: float32 (N, D) to float32 (N, M)."""

    distances: Distances
    gamma: float

    @classmethod
    def choose(cls, examples: Examples, options: SvmOptions) -> Self:
        """Landmarks among the examples."""
        kept = choose_examples(examples.targets, options.landmarks, examples.seed)
        return cls(Distances.to(examples.z[kept], "euclidean"), options.gamma)

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """0 to 1."""
        return np.asarray(np.exp(self.distances(z) * np.float32(-self.gamma)))

    def emit(self, graph: Graph, z: str) -> str:
        """The same as nodes of a graph."""
        distance = self.distances.emit(graph, z)
        gamma = graph.constant("kernel/gamma", float(-self.gamma))
        return graph.node("Exp", [graph.node("Mul", [distance, gamma], "kernel/log")], "kernel")


@dataclass(frozen=True)
class Kernel:
    """Affine scores of the likeness to landmarks."""

    likeness: Likeness
    affine: Affine

    def scores(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Float32 (N, D) to float32 (N, S)."""
        return self.affine.scores(x, self.likeness(z))

    def emit(self, graph: Graph, x: str, z: str) -> str:
        """The same as nodes of a graph."""
        return self.affine.emit(graph, x, self.likeness.emit(graph, z))


def fit_svm(examples: Examples, options: SvmOptions) -> Scorer:
    """Squared hinge loss; the scores are the decision values, above 0 for the class.

    `rbf` is the Nystroem method: the kernel of the landmarks, whitened, makes features whose
    products are near the kernel (Williams and Seeger, "Using the Nystroem Method to Speed Up Kernel
    Machines", NIPS 2000). On scikit-learn's digits 500 landmarks did as well as 2,000 random
    Fourier features; the exact kernel keeps most examples, in a time that grows with their square.
    """
    if options.kernel == "linear":
        theta = _fit(examples.z, examples, options, 0.001)
        return Affine.of(theta)
    likeness = Likeness.choose(examples, options)
    whitening = _whitening(likeness(likeness.distances.vectors))
    features = likeness(examples.z) @ whitening.astype(np.float32)
    theta = _fit(features, examples, options, 1.0)
    weight = theta[:, :-1] @ whitening.T
    return Kernel(likeness, Affine.of(np.concatenate([weight, theta[:, -1:]], axis=1)))


def _whitening(kernel: np.ndarray) -> np.ndarray:
    """Float64 (M, M): eigenvectors over the roots of their eigenvalues."""
    values, vectors = np.linalg.eigh(kernel.astype(np.float64))
    return np.asarray(vectors / np.sqrt(np.maximum(values, 0) + _FLOOR))


def _fit(z: np.ndarray, examples: Examples, options: SvmOptions, default: float) -> np.ndarray:
    costs = examples.costs(options.balanced)
    c = default if options.c is None else options.c
    return fit_affine(z, examples, costs, hinge, c, constant_rows(examples, z.shape[1]))


SVM = HeadKind(SvmOptions, fit_svm)
