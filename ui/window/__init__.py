"""What is between a page and the browser: its link and history, its look, what breaks."""
