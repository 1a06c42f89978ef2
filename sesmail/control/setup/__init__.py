"""``sesmailctl setup``."""
