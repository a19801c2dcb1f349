"""Where gateways ask before a call: holds, leases, forward authorisation; and what people are told of caps."""
