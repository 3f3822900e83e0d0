"""How far scores of identifiability can be trusted: known factors and codes, scores, their nulls.

After Joshi et al., "Who Guards the Guardians?", UAI 2026 (arXiv 2602.24278). Nothing is trained.
"""
