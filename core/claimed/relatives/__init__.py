"""Claims of scenarios that are relatives of contrastive learning."""
