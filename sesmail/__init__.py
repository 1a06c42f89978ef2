"""A drop-in /usr/sbin/sendmail that sends through Amazon SES where the author's domain has credentials."""

VERSION = "0.1.0"
