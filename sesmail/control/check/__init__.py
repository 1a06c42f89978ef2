"""``sesmailctl check``: the doctor. ``command`` runs it, a module has the checks of a theme.

A check is a function that yields findings (``finding``). Those of the host come first and may fork,
to try something as another user; those that ask the network run in threads after them.
"""
