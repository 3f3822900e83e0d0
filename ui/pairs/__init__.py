"""What only pages of learners from pairs need."""
