package order

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	running           prometheus.Gauge
	ended             *prometheus.CounterVec
	takenOver, fenced prometheus.Counter
}

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		running: prometheus.NewGauge(prometheus.GaugeOpts{Name: "meridian_order_sagas_running", Help: "Sagas that this process drives now."}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_order_sagas_ended_total", Help: "Sagas that ended here, by the order's status and its reason.",
		}, []string{"status", "reason"}),
		takenOver: prometheus.NewCounter(prometheus.CounterOpts{Name: "meridian_order_sagas_taken_over_total", Help: "Sagas taken on after their holder stopped."}),
		fenced:    prometheus.NewCounter(prometheus.CounterOpts{Name: "meridian_order_sagas_fenced_total", Help: "Sagas lost to another holder."}),
	}
	registry.MustRegister(m.running, m.ended, m.takenOver, m.fenced)
	return m
}

// taskMetrics count what is done about orders after their sale.
type taskMetrics struct{ done, failed *prometheus.CounterVec }

func newTaskMetrics(registry prometheus.Registerer) *taskMetrics {
	m := &taskMetrics{
		done: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_order_tasks_done_total", Help: "Refunds and returns to stock that other services did for an order.",
		}, []string{"kind"}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_order_tasks_failed_total", Help: "Attempts at them that failed and are made again.",
		}, []string{"kind"}),
	}
	registry.MustRegister(m.done, m.failed)
	return m
}
