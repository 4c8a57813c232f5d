"""One layer's bytes → LayerIndex: decompression, tar walk, ELF, digests, package databases, the cache."""
