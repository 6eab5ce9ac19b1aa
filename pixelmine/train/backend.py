"""What Keras runs on."""

import keras

from pixelmine.core.errors import UsageError

__all__ = ["check_backend"]


def check_backend() -> None:
    """Raise UsageError where Keras runs on something that networks cannot be exported from."""
    if keras.backend.backend() != "tensorflow":
        raise UsageError(
            f"KERAS_BACKEND is {keras.backend.backend()}; networks are exported by way of "
            "TensorFlow. Unset KERAS_BACKEND, or set it to tensorflow."
        )
