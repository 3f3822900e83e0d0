"""Where latents lie and how they are spread: spaces, densities, exact information."""
