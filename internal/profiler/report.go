// Package profiler holds PyTorch Lightning's profilers: what the actions of a run cost, and libtorch's own recording of
// operators.
package profiler

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/console"
)

// report is where a profiler's report goes: to a file when there is a name and a folder, else to the console.
type report struct {
	dirpath, filename string
	console           *console.Console
	stage             string
}

// setup takes the run's folder where none was given.
func (r *report) setup(t lighter.Trainer) {
	r.stage = t.Stage()
	if r.dirpath == "" {
		r.dirpath = t.LogDir()
	}
}

var (
	unsafe     = regexp.MustCompile(`[\\/:*?"<>|\n\r\t]`)
	underlines = regexp.MustCompile(`_+`)
)

// name is Lightning's: the stage, the file name given and the action, with what no path can hold replaced.
func (r *report) name(action, extension string) string {
	parts := []string{r.stage}
	for _, p := range []string{r.filename, action} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	base := unsafe.ReplaceAllString(strings.Join(parts, "-"), "_")
	return strings.TrimSpace(underlines.ReplaceAllString(base, "_")) + extension
}

// write appends to the file, as Lightning does, or prints.
func (r *report) write(text string) error {
	if r.filename == "" || r.dirpath == "" {
		_, err := fmt.Fprintln(r.console, text)
		return err
	}
	if err := os.MkdirAll(r.dirpath, 0o777); err != nil {
		return fmt.Errorf("profiler: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(r.dirpath, r.name("", ".txt")), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return fmt.Errorf("profiler: %w", err)
	}
	_, err = f.WriteString(text)
	if shut := f.Close(); err == nil {
		err = shut
	}
	if err != nil {
		return fmt.Errorf("profiler: %w", err)
	}
	return nil
}
