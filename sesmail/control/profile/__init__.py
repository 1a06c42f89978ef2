"""The administrator's own ~/.aws: ``keys`` asks a process in the caller's name for a profile's."""
