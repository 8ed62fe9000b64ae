// Package custom builds programs that are lighter with components of the user's: it writes a main that imports their packages and
// runs the go command on it, with the source and the settings of libtorch that the program itself was built with.
//
// A build happens in a Go workspace in the cache folder, of the source, the generated main and the folders that are given. The
// compiler reads those in place, so its messages name the user's files.
package custom

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lighter-go/lighter/internal/atomicfile"
)

// Options say what is built.
type Options struct {
	With      []string // packages: folders, or import paths with a version
	Output    string
	Source    string   // a checkout to build from; "" for the program's own source
	Setup     bool     // get libtorch if it is missing
	Version   string   // of lighter, for the new program
	Libraries []string // folders where this program's libraries lie, for the new one
	Cache     string   // lighter's cache folder
	Say       func(format string, args ...any)
}

// Component is one that the new program has beyond lighter's own.
type Component struct {
	Target  string `json:"target"`
	Kind    string `json:"kind"`
	Package string `json:"package"`
	Module  string `json:"module"`
}

// Build builds the program and gives the components that were added. Nothing is at Output, or what was there before, on an error.
func Build(ctx context.Context, o Options) ([]Component, error) {
	output, err := filepath.Abs(o.Output)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(output); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a folder: -o names the program's file", o.Output)
	}
	b := &build{o: o, ctx: ctx, root: filepath.Join(o.Cache, "custom")}
	given, err := parseAll(o.With)
	if err != nil {
		return nil, err
	}
	if b.source, err = b.findSource(); err != nil {
		return nil, err
	}
	b.dir = filepath.Join(b.root, "build-"+sum([]byte(output)))
	if err := os.MkdirAll(b.dir, 0o777); err != nil {
		return nil, err
	}
	unlock, err := lock(filepath.Join(b.dir, "lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	defer prune(b.root, b.source.dir, b.dir)
	if err := b.prepare(given); err != nil {
		return nil, err
	}
	program := filepath.Join(b.dir, "lighter")
	if err := b.compile(program); err != nil {
		return nil, err
	}
	added, err := b.inspect(program)
	if err != nil {
		return nil, err
	}
	return added, install(program, output)
}

// build is a build under way.
type build struct {
	o      Options
	ctx    context.Context
	root   string // holds the folders of all builds and sources
	dir    string // this build's
	source source
	env    []string // of the go command
	rpaths []string // folders for the linker beyond those of the settings
	space  workspace
}

// compile runs go build, which does nothing where nothing changed.
func (b *build) compile(program string) error {
	if stale, err := b.goCommand("list", "-f", "{{.Stale}}", "github.com/sugarme/gotch/libtch"); err == nil && strings.TrimSpace(stale) == "true" {
		b.o.Say("compiling gotch against libtorch: about two minutes, the first time only")
	}
	flags := "-X '" + modulePath + "/internal/release.version=" + b.o.Version + "'"
	var rpaths []string
	for _, dir := range b.rpaths {
		rpaths = append(rpaths, "-Wl,-rpath,"+dir)
	}
	if rpaths != nil {
		flags += " -extldflags '" + strings.Join(rpaths, " ") + "'"
	}
	_, err := b.goCommand("build", "-overlay", b.space.overlay, "-ldflags", flags, "-o", program, b.space.main)
	if err != nil {
		return fmt.Errorf("the program does not compile:\n%w", err)
	}
	return nil
}

// inspect asks the new program what it has beyond lighter's own: it also shows that it starts.
func (b *build) inspect(program string) ([]Component, error) {
	cmd := exec.CommandContext(b.ctx, program, "list", "--json")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.TrimPrefix(strings.TrimSpace(stderr.String()), "error: ")
		var exit *exec.ExitError
		if said == "" || !errors.As(err, &exit) {
			return nil, fmt.Errorf("the program is built and does not start: %w", err)
		}
		return nil, errors.New("the program is built and does not start:\n" + crash(said))
	}
	var all []Component
	if err := json.Unmarshal(stdout.Bytes(), &all); err != nil {
		return nil, fmt.Errorf("what the program says of its components: %w", err)
	}
	return slices.DeleteFunc(all, func(c Component) bool { return c.Module == "" }), nil
}

// crash is what a program wrote that an init ended by a panic, without the goroutines: the panic and the first of the user's lines.
func crash(said string) string {
	message, stack, panics := strings.Cut(said, "\n\ngoroutine ")
	if !panics {
		return said
	}
	lines := strings.Split(stack, "\n")
	for i, line := range lines {
		if at, ok := strings.CutPrefix(line, "\t"); ok && i > 0 && !strings.HasPrefix(lines[i-1], "panic(") && !strings.HasPrefix(lines[i-1], "runtime.") {
			at, _, _ = strings.Cut(at, " ")
			return message + "\n  at " + at
		}
	}
	return message
}

// install puts the program where it is wanted.
func install(program, output string) error {
	if err := os.MkdirAll(filepath.Dir(output), 0o777); err != nil {
		return err
	}
	if err := atomicfile.Copy(program, output); err != nil {
		return err
	}
	info, err := os.Stat(output)
	if err != nil {
		return err
	}
	return os.Chmod(output, info.Mode()|info.Mode()&0o444>>2) // executable for whom it is readable
}

// lock waits until no other build has the file locked.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
	}
	return func() { f.Close() }, nil
}
