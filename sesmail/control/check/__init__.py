"""``sesmailctl check``."""
