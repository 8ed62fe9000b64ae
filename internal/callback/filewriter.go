package callback

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// FileWriter are the arguments of Lighter's writer of predictions that makes a file for each sample.
type FileWriter struct {
	Directory string   `cfg:"directory,required" help:"the folder to write in"`
	ValueKey  string   `cfg:"value_key,required" help:"what to write, a name of a step's output"`
	WriterFn  WriterFn `cfg:"writer_fn,required" help:"tensor, image_2d, image_3d, text, or a callable of (path, value)"`
	NameKey   *string  `cfg:"name_key" help:"the files' names, a name of a step's output; default: numbers from 0"`
}

func init() {
	lighter.Register[lighter.Callback]("lighter.callbacks.FileWriter", FileWriter{}, "lighter.callbacks.file_writer.FileWriter")
}

// Doc is the component's prose.
func (FileWriter) Doc() string {
	return `Writes one value of each predicted sample to a file of its own. The writer's suffix takes the place of an ending that a name
has; a "/" in a name makes folders. A name that leads out of the directory is an error.`
}

// WriterFn is what writes a value to a path without a suffix.
type WriterFn struct {
	write func(path string, v lighter.Value) error
}

// ConfigType names the forms.
func (*WriterFn) ConfigType() string { return "the name of a writer or a callable" }

// DecodeConfig takes a name or a callable.
func (w *WriterFn) DecodeConfig(v any) error {
	switch x := v.(type) {
	case string:
		named, ok := writers[x]
		if !ok {
			return wording("Writer with name '%s' is not registered.%s", x, writerHint(x))
		}
		w.write = named
		return nil
	case registry.Func:
		w.write = func(path string, v lighter.Value) error {
			_, err := x([]any{path, v}, nil)
			return err
		}
		return nil
	}
	return errors.New("writer_fn must be a string or a callable")
}

// CheckConfig refuses a component that is no callable.
func (w *WriterFn) CheckConfig(v any) error {
	if p, ok := v.(registry.Promise); ok {
		return fmt.Errorf("writer_fn must be a string or a callable, got %s\nadd `_mode_: callable` beside its _target_", p.Entry.Target)
	}
	if _, later := v.(config.Unknown); later {
		return nil
	}
	return w.DecodeConfig(v)
}

func writerHint(name string) string {
	known := slices.Sorted(maps.Keys(writers))
	if near := diag.Nearest(name, known, 1); len(near) > 0 {
		return fmt.Sprintf("\ndid you mean %q?", near[0])
	}
	return fmt.Sprintf("\nthere are %s", pythonList(known))
}

// Build makes the callback.
func (a FileWriter) Build(env *lighter.Env) (lighter.Callback, error) {
	return &fileWriter{args: a, log: env.Log}, nil
}

type fileWriter struct {
	args FileWriter
	log  zerolog.Logger
	next int // the number of the next sample
}

var (
	_ lighter.Setupper         = (*fileWriter)(nil)
	_ lighter.BatchEnder       = (*fileWriter)(nil)
	_ lighter.PredictionWriter = (*fileWriter)(nil)
)

// WritesPredictions marks it as a writer.
func (w *fileWriter) WritesPredictions() {}

// Setup makes the folder.
func (w *fileWriter) Setup(t lighter.Trainer) error {
	if t.Stage() != "predict" {
		return nil
	}
	dir := w.args.Directory
	if fileSuffix(filepath.Clean(dir)) != "" {
		return fmt.Errorf("FileWriter expects 'directory' to be a directory path, not a file path: %s", dir)
	}
	if exists(dir) {
		w.log.Warn().Msgf("%s already exists, existing predictions will be overwritten.", dir)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("FileWriter: %w", err)
	}
	return nil
}

// BatchEnd writes the files of a batch. Waits for the device.
func (w *fileWriter) BatchEnd(t lighter.Trainer, out lighter.Output, _ int) error {
	if t.Mode() != lighter.Predict || len(out) == 0 {
		return nil
	}
	values, err := samplesOf(out, w.args.ValueKey)
	if err != nil {
		return err
	}
	var names lighter.List
	if key := w.args.NameKey; key != nil && len(values) > 0 {
		if names, err = samplesOf(out, *key); err != nil {
			return err
		}
		if len(names) != len(values) {
			return wording("Length mismatch between value key '%s' (%d) and name key '%s' (%d).", w.args.ValueKey, len(values), *key, len(names))
		}
	}
	for i, v := range values {
		name := strconv.Itoa(w.next + i)
		if names != nil {
			name = nameOf(names[i])
		}
		path, err := w.path(name)
		if err == nil {
			err = w.args.WriterFn.write(path, v)
		}
		if err != nil {
			return fmt.Errorf("FileWriter: %w", err)
		}
	}
	w.next += len(values)
	return nil
}

// path is where a sample's file goes, without a suffix; its folder is made.
func (w *fileWriter) path(name string) (string, error) {
	if !filepath.IsLocal(name) || filepath.Clean(name) == "." {
		return "", fmt.Errorf("the name %q, of name_key, does not lie in the directory %s", name, w.args.Directory)
	}
	path := filepath.Join(w.args.Directory, name)
	return path, os.MkdirAll(filepath.Dir(path), 0o777)
}

// samplesOf are the values of a batch's samples, on the host: a tensor's rows, a list's items, else the one value.
func samplesOf(out lighter.Output, key string) (lighter.List, error) {
	v, ok := out[key]
	if !ok {
		return nil, wording("FileWriter expected key '%s' in outputs but it was missing. Available keys in outputs: %s",
			key, pythonList(slices.Sorted(maps.Keys(out))))
	}
	switch x := v.(type) {
	case tensor.Tensor:
		x = onHost(x).(tensor.Tensor)
		if x.Dim() == 0 {
			return lighter.List{x}, nil
		}
		rows := make(lighter.List, x.Size(0))
		for i := range rows {
			rows[i] = x.Select(0, int64(i))
		}
		return rows, nil
	case lighter.List:
		items := make(lighter.List, len(x))
		for i := range x {
			items[i] = onHost(x[i])
		}
		return items, nil
	}
	return lighter.List{v}, nil
}

func onHost(v lighter.Value) lighter.Value {
	if t, ok := v.(tensor.Tensor); ok {
		return t.Detach().To(tensor.Device{}, t.DType())
	}
	return v
}

// nameOf is str() of a name; a tensor stands for its numbers.
func nameOf(v lighter.Value) string {
	if s, ok := v.(string); ok {
		return s
	}
	return valueText(v)
}
