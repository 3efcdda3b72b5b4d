"""Carries out the steps of a plan, and tells how that went."""
