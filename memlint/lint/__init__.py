"""Rules and the engine that applies them."""
