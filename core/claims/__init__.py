"""What a claim is: its evidence and relations, and measures that claims derive."""
