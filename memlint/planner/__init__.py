"""Shared bases for a fleet of images: which there should be, what goes into each, and the Dockerfiles for them."""
