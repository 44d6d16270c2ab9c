# librdkafka's own broker. Prints its addresses; then, for each line `topic count`, that many records of the topic, and `{}`.
import json
import sys

from confluent_kafka import Consumer, Producer, TopicPartition

mock = Producer({"test.mock.num.brokers": "2", "bootstrap.servers": "ignored:1", "log_level": 2})
brokers = [f"{b.host}:{b.port}" for b in mock.list_topics(timeout=30).brokers.values()]
print(json.dumps(brokers), flush=True)
consumer = Consumer({"bootstrap.servers": ",".join(brokers), "group.id": "test", "auto.offset.reset": "earliest", "log_level": 2})
for line in sys.stdin:
    topic, count = line.split()
    partitions = mock.list_topics(topic, timeout=30).topics[topic].partitions
    consumer.assign([TopicPartition(topic, one, 0) for one in partitions])
    for _ in range(int(count)):
        record = consumer.poll(30)
        if record is None or record.error():
            break
        told = {
            "partition": record.partition(),
            "key": record.key().decode(),
            "value": record.value().decode(),
            "headers": {name: value.decode() for name, value in record.headers() or []},
            "at": record.timestamp()[1],
        }
        print(json.dumps(told), flush=True)
    print("{}", flush=True)
