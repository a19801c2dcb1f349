"""The versions of the policy's parameters, and changing them by two people."""
