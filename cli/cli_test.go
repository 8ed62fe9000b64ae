package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lighter-go/lighter/runner"
	"github.com/lighter-go/lighter/tensor"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lighter": checked, "stuck": stuck, "patient": patient})
}

// checked is the program; it fails when it leaves tensor handles behind.
func checked() {
	p := &program{stdout: os.Stdout, stderr: os.Stderr, run: run, root: "/"}
	code := p.main(os.Args[1:])
	if n := tensor.Live(); n != 0 {
		fmt.Fprintf(os.Stderr, "%d tensor handles are still live at the end\n", n)
		code = 99
	}
	os.Exit(code)
}

// stuck is the program with a stage that does not end when it is told to.
func stuck() {
	standIn(func(ctx context.Context) error {
		<-ctx.Done()
		if err := os.WriteFile("stopping", nil, 0o666); err != nil {
			return err
		}
		select {}
	})
}

// patient is the program with a stage that runs until it is told to end.
func patient() { standIn(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }) }

// standIn is the program with another stage, which makes the file "running".
func standIn(stage func(context.Context) error) {
	p := &program{stdout: os.Stdout, stderr: os.Stderr, root: "/"}
	p.run = func(ctx context.Context, _ string, _ []any, _ runner.Options) (*runner.Result, error) {
		if err := os.WriteFile("running", nil, 0o666); err != nil {
			return nil, err
		}
		return nil, stage(ctx)
	}
	os.Exit(p.main(os.Args[1:]))
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		Setup:         prepare,
		Cmds:          map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "await": await},
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
	})
}

// prepare sets what a script's commands see.
func prepare(env *testscript.Env) error {
	for name, dir := range map[string]string{"CONFIGS": "../configs", "EXAMPLES": "../docs/examples"} {
		path, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		env.Setenv(name, path)
	}
	env.Setenv("OMP_NUM_THREADS", "1")
	env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
	return nil
}

// exits runs a command and checks its exit code: exits 2 lighter fit
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		code = failed.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if want, err := strconv.Atoi(args[0]); err != nil || code != want {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// await waits for a file to appear.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await FILE")
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
	}
	ts.Fatalf("%s did not appear", args[0])
}

// output is what a program wrote.
type output struct{ stdout, stderr string }

// call runs a command line in this process.
func call(t *testing.T, p *program, args ...string) (code int, out output) {
	t.Helper()
	dir := t.TempDir()
	files := [2]*os.File{}
	for i, name := range []string{"stdout", "stderr"} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	p.stdout, p.stderr = files[0], files[1]
	code = p.main(args)
	texts := [2]string{}
	for i, f := range files {
		b, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(bytes.TrimSpace(b))
	}
	return code, output{texts[0], texts[1]}
}
