"""The REST API's routes: one file a subject, each with a `router`."""
