package meridian_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// standIn makes this test program answer as the meridian program does.
const standIn = "MERIDIAN_STAND_IN"

func TestMain(m *testing.M) {
	if os.Getenv(standIn) != "" {
		os.Exit(answerAs(os.Args[1:], os.Stdout, os.Stderr))
	}
	if err := os.Setenv(standIn, "1"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// copyFile is the stand-in's memory: what a copy's state is to the real program.
const copyFile = "copy.json"

// copyState is a running copy. Broken regions are started and do not answer.
type copyState struct {
	Running  bool     `json:"running"`
	BasePort string   `json:"base_port"`
	Regions  []string `json:"regions"`
	Broken   []string `json:"broken"`
	// Calls are the verbs that changed something, in order.
	Calls []string `json:"calls"`
}

// answerAs keeps the contract of the real program with the provider: verbs, JSON, exit codes.
func answerAs(args []string, out, problems io.Writer) int {
	home, verb := args[1], args[2:]
	state := readCopy(home)
	fail := func(code int, message string) int {
		fmt.Fprintln(problems, "meridian: "+message)
		return code
	}
	switch line := strings.Join(verb, " "); {
	case verb[0] == "status":
		print(out, map[string]any{
			"running": state.Running, "edge": map[string]any{"url": "http://127.0.0.1:" + state.BasePort, "pid": 1}, "sql": map[string]any{"pid": 2, "ready": true},
			"regions": regionsOf(state),
		})
		if !state.Running {
			return fail(3, "no copy runs from "+home)
		}
		return 0
	case strings.HasPrefix(line, "region show "):
		name := verb[2]
		started, broken := state.Running && slices.Contains(state.Regions, name), slices.Contains(state.Broken, name)
		answer := map[string]any{"name": name, "running": state.Running, "started": started, "ready": started && !broken}
		if started {
			answer["gateway_url"], answer["consul_url"] = "http://gateway."+name, "http://consul."+name
		}
		if broken {
			answer["problems"] = []string{"catalog does not answer as ready"}
		}
		print(out, answer)
		if !started || broken {
			return fail(1, name+" is not ready")
		}
		return 0
	case verb[0] == "up":
		state.Running, state.Regions, state.Broken, state.BasePort = true, nil, nil, verb[len(verb)-1]
	case verb[0] == "down":
		state.Running, state.Regions = false, nil
	case !state.Running:
		return fail(3, "no copy runs from "+home)
	case strings.HasPrefix(line, "region start "):
		if verb[2] == "atlantis" {
			return fail(1, `there is no such region "atlantis"; there are eu-west`)
		}
		gone := func(name string) bool { return name == verb[2] }
		state.Regions = append(slices.DeleteFunc(state.Regions, gone), verb[2])
		state.Broken = slices.DeleteFunc(state.Broken, gone)
	case strings.HasPrefix(line, "region stop "):
		state.Regions = slices.DeleteFunc(state.Regions, func(name string) bool { return name == verb[2] })
	default:
		return fail(80, "unexpected argument "+line)
	}
	state.Calls = append(state.Calls, strings.Join(verb, " "))
	fmt.Fprintln(out, "done")
	writeCopy(home, state)
	return 0
}

func regionsOf(state copyState) []map[string]string {
	regions := []map[string]string{}
	for _, name := range state.Regions {
		regions = append(regions, map[string]string{"name": name})
	}
	return regions
}

func print(out io.Writer, value any) {
	if err := json.NewEncoder(out).Encode(value); err != nil {
		panic(err)
	}
}

func readCopy(home string) copyState {
	var state copyState
	data, err := os.ReadFile(filepath.Join(home, copyFile))
	if os.IsNotExist(err) {
		return state
	}
	if err == nil {
		err = json.Unmarshal(data, &state)
	}
	if err != nil {
		panic(err)
	}
	return state
}

func writeCopy(home string, state copyState) {
	data, err := json.Marshal(state)
	if err == nil {
		err = os.WriteFile(filepath.Join(home, copyFile), data, 0o600)
	}
	if err != nil {
		panic(err)
	}
}
