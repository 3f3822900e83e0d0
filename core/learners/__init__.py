"""One learner per scenario: its world, its model, one update, one observation."""
