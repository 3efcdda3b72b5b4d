"""What a project knows between two runs, and where that is kept."""
