"""``sesmailctl import``."""
