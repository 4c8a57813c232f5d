"""memlint against real parts: a dockerd, podman and skopeo of the tests' own, and images built by them."""
