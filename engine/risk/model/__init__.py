"""The unified portfolio margin as a batch model: readable, exact, and without any state of the engine.

What the compiled pass keeps incrementally is defined here from nothing but vectors, positions and parameters.
Integers throughout; a unit is whatever the caller counts in (millicents in the engine, 1e-8 or finer in a
case).
"""
