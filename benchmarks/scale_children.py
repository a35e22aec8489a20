"""What the child processes of `scale.py` run: one way each, and what it costs, as the last line of JSON."""

#: Where every child says how much of the processor each kind of process has used since `begin`.
METER = """
import json, sys, threading, time
from pathlib import Path
import psutil

class Meter:
    def _now(self):
        sums = {"driver": 0.0, "jvm": 0.0, "workers": 0.0}
        me = psutil.Process()
        for one in [me, *me.children(recursive=True)]:
            try:
                times, words = one.cpu_times(), " ".join(one.cmdline())
            except psutil.Error:
                continue
            kind = "driver" if one.pid == me.pid else "jvm" if "java" in words[:80] else "workers"
            sums[kind] += times.user + times.system
        return time.perf_counter(), sums

    def begin(self):
        self.start = self._now()

    def end(self, **said):
        (before, was), (after, now) = self.start, self._now()
        cpu = {kind: now[kind] - was[kind] for kind in now}
        print(json.dumps({"seconds": after - before, "cpu": cpu, **said}))

meter = Meter()
"""
BATCH = (
    METER
    + """
from groundswell.desk import open_desk
from groundswell.engines import open_engine
from groundswell.importing import Options, import_paths
from groundswell.lake import Lake
from groundswell.settings import load_settings

small, file, home = sys.argv[1:4]
settings = load_settings(home=Path(home), keep_raw=False, memory=1024, **json.loads(sys.argv[4]))
engine = open_engine(settings)
with open_desk(settings) as desk:
    lake = Lake.open(settings)
    import_paths([small], Options(), lake, desk, engine, settings)
    meter.begin()
    done = import_paths([file], Options(), lake, desk, engine, settings).document()
    meter.end(posts=done["stored"])
engine.close()
"""
)
LIVE_HERE = (
    METER
    + """
import numpy as np
from groundswell import kernels
from groundswell.desk import open_desk
from groundswell.settings import load_settings
from groundswell.watch.runner import Runner
from groundswell.watch.trackers import add_tracker

small, file, home = sys.argv[1:4]
settings = load_settings(home=Path(home), keep_raw=False, **json.loads(sys.argv[4]))
with open_desk(settings) as desk, desk.session() as session:
    for number, query in enumerate(json.loads(sys.argv[5])):
        add_tracker(session, f"t{number}", query, 30.0, now_us=1)
kernels.load(settings.home / "cache")
kernels.load_live(settings.home / "cache")

class File:
    kind = "file"
    def __init__(self, path):
        self.name, self.path = "kafka:posts", path
    def run(self, journal, stop):
        lines = Path(self.path).read_bytes().splitlines()
        times = np.array([json.loads(line)["time_us"] for line in lines])
        for at in range(0, len(lines), 20_000):
            journal.append(self.name, lines[at:at + 20_000], received_us=times[at:at + 20_000])

Runner(settings, sources=[File(small)], live=False).run(threading.Event())
meter.begin()
runner = Runner(settings, sources=[File(file)], live=False)
runner.run(threading.Event())
meter.end(posts=runner.records)
"""
)
LIVE_SPARK = (
    METER
    + """
from groundswell.bus.kafka_address import read_address
from groundswell.desk import open_desk
from groundswell.settings import load_settings
from groundswell.watch.cluster.run import Pace, SparkWatch
from groundswell.watch.trackers import add_tracker
from groundswell.engines.spark_session import start_classic

small, topic, home = sys.argv[1:4]
settings = load_settings(home=Path(home), keep_raw=False, **json.loads(sys.argv[4]))
with open_desk(settings) as desk, desk.session() as session:
    for number, query in enumerate(json.loads(sys.argv[5])):
        add_tracker(session, f"t{number}", query, 30.0, now_us=1)
session, _ = start_classic(settings)
most = int(sys.argv[6])
SparkWatch(settings, read_address(small), Pace(live=False, most=most)).run(threading.Event())
meter.begin()
watch = SparkWatch(settings, read_address(topic), Pace(live=False, most=most))
watch.run(threading.Event())
meter.end(posts=watch.records, digest=watch.digest_bytes)
session.stop()
"""
)


KAFKA = (
    METER
    + """
from confluent_kafka import Consumer, Producer, TopicPartition
import numpy as np
from groundswell.bus.kafka import KafkaBus
from groundswell.bus.kafka_address import read_address
from groundswell.bus.kafka_clients import Complaints, make_consumer, make_producer
from groundswell.desk import open_desk
from groundswell.settings import load_settings

way, small, file, url, home = sys.argv[1:6]
address = read_address(url)
settings = load_settings(home=Path(home), bus=url)
lines = Path(file).read_bytes().splitlines()
times = np.array([json.loads(line)["time_us"] for line in lines])
few = Path(small).read_bytes().splitlines()

def produce(producer, records):
    for number, line in enumerate(records):
        producer.produce(address.topic, line, line[:24], partition=number % 2)
        if number % 500 == 0:
            producer.poll(0)
    producer.flush(120)

def consume(consumer, count):
    while count > 0:
        count -= len(consumer.consume(min(count, 2_000), 1.0))

if way == "librdkafka writes":
    producer = make_producer(address, Complaints())
    produce(producer, few)
    meter.begin()
    produce(producer, lines)
elif way == "librdkafka reads":
    consumer = make_consumer(address, Complaints())
    consumer.assign([TopicPartition(address.topic, number, 0) for number in range(2)])
    consume(consumer, len(few))
    meter.begin()
    consume(consumer, len(lines))
else:
    desk = open_desk(settings)
    bus = KafkaBus(address, desk, max_record=settings.max_record)
    def append(records, received):
        for at in range(0, len(records), 10_000):
            bus.append("push", records[at:at + 10_000], received_us=received[at:at + 10_000])
    if way == "bus writes":
        append(few, times[:len(few)])
        meter.begin()
        append(lines, times)
    else:
        changed, stop = threading.Event(), threading.Event()
        end = bus.follow(changed.set, stop)
        def reach(count):
            while bus.next_record() < count:
                changed.clear()
                changed.wait(0.05)
        reach(len(few))
        meter.begin()
        reach(len(few) + len(lines))
        end()
    bus.close()
meter.end(posts=len(lines))
"""
)
