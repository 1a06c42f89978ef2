"""``sesmailctl import``: logins of SES that other programs' files hold already.

A module for each format makes ``Account`` s of a ``Source``; ``kinds`` is the table of them, and
``proposal`` what would become of an account. Nothing here shows a value that may be a secret.
"""
