"""What is kept on disk, whatever it is."""
