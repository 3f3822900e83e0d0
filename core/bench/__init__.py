"""What the explorer costs: speeds of training, and what a class of visitors waits for."""
