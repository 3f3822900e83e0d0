"""One update of members that train together: how it descends, and how a GPU repeats it."""
