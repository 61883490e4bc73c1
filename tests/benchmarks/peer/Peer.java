import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.Stores;

/**
 * The engine's minimal fold on Kafka Streams: RocksDB with its changelog, exactly once. Repeats are recognised among the
 * last ids of a customer, for a store of all ids would double its work.
 *
 * Arguments: brokers, topic, events, application id, state directory, then settings as name=value.
 * Prints one JSON line: seconds from the first event to the commit that covers the last, and of its second half alone,
 * when the machine code is there; CPU seconds, events folded.
 */
public final class Peer {
    static final String STORE = "states";
    static final long DAY_MS = 86_400_000L, PATIENCE_S = 300;
    static final int DAYS_KEPT = 40, IDS_KEPT = 64;
    static final ObjectMapper JSON = new ObjectMapper();
    static final AtomicLong SEEN = new AtomicLong(), BEGAN = new AtomicLong(), HALF = new AtomicLong();
    static final CountDownLatch DONE = new CountDownLatch(1);

    public static final class Movement {
        public String id, account, channel, direction;
        public long amount, balance, at;
    }

    public static final class State {
        public long total;
        public HashMap<String, long[]> channels = new HashMap<>(), balances = new HashMap<>();
        public TreeMap<Long, long[]> days = new TreeMap<>();
        public ArrayDeque<String> ids = new ArrayDeque<>();

        boolean fold(Movement movement) {
            if (ids.contains(movement.id)) return false;
            ids.addLast(movement.id);
            if (ids.size() > IDS_KEPT) ids.removeFirst();
            total++;
            long[] channel = channels.computeIfAbsent(movement.channel, name -> new long[2]);
            channel[0]++;
            channel[1] = Math.max(channel[1], movement.at);
            long[] balance = balances.computeIfAbsent(movement.account, name -> new long[2]);
            if (movement.at >= balance[1]) {
                balance[0] = movement.balance;
                balance[1] = movement.at;
            }
            long[] sums = days.computeIfAbsent(movement.at / DAY_MS, day -> new long[2]);
            sums[movement.direction.equals("debit") ? 1 : 0] += movement.amount;
            days.headMap(days.lastKey() - DAYS_KEPT, true).clear();
            return true;
        }
    }

    static final class Fold implements Processor<String, byte[], Void, Void> {
        static final ObjectReader MOVEMENT = JSON.readerFor(Movement.class), STATE = JSON.readerFor(State.class);
        static final ObjectWriter WRITER = JSON.writerFor(State.class);
        final long events;
        KeyValueStore<String, byte[]> store;

        Fold(long events) {
            this.events = events;
        }

        @Override
        public void init(ProcessorContext<Void, Void> context) {
            store = context.getStateStore(STORE);
        }

        @Override
        public void process(Record<String, byte[]> record) {
            BEGAN.compareAndSet(0, System.nanoTime());
            try {
                byte[] before = store.get(record.key());
                State state = before == null ? new State() : STATE.readValue(before);
                if (state.fold(MOVEMENT.readValue(record.value()))) store.put(record.key(), WRITER.writeValueAsBytes(state));
            } catch (IOException broken) {
                throw new UncheckedIOException(broken);
            }
            long seen = SEEN.incrementAndGet();
            if (seen == events / 2) HALF.set(System.nanoTime());
            if (seen == events) DONE.countDown();
        }
    }

    public static void main(String[] arguments) throws Exception {
        String brokers = arguments[0], topic = arguments[1], application = arguments[3];
        long events = Long.parseLong(arguments[2]);
        Properties settings = new Properties();
        settings.put("bootstrap.servers", brokers);
        settings.put("application.id", application);
        settings.put("state.dir", arguments[4]);
        settings.put("processing.guarantee", "exactly_once_v2");
        settings.put("auto.offset.reset", "earliest");
        settings.put("replication.factor", "1");
        for (int place = 5; place < arguments.length; place++) {
            String[] setting = arguments[place].split("=", 2);
            settings.put(setting[0], setting[1]);
        }
        boolean cached = settings.remove("cache") != null;
        try (KafkaStreams streams = new KafkaStreams(topology(topic, events, cached), settings);
                Admin admin = Admin.create(java.util.Map.of("bootstrap.servers", brokers))) {
            streams.start();
            if (!DONE.await(PATIENCE_S, TimeUnit.SECONDS)) throw new IllegalStateException("only " + SEEN + " events came");
            while (committed(admin, application) < events) Thread.sleep(5);
            long ended = System.nanoTime();
            double seconds = (ended - BEGAN.get()) / 1e9, warm = (ended - HALF.get()) / 1e9;
            double cpu = ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime() / 1e9;
            System.out.println(JSON.writeValueAsString(
                java.util.Map.of("seconds", seconds, "warm_s", warm, "cpu_s", cpu, "folded", folded(streams))));
            streams.close(Duration.ofSeconds(30));
        }
    }

    static Topology topology(String topic, long events, boolean cached) {
        var store = Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), Serdes.String(), Serdes.ByteArray());
        return new Topology()
            .addSource("movements", Serdes.String().deserializer(), Serdes.ByteArray().deserializer(), topic)
            .addProcessor("fold", () -> new Fold(events), "movements")
            .addStateStore(cached ? store.withCachingEnabled() : store.withCachingDisabled(), "fold");
    }

    /** The topic was written without transactions, so its offsets count its events. */
    static long committed(Admin admin, String application) throws Exception {
        return admin.listConsumerGroupOffsets(application).partitionsToOffsetAndMetadata().get().values().stream()
            .mapToLong(at -> at == null ? 0 : at.offset()).sum();
    }

    static long folded(KafkaStreams streams) throws IOException {
        long total = 0;
        var query = StoreQueryParameters.fromNameAndType(STORE, QueryableStoreTypes.<String, byte[]>keyValueStore());
        try (var states = streams.store(query).all()) {
            while (states.hasNext()) total += Fold.STATE.<State>readValue(states.next().value).total;
        }
        return total;
    }
}
