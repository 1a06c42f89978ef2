"""sesmailctl: what the administrator does. ``main`` reads the command line, a module a verb."""
