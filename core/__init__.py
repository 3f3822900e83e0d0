"""When does a trained encoder recover the latents that generated its data? The computing half."""
