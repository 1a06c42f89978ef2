"""``sesmailctl report``."""
