"""A drop-in /usr/sbin/sendmail: Amazon SES for domains with credentials, else the real sendmail."""

VERSION = "0.1.0"
