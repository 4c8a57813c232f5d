"""Real stores of containers, each private and short-lived, and one small fleet that runs in all of them."""
