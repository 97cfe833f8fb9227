// Package mirror copies one region's events into another region's broker: each exactly once, in order per aggregate, never back.
//
// A mirror runs in the region that it copies to. It reads what the source region itself wrote, and writes it together with how far it
// has read in one transaction of the target's broker: whatever dies, a record and its position stand together or not at all.
//
// The position is kept in the target, in the topic that LedgerTopic names, and nowhere else. Each start takes a transactional id
// of its own, after having fenced every id that an earlier one left there: an id that is used again across a broker's death has
// been seen to lose records (docs/adr/0017).
package mirror

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/retry"
)

const (
	// batch bounds the records of one transaction, and with it what a mirror holds in memory.
	batch = 2000
	// transactionTimeout ends what a dead mirror left open, if no other fences it before: readers of committed records wait that long.
	transactionTimeout = 15 * time.Second
	// followEvery is how often new topics and partitions are looked for.
	followEvery           = 5 * time.Second
	firstPause, lastPause = 100 * time.Millisecond, 5 * time.Second
	// deliveryTimeout bounds a transaction. The client's own setting of that name would count from a record's timestamp, which is its
	// source's: after an outage no record would be young enough.
	deliveryTimeout       = 10 * time.Second
	fetchWait             = 250 * time.Millisecond
	maxFetchBytes   int32 = 8 << 20
)

// Side is one of the two brokers.
type Side struct {
	// Region is its name, such as us-east.
	Region string
	// Brokers are host:port to begin with.
	Brokers []string
	// Dial replaces how connections are made, for a link that stands between; nil connects directly.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func (s Side) options() []kgo.Opt {
	options := []kgo.Opt{kgo.SeedBrokers(s.Brokers...)}
	if s.Dial != nil {
		options = append(options, kgo.Dialer(s.Dial))
	}
	return options
}

// Mirror copies from one region to another.
type Mirror struct {
	source, target Side
	log            *slog.Logger
	metrics        *Metrics
	// reached says that the source was heard since the start, caughtUp that all is copied that it had committed at one moment since then.
	reached, caughtUp atomic.Bool
}

// Metrics tells how far mirrors are.
type Metrics struct {
	copied   *prometheus.CounterVec
	behind   *prometheus.GaugeVec
	sessions *prometheus.CounterVec
	missed   *prometheus.CounterVec
	// copiedUpTo is what of the source's past is here as a whole.
	copiedUpTo *prometheus.GaugeVec
}

// NewMetrics registers the metrics of a region's mirrors.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		copied: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_mirror_copied_total", Help: "Events copied from another region."}, []string{"source", "topic"}),
		behind: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meridian_mirror_behind_records", Help: "Records of the source that were not copied or passed over yet at the last look."}, []string{"source", "topic", "partition"}),
		sessions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_mirror_sessions_total", Help: "Times that a mirror began anew, after its start or an error."}, []string{"source"}),
		missed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_mirror_missed_records_total", Help: "Records that the source dropped by age before they were read."}, []string{"source", "topic"}),
		copiedUpTo: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meridian_mirror_copied_up_to_seconds", Help: "Unix time up to which all that the source had committed is copied; at first, when the mirror started."}, []string{"source"}),
	}
	registry.MustRegister(m.copied, m.behind, m.sessions, m.missed, m.copiedUpTo)
	return m
}

// New makes a mirror.
func New(source, target Side, log *slog.Logger, metrics *Metrics) *Mirror {
	return &Mirror{source: source, target: target, log: log.With("source", source.Region), metrics: metrics}
}

// Run copies until the context ends. A session that fails, as when a region is unreachable, is followed by another after a pause.
func (m *Mirror) Run(ctx context.Context) error {
	m.metrics.copiedUpTo.WithLabelValues(m.source.Region).SetToCurrentTime()
	// Jitter keeps two mirrors that fence each other from trying again in step.
	pauses := retry.Backoff(firstPause, lastPause)
	for ctx.Err() == nil {
		started := time.Now()
		err := m.session(ctx)
		if ctx.Err() != nil {
			break
		}
		if time.Since(started) > lastPause {
			pauses.Reset()
		}
		m.log.WarnContext(ctx, "Mirror session ended; another one begins", "error", httpx.ErrorChain(err))
		_ = retry.Pause(ctx, pauses.NextBackOff()) // the loop's condition sees the end
	}
	return nil //nolint:nilerr // asked to stop; the error says no more
}

// session is one life of a mirror: any error ends it, and nothing of it is used again.
func (m *Mirror) session(ctx context.Context) error {
	m.metrics.sessions.WithLabelValues(m.source.Region).Inc()
	reader, err := kgo.NewClient(append(m.source.options(),
		// The ends of transactions are read too, because the source's end counts them: a position can be compared with it.
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxWait(fetchWait), kgo.FetchMaxBytes(maxFetchBytes),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepRetryableFetchErrors(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{}))...)
	if err != nil {
		return fmt.Errorf("make a reader of %s: %w", m.source.Region, err)
	}
	defer reader.Close()
	id := m.newID()
	writer, err := kgo.NewClient(append(m.target.options(),
		kgo.TransactionalID(id), kgo.TransactionTimeout(transactionTimeout), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0),
		kgo.ProducerBatchCompression(kgo.SnappyCompression(), kgo.NoCompression()))...)
	if err != nil {
		return fmt.Errorf("make a writer to %s: %w", m.target.Region, err)
	}
	defer writer.Close()
	if _, _, err := writer.ProducerID(ctx); err != nil {
		return fmt.Errorf("begin to write to %s: %w", m.target.Region, err)
	}
	positions, err := m.claim(ctx, id)
	if err != nil {
		return err
	}
	c := &copier{mirror: m, reader: reader, writer: writer, positions: positions, following: map[partition]bool{}}
	return c.run(ctx)
}
