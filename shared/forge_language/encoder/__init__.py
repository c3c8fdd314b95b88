"""A sentence encoder in numpy: word pieces, the weights that a package brings, and the forward pass."""
