"""The handwritten half of the Machines API client; the other half is generated (`fly_machines`)."""
