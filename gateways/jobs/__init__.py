"""Training jobs: a command runs within what the bot holds for it, and reports what it used.

Nothing but the standard library, so that the folder can be copied onto a cluster's nodes as it is.
"""
