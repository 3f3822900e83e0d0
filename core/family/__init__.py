"""The theory on one page: which setting is a special case of which, and what each identifies."""
