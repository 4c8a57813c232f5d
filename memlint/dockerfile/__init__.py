"""From the text of a Dockerfile to its stages, commands, package installs and base images.

The only user of dockerfile-parse.
"""
