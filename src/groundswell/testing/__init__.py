"""What tests of Groundswell and of its plug-ins share; ships with it."""
