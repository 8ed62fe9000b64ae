package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/runner"
)

// TestArguments states what a command line asks the runner for.
func TestArguments(t *testing.T) {
	type asked struct {
		stage   string
		inputs  []any
		options runner.Options
	}
	for _, c := range []struct {
		args string // separated by "|"
		want asked
	}{
		{"fit|a.yaml", asked{"fit", []any{"a.yaml"}, runner.Options{}}},
		{"fit|a.yaml|--ckpt_path|x.ckpt|k=v", asked{"fit", []any{"a.yaml", "k=v"}, runner.Options{CkptPath: "x.ckpt"}}},
		{"fit|--ckpt-path=last|a.yaml|--weights-only|b.yml", asked{"fit", []any{"a.yaml", "b.yml"}, runner.Options{CkptPath: "last", WeightsOnly: true}}},
		{"fit|a.yaml|=k::l={a: 1}|~m|n=say \"it's\" = a $x", asked{"fit", []any{"a.yaml", "=k::l={a: 1}", "~m", `n=say "it's" = a $x`}, runner.Options{}}},
		{"fit|a.yaml|--resume|auto", asked{"fit", []any{"a.yaml"}, runner.Options{Resume: "auto"}}},
		{"fit|a.yaml|--|--weights_only|-x", asked{"fit", []any{"a.yaml", "--weights_only", "-x"}, runner.Options{}}},
		{"--debug|fit|a.yaml", asked{"fit", []any{"a.yaml"}, runner.Options{Debug: true}}},
		{"validate|a.yaml", asked{"validate", []any{"a.yaml"}, runner.Options{Verbose: true}}},
		{"validate|a.yaml|--no-verbose", asked{"validate", []any{"a.yaml"}, runner.Options{}}},
		{"test|a.yaml|--no_verbose|--verbose", asked{"test", []any{"a.yaml"}, runner.Options{Verbose: true}}},
		{"test|a.yaml|--weights_only|--ckpt_path|best", asked{"test", []any{"a.yaml"}, runner.Options{Verbose: true, CkptPath: "best", WeightsOnly: true}}},
		{"predict|a.ckpt|--return-predictions|--no_return_predictions", asked{"predict", []any{"a.ckpt"}, runner.Options{}}},
		{"predict|a.ckpt|--no-return-predictions|--return_predictions", asked{"predict", []any{"a.ckpt"}, runner.Options{}}},
	} {
		var got asked
		p := &program{run: func(_ context.Context, stage string, inputs []any, o runner.Options) (*runner.Result, error) {
			o.Out, o.Log, o.Err = nil, runner.Options{}.Log, nil
			got = asked{stage, inputs, o}
			return &runner.Result{}, nil
		}}
		code, out := call(t, p, strings.Split(c.args, "|")...)
		if code != 0 {
			t.Errorf("%s: exit code %d: %s", c.args, code, out.stderr)
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.args, got, c.want)
		}
	}
}

// ending is the program with a stage that ends as told.
func ending(end func(context.Context) error) *program {
	return &program{run: func(ctx context.Context, _ string, _ []any, _ runner.Options) (*runner.Result, error) {
		return nil, end(ctx)
	}}
}

func TestConfigProblems(t *testing.T) {
	problems := diag.List{
		{Pos: diag.Pos{Source: "argument 2", Line: 1, Col: 12, Len: 3}, Path: "trainer", Msg: `unknown field "epoch"`, Hint: `did you mean "max_epochs"?`},
		{Pos: diag.Pos{Source: "a.yaml", Line: 3, Col: 5}, Msg: "expected a number", Notes: []diag.Note{{Msg: "set here"}}},
	}
	sources := diag.Sources{"argument 2": []byte("trainer::epoch=3")}
	p := ending(func(context.Context) error { return &runner.ConfigError{Problems: problems, Sources: sources} })
	_, out := call(t, p, "fit", "a.yaml", "trainer::epoch=3")
	for _, want := range []string{
		`argument 2: unknown field "epoch"`, "trainer::epoch=3", "~~~", `did you mean "max_epochs"?`,
		"a.yaml:3:5: expected a number", "note: set here", "error: 2 errors in the configuration",
	} {
		if !strings.Contains(out.stderr, want) {
			t.Errorf("no %q in\n%s", want, out.stderr)
		}
	}

	_, out = call(t, ending(func(context.Context) error { return problems }), "--log-format=json", "fit", "a.yaml", "trainer::epoch=3")
	var lines []map[string]any
	for line := range strings.Lines(out.stderr) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		lines = append(lines, v)
	}
	if len(lines) != 2 {
		t.Fatalf("want a line for each problem:\n%s", out.stderr)
	}
	for key, want := range map[string]any{
		"level": "error", "message": `unknown field "epoch"`, "source": "argument 2", "line": 1.0, "column": 12.0,
		"path": "trainer", "hint": `did you mean "max_epochs"?`,
	} {
		if lines[0][key] != want {
			t.Errorf("%s is %v, want %v", key, lines[0][key], want)
		}
	}
	if !reflect.DeepEqual(lines[1]["notes"], []any{"set here"}) {
		t.Errorf("notes are %v", lines[1]["notes"])
	}
}

