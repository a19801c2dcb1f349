"""A cluster that fails over under load, of real parts."""
