"""Training of the decision policy: explored decision trees in, a better policy with its proof out."""
