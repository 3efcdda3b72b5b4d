"""One app among neighbours: our own computers, flyctl, the dashboard and the platform at once."""
