"""What may leave: metadata, masks, pseudonyms, grouping, by a policy. Takes arrays and bytes."""

__all__: list[str] = []
