package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

const (
	stepTimeout = 5 * time.Minute
	downTimeout = time.Minute
	retryDelay  = 2 * time.Second
)

// prelude stands before every script. Its curl also prints a line with the status of each answer to standard error: the
// documents' commands print the body alone.
const prelude = `set -euo pipefail
curl() { command curl -w '%{stderr}\n` + statusMark + `%{http_code} %{method} %{url}\n' "$@"; }
`

const statusMark = "documented-answer "

var statusLine = regexp.MustCompile(`(?m)^` + statusMark + `(\d+) (.*)$`)

// runner runs documented commands against one shop.
type runner struct {
	root, work string
	basePort   int
	env        []string
	out        io.Writer
}

// runAll runs every execution of table.go and returns an error for each that failed.
func runAll(ctx context.Context, root string, blocks []block, out io.Writer) (err error) {
	r, err := newRunner(ctx, root, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	for _, e := range starting {
		// Without a shop no other command can be judged.
		if err := r.step(ctx, e, blocks, r.shell); err != nil {
			return err
		}
	}
	var problems []error
	for _, e := range executed {
		problems = append(problems, r.step(ctx, e, blocks, r.shell))
	}
	for _, e := range ending {
		run := r.shell
		if e.Command == "make run" {
			run = r.interrupted
		}
		problems = append(problems, r.step(ctx, e, blocks, run))
	}
	return errors.Join(problems...)
}

func newRunner(ctx context.Context, root string, out io.Writer) (*runner, error) {
	port, err := freeBase(ctx)
	if err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp("", "meridian-docs-")
	if err != nil {
		return nil, err
	}
	if err := os.Symlink(filepath.Join(root, "bin"), filepath.Join(work, "bin")); err != nil {
		return nil, err
	}
	r := &runner{root: root, work: work, basePort: port, out: out}
	r.env = append(os.Environ(),
		"ROOT="+root, "WORK="+work, "EDGE="+r.edge(),
		"PATH="+filepath.Join(root, "bin")+":"+os.Getenv("PATH"),
		"MERIDIAN_HOME="+filepath.Join(work, "home"),
		"MERIDIAN_PPROF=1", // for make bench --profile
		fmt.Sprintf("SHOP=--base-port %d", port),
		fmt.Sprintf("CONSUL=http://127.0.0.1:%d", port+consulPort))
	return r, nil
}

// consulPort is the first region's Consul above the base port: docs/operating.md, "Ports above the base".
const consulPort = 31

func (r *runner) edge() string { return fmt.Sprintf("http://127.0.0.1:%d", r.basePort) }

// close stops the shop, when it runs, and deletes its data.
func (r *runner) close() error {
	// Not the caller's context: an interrupted check leaves nothing running either.
	ctx, cancel := context.WithTimeout(context.Background(), downTimeout)
	defer cancel()
	down := exec.CommandContext(ctx, filepath.Join(r.root, "bin", "meridian"), "down")
	down.Env = r.env
	if output, err := down.CombinedOutput(); err != nil {
		return fmt.Errorf("stop the shop of %s: %w: %s", r.work, err, output)
	}
	return os.RemoveAll(r.work)
}

// step runs one execution and prints how long it took.
func (r *runner) step(
	ctx context.Context, e execution, blocks []block, run func(context.Context, string, execution) error,
) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	begun := time.Now()
	script, err := e.script(blocks)
	for err == nil {
		err = run(ctx, script, e)
		if err == nil || ctx.Err() != nil || time.Since(begun) > e.Patience {
			break
		}
		time.Sleep(retryDelay)
		err = nil
	}
	name := cmp.Or(e.Run, e.Command, e.Block)
	if err != nil {
		fmt.Fprintf(r.out, "FAILED %s: %.1f s\n", name, time.Since(begun).Seconds())
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Fprintf(r.out, "ok     %s: %.1f s\n", name, time.Since(begun).Seconds())
	return nil
}

// script returns what runs for the execution: a block is read from its document.
func (e execution) script(blocks []block) (string, error) {
	if e.Block == "" {
		return cmp.Or(e.Run, strings.ReplaceAll(e.Command, "…", "")), nil
	}
	for _, b := range blocks {
		if e.Block == b.File+": "+b.Heading {
			return b.Text, nil
		}
	}
	return "", fmt.Errorf("there is no such block in the documents")
}

// shell runs a script and checks its exit code, its output and the status of each answer to curl.
func (r *runner) shell(ctx context.Context, script string, e execution) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	c := r.command(ctx, script)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	all := fmt.Sprintf("%s%s", stdout.Bytes(), stderr.Bytes())
	var exit *exec.ExitError
	switch {
	case err != nil && (!errors.As(err, &exit) || exit.ExitCode() != e.Exit):
		return fmt.Errorf("%w\n%s", err, all)
	case err == nil && e.Exit != 0:
		return fmt.Errorf("exit code 0, want %d\n%s", e.Exit, all)
	}
	if err := checkAnswers(script, stderr.String()); err != nil {
		return fmt.Errorf("%w\n%s", err, all)
	}
	if shows := regexp.MustCompile("(?m)" + e.Shows); !shows.MatchString(all) {
		return fmt.Errorf("the output does not match %q\n%s", e.Shows, all)
	}
	return nil
}

// command prepares a script for bash, in a process group of its own. make runs where the Makefile is.
func (r *runner) command(ctx context.Context, script string) *exec.Cmd {
	script = strings.ReplaceAll(script, "http://127.0.0.1:8080", r.edge())
	c := exec.CommandContext(ctx, "bash", "-c", prelude+script)
	c.Dir, c.Env = r.work, r.env
	if strings.HasPrefix(script, "make ") {
		c.Dir = r.root
	}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
	c.WaitDelay = downTimeout
	return c
}

// errUnanswered is returned by checkAnswers when a curl of the script was not run or got no answer.
var errUnanswered = errors.New("not every request was answered")

// checkAnswers returns an error unless every curl of the script was answered with 2xx.
func checkAnswers(script, stderr string) error {
	answers := statusLine.FindAllStringSubmatch(stderr, -1)
	for _, answer := range answers {
		if !strings.HasPrefix(answer[1], "2") {
			return fmt.Errorf("%s is answered %s", answer[2], answer[1])
		}
	}
	parsed, err := parseShell(strings.ReplaceAll(script, "\\\n", " "))
	if err != nil {
		return err
	}
	sent := 0
	for _, words := range parsed {
		if words[0] == "curl" {
			sent++
		}
	}
	if len(answers) != sent {
		return fmt.Errorf("%w: %d of %d", errUnanswered, len(answers), sent)
	}
	return nil
}
