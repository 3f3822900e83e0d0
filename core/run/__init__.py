"""A run from its description to its stored result: members, training, workers, store."""
