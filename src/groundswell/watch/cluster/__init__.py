"""The watch on a Spark cluster: executors read, match and digest the records of Kafka, one detector takes them."""
