"""What is done to apps beside deploying: looking, scaling, secrets, going back, deleting.

The work itself is done by the steps of `deploy`; here it is chosen, started and told of.
"""
