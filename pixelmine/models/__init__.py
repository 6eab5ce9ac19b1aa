"""Models as data: the bundle, its card, and the bundled default."""

from .bundle import Bundle
from .card import Card
from .named import DEFAULT, bundle_path, load_bundle

__all__ = ["DEFAULT", "Bundle", "Card", "bundle_path", "load_bundle"]
