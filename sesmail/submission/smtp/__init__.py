"""``-bs``: an SMTP session (RFC 5321) on standard input and output, for callers that speak it.

Each message goes its own way once it is there, as if it had come with ``-f REVERSE-PATH --
FORWARD-PATHS``: a session may mix mail for SES with mail for the real sendmail.
"""
