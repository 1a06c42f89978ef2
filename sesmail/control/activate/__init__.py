"""``sesmailctl activate`` and ``deactivate``: /usr/sbin/sendmail becomes sesmail, and goes back."""
