"""What it means that Kafka does not do what it was asked, in words for whoever is told to come again."""

from aiokafka import errors

from services.failures import Unavailable

SETTING = "COUNTERPOINT_LOG"
"""What a deployment says by where its brokers are."""
_MEANINGS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((errors.KafkaTimeoutError, errors.RequestTimedOutError), "the broker did not answer in time"),
    (
        (errors.LeaderNotAvailableError, errors.NotLeaderForPartitionError, errors.ReplicaNotAvailableError),
        "a partition has no leader now",
    ),
    (
        (errors.NotEnoughReplicasError, errors.NotEnoughReplicasAfterAppendError),
        "too few replicas are there to keep what is sent",
    ),
    ((errors.KafkaStorageError,), "the broker's disk fails"),
    ((errors.UnknownTopicOrPartitionError,), "a topic is not there"),
    ((errors.InvalidTimestampError,), "the broker refuses the time of this machine: one of the two clocks is off"),
    (
        (
            errors.AuthenticationFailedError, errors.SaslAuthenticationFailed, errors.TopicAuthorizationFailedError,
            errors.ClusterAuthorizationFailedError, errors.GroupAuthorizationFailedError,
        ),
        "the broker refuses this process",
    ),
    (
        (
            errors.KafkaConnectionError, errors.NoBrokersAvailable, errors.NodeNotReadyError, errors.StaleMetadata,
            errors.BrokerNotAvailableError, errors.KafkaUnavailableError, errors.MetadataEmptyBrokerList, OSError,
        ),
        "no broker can be reached",
    ),
)  # fmt: skip


def away(error: BaseException) -> Unavailable:
    """The class of the error is its cause: a name for the log of an operator, not for a channel."""
    meaning = next((said for kinds, said in _MEANINGS if isinstance(error, kinds)), "the broker cannot do it now")
    unavailable = Unavailable(f"Kafka: {meaning}", setting=SETTING)
    unavailable.__cause__ = error
    return unavailable
