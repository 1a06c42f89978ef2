"""The delivery half: it alone reads credentials, imports third-party packages and talks to SES."""
