"""Photographs of the `clothing` set that show a human face: in a frame, behind, or printed.

Each box of a score of .2 and more was looked at that the detector gave in 550 bare photographs.
Animals and comic figures are not human: boxes on them count as wrong.
"""

__all__ = ["WITH_FACES"]

WITH_FACES = frozenset(
    {
        "203369db-4e34-43c0-8efb-3cd052ef1e4d",  # photographs in frames
        "73724d60-78b2-4bdd-84b0-a25d8c772beb",  # someone at the border
        "bf69747a-2d9b-48a3-87b9-de657ff9450d",  # a soldier, printed
        "e896e472-b3fe-4c65-b746-673635fc07fa",  # a woman with a hat, printed
    }
)
