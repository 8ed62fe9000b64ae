package callback

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/console"
	"github.com/lighter-go/lighter/tensor"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if n := tensor.Live(); n != 0 {
		fmt.Fprintf(os.Stderr, "%d tensor handles are left\n", n)
		code = 1
	}
	os.Exit(code)
}

// envOf gives an Env whose log and console go to the returned buffer.
func envOf(terminal bool) (*lighter.Env, *bytes.Buffer) {
	var b bytes.Buffer
	return &lighter.Env{Log: zerolog.New(&b), Console: console.New(&b, terminal, false)}, &b
}

func build(t *testing.T, b interface {
	Build(*lighter.Env) (lighter.Callback, error)
}) (lighter.Callback, *bytes.Buffer) {
	t.Helper()
	env, out := envOf(false)
	c, err := b.Build(env)
	if err != nil {
		t.Fatal(err)
	}
	return c, out
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
