"""RFC 5322 as sendmail's callers write it: header section, addresses, body."""
