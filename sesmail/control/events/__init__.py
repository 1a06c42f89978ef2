"""``sesmailctl events``."""
