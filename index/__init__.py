"""Documents in, ranked passages out; imports nothing else of Forage."""
