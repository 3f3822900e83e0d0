"""Published data sets in files that people already have: read row by row, and never unpickled."""
