"""The log on Apache Kafka. Faust and aiokafka stand behind this package alone."""
