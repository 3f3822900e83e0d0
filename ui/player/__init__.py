"""Truth beside recovered latents, and the player of a run."""
