"""What a claim is: its evidence, relations and verdict, and measures that claims derive."""
