"""Run a network: ONNX Runtime or OpenVINO behind one verb, imported on use."""

from .candidates import Choice, open_network
from .network import RUNTIMES, Network, Outputs

__all__ = [
    "RUNTIMES",
    "Choice",
    "Network",
    "Outputs",
    "open_network",
]