// TestPanic: a panic is a short message that tells whose fault it is; the stack is for --debug.
func TestPanic(t *testing.T) {
	crash := func(context.Context) error { panic("index out of range") }
	for _, c := range []struct {
		args  []string
		stack bool
	}{{nil, false}, {[]string{"--debug"}, true}, {[]string{"--log-format", "json"}, false}, {[]string{"--log-format", "json", "--debug"}, true}} {
		code, out := call(t, ending(crash), append(c.args, "fit", "a.yaml")...)
		if code != 1 {
			t.Errorf("%v: exit code %d", c.args, code)
		}
		if !strings.Contains(out.stderr, "this is a bug in lighter: index out of range") {
			t.Errorf("%v: %s", c.args, out.stderr)
		}
		if got := strings.Contains(out.stderr, "stage_test.go"); got != c.stack {
			t.Errorf("%v: the stack shows: %v, want %v", c.args, got, c.stack)
		}
	}
}

// TestSignals: a stage that a signal stopped ends with 128 and the signal, however it ends; another error counts more.
func TestSignals(t *testing.T) {
	lost := errors.New("the checkpoint could not be written")
	for _, c := range []struct {
		signal syscall.Signal
		end    error
		want   int
	}{
		{signal: syscall.SIGINT, end: context.Canceled, want: 130},
		{signal: syscall.SIGTERM, end: fmt.Errorf("epoch 3: %w", context.Canceled), want: 143},
		{signal: syscall.SIGUSR1, end: nil, want: 138},
		{signal: syscall.SIGINT, end: lost, want: runner.ExitCode(lost)},
	} {
		p := ending(func(ctx context.Context) error {
			if err := syscall.Kill(syscall.Getpid(), c.signal); err != nil {
				t.Fatal(err)
			}
			<-ctx.Done()
			return c.end
		})
		code, out := call(t, p, "fit", "a.yaml")
		if code != c.want {
			t.Errorf("%v and %v: exit code %d, want %d: %s", c.signal, c.end, code, c.want, out.stderr)
		}
	}
}

// TestJSONOnly: with JSON, what components write to the console is part of the log.
func TestJSONOnly(t *testing.T) {
	p := &program{run: func(_ context.Context, _ string, _ []any, o runner.Options) (*runner.Result, error) {
		o.Log.Info().Msg("Seed set to 0")
		_, err := fmt.Fprintf(o.Err, "epoch 1\n\n  loss 0.5  \n")
		return nil, err
	}}
	code, out := call(t, p, "fit", "a.yaml", "--log-format=json")
	var got []string
	for line := range strings.Lines(out.stderr) {
		var v struct{ Message string }
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		got = append(got, v.Message)
	}
	if want := []string{"Seed set to 0", "epoch 1", "  loss 0.5", "fit done"}; code != 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("exit code %d, got %q, want %q", code, got, want)
	}
}

// TestEndOfStage: a stage ends with a line that says how long it took and how much memory.
func TestEndOfStage(t *testing.T) {
	code, out := call(t, ending(func(context.Context) error { return nil }), "--log-format=json", "fit", "a.yaml")
	var v struct {
		Message string
		Seconds *float64
		MaxRSS  int64 `json:"max_rss_mb"`
	}
	if err := json.Unmarshal([]byte(out.stderr), &v); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, out.stderr)
	}
	if v.Message != "fit done" || v.Seconds == nil || v.MaxRSS < 10 {
		t.Errorf("%s", out.stderr)
	}
}

// TestLogLevels: -v and -q move the level of the log, and add up.
func TestLogLevels(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "info warn error"}, {"-v", "debug info warn error"}, {"-vv", "trace debug info warn error"},
		{"-q", "warn error"}, {"-qq", "error"}, {"-qqqq", "error"}, {"-v -q", "info warn error"}, {"-vvvv", "trace debug info warn error"},
	} {
		p := &program{run: func(_ context.Context, _ string, _ []any, o runner.Options) (*runner.Result, error) {
			o.Log.Trace().Msg("trace")
			o.Log.Debug().Msg("debug")
			o.Log.Info().Msg("info")
			o.Log.Warn().Msg("warn")
			o.Log.Error().Msg("error")
			return nil, errors.New("end")
		}}
		_, out := call(t, p, append(strings.Fields(c.args), "fit", "a.yaml")...)
		var got []string
		for line := range strings.Lines(out.stderr) {
			if f := strings.Fields(line); f[0] != "error:" {
				got = append(got, f[len(f)-1])
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q logs %q, want %q", c.args, s, c.want)
		}
	}
}
