"""Machines that run: processes of this computer, checked and reached as machines are.

`Commands` says which images are run, and by what; a machine of any other image is played as usual.
"""
