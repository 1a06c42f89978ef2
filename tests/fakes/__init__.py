"""Stand-ins for what sesmail talks to.  The one for Amazon SES is `tests.fakes.ses`."""
