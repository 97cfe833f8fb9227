package consul

import "path/filepath"

// WAN gossip notices a dead datacenter in about two seconds with these. The defaults
// are made for oceans and take half a minute.
const (
	wanProbeInterval = "500ms"
	wanProbeTimeout  = "500ms"
)

// settings is the server's configuration, as Consul's own keys name it.
func settings(config Config, release release) map[string]any {
	ports := map[string]int{
		"http":     config.Ports.HTTP,
		"serf_lan": config.Ports.SerfLAN,
		"serf_wan": config.Ports.SerfWAN,
		"server":   config.Ports.Server,
		"dns":      -1,
		"grpc":     -1,
		"https":    -1,
	}
	if release.atLeast(1, 14) {
		ports["grpc_tls"] = -1 // on by default since, and unknown before
	}
	return map[string]any{
		"datacenter": config.Datacenter,
		// Fixed, so that a restarted server is the one it was.
		"node_name":        config.Datacenter,
		"server":           true,
		"bootstrap_expect": 1,
		"bind_addr":        "127.0.0.1",
		"client_addr":      "127.0.0.1",
		"data_dir":         filepath.Join(config.DataDir, "data"),
		"ports":            ports,
		"log_level":        "INFO",
		"ui_config":        map[string]any{"enabled": true},

		"performance": map[string]any{"raft_multiplier": 1},
		"gossip_wan": map[string]any{
			"probe_interval": wanProbeInterval,
			"probe_timeout":  wanProbeTimeout,
		},
		"retry_join_wan":     append([]string{}, config.JoinWAN...),
		"retry_interval_wan": "1s",
		// All services of a region and their watches come from one address.
		"limits": map[string]any{"http_max_conns_per_client": 4096},

		// A stop is a pause: the server keeps its place and its raft state.
		"leave_on_terminate":      false,
		"skip_leave_on_interrupt": true,

		"connect":              map[string]any{"enabled": false},
		"disable_update_check": true,
	}
}
