"""What this host really shares now: /proc, page frames, and the files behind overlays. Linux alone."""
