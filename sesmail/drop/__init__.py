"""The drop: one file a message in a directory that everybody may write to and nobody may list.

``layout`` knows the file, ``put`` is the client's side, ``take`` the daemon's.
"""
